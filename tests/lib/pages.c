// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets of a guest's pages whose rights are changed together.
 */
#include "pages.h"
#include "test.h"

#define HUGE_PAGE	(2ull << 20)
#define ENTRIES		512
#define PRESENT		(1 << 0)
#define HUGE		(1 << 7)
#define FRAME		0x000ffffffffff000ull
#define LEVELS		4

bool pages_have(const struct pages *pages, uint64_t gpa)
{
	size_t i;

	for (i = 0; i < pages->n; i++)
		if (pages->page[i].gpa == gpa / PAGE_SIZE * PAGE_SIZE)
			return true;
	return false;
}

static void append(struct pages *pages, uint64_t gpa)
{
	expect_true(pages->n < PAGES_MAX);
	pages->page[pages->n++].gpa = gpa / PAGE_SIZE * PAGE_SIZE;
}

bool pages_add(struct pages *pages, uint64_t gpa)
{
	if (pages_have(pages, gpa))
		return true;
	append(pages, gpa);
	return false;
}

/* The kernel lies in one piece, from an address that KASLR chose. */
void pages_add_text(struct pages *pages, struct qemu *qemu, struct kvmi_vm *vm)
{
	uint64_t start = qemu_console_number(qemu, "guest: _stext at ");
	uint64_t end = qemu_console_number(qemu, "guest: _etext at ");
	uint64_t gva, gpa, base;

	expect(0, kvmi_vcpu_translate_gva(vm, 0, start, &base));
	expect_true(base != ~0ull && start % PAGE_SIZE == 0 && end > start);
	for (gva = start; gva < end; gva += PAGE_SIZE) {
		if (gva % HUGE_PAGE == 0) {
			expect(0, kvmi_vcpu_translate_gva(vm, 0, gva, &gpa));
			expect(base + (gva - start), gpa);
		}
		append(pages, base + (gva - start));
	}
	note("%llu pages of text",
	     (unsigned long long)((end - start + PAGE_SIZE - 1) / PAGE_SIZE));
}

/* Many entries may lead to one table. */
static void add_table(struct pages *pages, struct kvmi_vm *vm, uint64_t gpa,
		      int level)
{
	uint64_t entries[ENTRIES];
	int i;

	if (pages_add(pages, gpa) || level == 1)
		return;
	expect(0, kvmi_vm_read_physical(vm, gpa, entries, sizeof(entries)));
	for (i = 0; i < ENTRIES; i++)
		if (entries[i] & PRESENT && !(entries[i] & HUGE))
			add_table(pages, vm, entries[i] & FRAME, level - 1);
}

void pages_add_tables(struct pages *pages, struct kvmi_vm *vm, int vcpu)
{
	struct kvmi_vcpu_get_registers_reply reply;

	expect(0, kvmi_vcpu_get_registers(vm, vcpu, NULL, 0, &reply, NULL));
	add_table(pages, vm, reply.sregs.cr3 & FRAME, LEVELS);
}

void pages_set(struct pages *pages, struct kvmi_vm *vm, uint8_t access)
{
	size_t i, n;

	for (i = 0; i < pages->n; i++)
		pages->page[i].access = access;
	for (i = 0; i < pages->n; i += n) {
		n = pages->n - i;
		if (n > KVMI_PAGES_MAX)
			n = KVMI_PAGES_MAX;
		expect(0, kvmi_vm_set_page_access(vm, pages->page + i, n));
	}
}
