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

	/* A vCPU in user mode may not have the kernel mapped. */
	if (page->symbol)
		err = linux_translate(t->guest, page->gva, &page->gpa);
	else
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

/* By the page that was named, as the store may go by another address. */
static const char *format_target(struct trace *t, uint64_t gpa, char *text,
				 size_t room)
{
	const uint64_t page = gpa & ~(uint64_t)(PAGE_SIZE - 1);
	size_t i;

	for (i = 0; i < t->page_count; i++)
		if (t->pages[i].gpa == page)
			break;
	if (i == t->page_count)
		return "?";
	return linux_format_address(t->guest,
				    (t->pages[i].gva & ~(uint64_t)(PAGE_SIZE - 1)) +
				    gpa % PAGE_SIZE, text, room);
}

void page_print(struct trace *t, struct kvmi_event *event,
		const struct kvmi_vcpu_event_pf *pf)
{
	const struct kvmi_vcpu_event *state = kvmi_event_get_state(event);
	char symbol[SYMBOL], writer[SYMBOL];
	struct field fields[] = {
		FIELD_HEX("gva", pf->gva),
		FIELD_HEX("gpa", pf->gpa),
		FIELD_HEX("cr3", state->arch.sregs.cr3),
		{ 0 }, { 0 }, { 0 },
	};

	if (!line_takes(t, state))
		return;
	if (t->guest) {
		fields[3] = (struct field)FIELD_TEXT("symbol",
			format_target(t, pf->gpa, symbol, sizeof(symbol)));
		fields[4] = (struct field)FIELD_TEXT("writer",
			linux_format_address(t->guest, state->arch.regs.rip,
					     writer, sizeof(writer)));
	}
	line_print(t, PAGE, t->guest ? fields[3].text : NULL, state, fields);
}
