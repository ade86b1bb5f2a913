// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pages of kvmi trace: without the right to write, so that every store is
 * an event, which the tool lets happen.
 */
#include <errno.h>
#include <inttypes.h>

#include "trace.h"

#define PAGE_SIZE	4096
#define ALL	(KVMI_PAGE_ACCESS_R | KVMI_PAGE_ACCESS_W | KVMI_PAGE_ACCESS_X)

static int find(struct trace *t, struct page *page)
{
	int err;

	err = kvmi_vcpu_translate_gva(t->vm, 0, page->gva, &page->gpa);
	if (!err && page->gpa == UINT64_MAX)
		err = -EFAULT;
	if (err)
		complain(err, "no page at 0x%" PRIx64, page->gva);
	page->gpa &= ~(uint64_t)(PAGE_SIZE - 1);
	return err;
}

static int set_access(struct trace *t, const struct page *page,
		      unsigned int access)
{
	const struct kvmi_page_access_entry entry = {
		.gpa = page->gpa,
		.access = (uint8_t)access,
	};

	return kvmi_vm_set_page_access(t->vm, &entry, 1);
}

int page_set(struct trace *t, struct page *page)
{
	int err = find(t, page);

	if (err)
		return err;
	err = set_access(t, page, ALL & ~KVMI_PAGE_ACCESS_W);
	if (err)
		complain(err, "cannot watch the page at 0x%" PRIx64, page->gva);
	else
		page->is_set = true;
	return err;
}

void page_clear(struct trace *t, struct page *page)
{
	if (page->is_set)
		set_access(t, page, ALL);
	page->is_set = false;
}

void page_print(struct trace *t, struct kvmi_event *event,
		const struct kvmi_vcpu_event_pf *pf)
{
	const struct kvmi_vcpu_event *state = kvmi_event_get_state(event);
	const struct field fields[] = {
		{ "gva", NULL, pf->gva },
		{ "gpa", NULL, pf->gpa },
		{ "cr3", NULL, state->arch.sregs.cr3 },
		{ 0 },
	};

	subject_print(t, PAGE, state, fields);
}
