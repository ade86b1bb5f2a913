/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest of kind GUEST_PAGE may do with a page, by doing it.
 */
#ifndef TESTS_LIB_PAGE_H
#define TESTS_LIB_PAGE_H

#include "event.h"

/* All that a page can have. */
#define PAGE_ALL \
	(KVMI_PAGE_ACCESS_R | KVMI_PAGE_ACCESS_W | KVMI_PAGE_ACCESS_X)

/*
 * The guest adds 1 to the word at gpa by a store: the tool sees it before, and
 * lets it happen, or does not see it. Replaces what the guest executes.
 */
void page_store(struct vmm_vcpu *vcpu, struct peer *peer, uint64_t gpa,
		bool seen);
/*
 * The guest reads, writes and executes the page, at its alias: the tool sees
 * what is not in the rights, and no more. Replaces what is in the page.
 */
void page_expect_rights(struct vmm_vcpu *vcpu, struct peer *peer, uint64_t gpa,
			uint8_t rights);

#endif /* TESTS_LIB_PAGE_H */
