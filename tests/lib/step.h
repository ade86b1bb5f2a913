/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The step that is under way, for those who carry it out and judge it.
 */
#ifndef TESTS_LIB_STEP_H
#define TESTS_LIB_STEP_H

#include "lock.h"

struct step {
	struct lock *lock;
	enum lock_pass pass;
	struct store_request request;
	const struct kind *kind;
	const struct store_target *target;
	struct kvmi_event *held;	/* until the other vCPU tries, too */
	unsigned int answered;		/* of the other's when one was let go */
	uint8_t before[STORE_BYTES];
};

/* Where in the page it begins, where its byte i lies, and which byte is there. */
int64_t step_begin(const struct step *step);
uint64_t step_gpa(const struct step *step, unsigned int i);
int step_byte(const struct step *step, uint64_t gpa);
/* Where the other vCPU stores. */
uint64_t step_beside(const struct step *step);
/* Reads what is there, as long as the store. */
void step_read(const struct step *step, uint8_t *bytes);
/* Fails unless memory, counts and the guest's own words are as they must be. */
void step_judge(const struct step *step);

#endif /* TESTS_LIB_STEP_H */
