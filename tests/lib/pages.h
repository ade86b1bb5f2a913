/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets of a guest's pages whose rights are changed together. With the library.
 */
#ifndef TESTS_LIB_PAGES_H
#define TESTS_LIB_PAGES_H

#include <kvmi/kvmi.h>

#include "qemu.h"

#define PAGE_SIZE	4096ull
#define PAGE_ALL	(KVMI_PAGE_ACCESS_R | KVMI_PAGE_ACCESS_W | \
			 KVMI_PAGE_ACCESS_X)
#define PAGE_NO_WRITE	(KVMI_PAGE_ACCESS_R | KVMI_PAGE_ACCESS_X)

#define PAGES_MAX	16384

struct pages {
	size_t n;
	struct kvmi_page_access_entry page[PAGES_MAX];
};

/* Adds the page of this address unless it is there; returns whether it was. */
bool pages_add(struct pages *pages, uint64_t gpa);
bool pages_have(const struct pages *pages, uint64_t gpa);
/* Adds the kernel's text, of which the guest's console tells. */
void pages_add_text(struct pages *pages, struct qemu *qemu, struct kvmi_vm *vm);
/* Adds all tables that lead from the CR3 of a vCPU, its own included. */
void pages_add_tables(struct pages *pages, struct kvmi_vm *vm, int vcpu);
/* Gives all of them these rights. */
void pages_set(struct pages *pages, struct kvmi_vm *vm, uint8_t access);

#endif /* TESTS_LIB_PAGES_H */
