// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that a kernel protects against itself, made writable as those who patch
 * them do: by another mapping of the same memory.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched/task_stack.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <asm/desc.h>
#include <asm/pgtable.h>

#include "store.h"

#define ROOM		0xa00	/* the rest of a page is the stores' */
#define BESIDE		0xe00
#define TO_BEHIND	(PAGE_SIZE - 16)
#define INT3		0xcc
#define SPARE		0x400

/* Of stores that begin in front of a page, only the last bytes reach it. */
#define FROM_FRONT	(-28)

static u64 gpa_of(struct page *page)
{
	return (u64)page_to_pfn(page) << PAGE_SHIFT;
}

static int alias(struct store_target *target, struct page *page,
		 struct page *behind, u32 offset, s64 edge)
{
	struct page *pages[3] = { alloc_page(GFP_KERNEL | __GFP_ZERO), page };
	void *at;

	pages[2] = behind ? behind : alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!pages[0] || !pages[1] || !pages[2])
		return -ENOMEM;
	at = vmap(pages, 3, VM_MAP, PAGE_KERNEL);
	if (!at)
		return -ENOMEM;

	target->gva = (u64)at + PAGE_SIZE;
	target->front = gpa_of(pages[0]);
	target->gpa = gpa_of(pages[1]);
	target->behind = gpa_of(pages[2]);
	target->offset = offset;
	target->beside = offset + BESIDE - ROOM;
	target->edge = edge;
	return 0;
}

static struct page *text_page(unsigned long at)
{
	return pfn_to_page(__pa(at) >> PAGE_SHIFT);
}

/* Code, and behind it to the end of the page and beyond what fills gaps. */
static int find_text(struct store_target *target, unsigned long text,
		     unsigned long etext)
{
	unsigned long at;

	for (at = text; at + 2 * PAGE_SIZE <= etext; at += PAGE_SIZE)
		if (memchr_inv((void *)at, INT3, ROOM) &&
		    !memchr_inv((void *)at + ROOM, INT3,
				PAGE_SIZE - ROOM + SPARE))
			return alias(target, text_page(at),
				     text_page(at + PAGE_SIZE), ROOM,
				     TO_BEHIND);

	pr_err("store: no gap in the text from %lx to %lx\n", text, etext);
	return -ENOENT;
}

/* Whatever is mapped there, by the address where the processor has it. */
static struct page *mapped_page(unsigned long at)
{
	unsigned int level;
	pte_t *pte = lookup_address(at, &level);

	if (!pte || level != PG_LEVEL_4K)
		return NULL;
	return pte_page(*pte);
}

static unsigned long task_register(unsigned long gdt)
{
	struct ldttss_desc *desc;
	u16 tr;

	store_tr(tr);
	desc = (void *)gdt + tr;
	return desc->base0 | desc->base1 << 16 | (u32)desc->base2 << 24 |
	       (u64)desc->base3 << 32;
}

/*
 * A table for nothing but pages of ours, of which one stays: what becomes of
 * the other entries nobody sees.
 */
static int find_table(struct store_target *target)
{
	const unsigned int n = 2 * PTRS_PER_PTE;
	struct page **pages = kvcalloc(n, sizeof(*pages), GFP_KERNEL);
	struct page *page = alloc_page(GFP_KERNEL);
	unsigned int i, level;
	void *at = NULL;
	pte_t *pte;

	for (i = 0; pages && page && i < n; i++)
		pages[i] = page;
	if (pages && page)
		at = vmap(pages, n, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	if (!at)
		return -ENOMEM;

	at = PTR_ALIGN(at, PMD_SIZE);
	pte = lookup_address((unsigned long)at, &level);
	if (!pte || level != PG_LEVEL_4K)
		return -ENOENT;
	memset(pte, 0, (PTRS_PER_PTE - 1) * sizeof(*pte));
	return alias(target, virt_to_page(pte), NULL, SPARE, FROM_FRONT);
}

int store_find_targets(struct store_target *targets, unsigned long text,
		       unsigned long etext)
{
	struct desc_ptr idt, gdt;
	int err;

	store_idt(&idt);
	native_store_gdt(&gdt);
	err = find_text(&targets[STORE_TEXT], text, etext);
	if (!err)
		err = alias(&targets[STORE_DATA], alloc_page(GFP_KERNEL), NULL,
			    SPARE, TO_BEHIND);
	if (!err)
		err = alias(&targets[STORE_STACK],
			    vmalloc_to_page(task_stack_page(current)), NULL,
			    SPARE, TO_BEHIND);
	/* Vectors from 0xa0 that no device has. */
	if (!err)
		err = alias(&targets[STORE_IDT], mapped_page(idt.address),
			    NULL, ROOM, FROM_FRONT);
	if (!err)
		err = alias(&targets[STORE_GDT], mapped_page(gdt.address),
			    NULL, SPARE, FROM_FRONT);
	/* Ports that nobody may use by this. */
	if (!err)
		err = alias(&targets[STORE_TSS],
			    mapped_page(task_register(gdt.address)), NULL,
			    SPARE, FROM_FRONT);
	return err ? err : find_table(&targets[STORE_TABLE]);
}
