/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the stores of the guest's module write: a row for each of its kinds.
 */
#ifndef TESTS_LIB_KINDS_H
#define TESTS_LIB_KINDS_H

#include <stdbool.h>
#include <stdint.h>

#include "../../lab/l2/store/box.h"

struct kind {
	const char *name;
	bool emulated;		/* KVM's emulator knows it, and so its gva */
	unsigned int parts;	/* accesses in a page, each asked for */
	unsigned int size;	/* bytes from its first to its last */
	unsigned int pushed;	/* bytes that its pointer loses */
	/* Fails unless the bytes are those before with this store, once. */
	void (*landed)(const uint8_t *before, const uint8_t *after,
		       uint64_t value);
};

extern const struct kind kinds[STORE_KINDS];
extern const char *const targets[STORE_TARGETS];

#endif /* TESTS_LIB_KINDS_H */
