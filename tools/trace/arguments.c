// SPDX-License-Identifier: GPL-2.0-or-later
/* What kvmi trace is asked to show: KIND [WHICH...] KIND [WHICH...] ... */
#include <errno.h>

#include "trace.h"

/* "schedule", "schedule+0x12" and 0xffffffff81000000 are. */
static bool read_place(const char *text, const char **symbol, uint64_t *gva)
{
	*symbol = NULL;
	if (!parse_number(text, gva))
		return true;
	*symbol = text;
	return *text && !strchr("0123456789+-", *text);
}

static bool add_point(struct trace *t, const char *text)
{
	struct point *p = &t->points[t->point_count];

	if (t->point_count == POINTS)
		usage(&verb_trace, "there are more than %d breakpoints", POINTS);
	t->point_count++;
	return read_place(text, &p->symbol, &p->gva);
}

static bool add_page(struct trace *t, const char *text)
{
	struct page *page = &t->pages[t->page_count];

	if (t->page_count == PAGES)
		usage(&verb_trace, "there are more than %d pages", PAGES);
	t->page_count++;
	return read_place(text, &page->symbol, &page->gva);
}

static bool add_msr(struct trace *t, const char *text)
{
	if (t->msr_count == MSRS)
		usage(&verb_trace, "there are more than %d MSRs", MSRS);
	return !parse_msr(text, &t->msrs[t->msr_count++]);
}

static bool add_call(struct trace *t, const char *text)
{
	int number = call_number(text);

	if (number < 0)
		return false;
	if (t->call_count == CALLS)
		usage(&verb_trace, "there are more than %d system calls", CALLS);
	t->calls[t->call_count++] = (unsigned int)number;
	return true;
}

/* Returns what was named; what else is there belongs to the one before. */
static enum subject add_what(struct trace *t, enum subject before,
			     const char *text)
{
	bool is_good = false;
	enum subject what;

	for (what = 0; what < WHATS; what++) {
		if (strcmp(text, subject_names[what]))
			continue;
		t->wanted[what] = true;
		return what;
	}
	if (before == MSR)
		is_good = add_msr(t, text);
	else if (before == BREAKPOINT)
		is_good = add_point(t, text);
	else if (before == PAGE)
		is_good = add_page(t, text);
	else if (before == SYSCALL)
		is_good = add_call(t, text);
	if (!is_good)
		usage(&verb_trace, "'%s' is nothing to trace", text);
	return before;
}

void arguments_read(struct trace *t, char **args)
{
	enum subject what = WHATS;

	if (!*args)
		usage(&verb_trace, "say what to trace");
	for (; *args; args++)
		what = add_what(t, what, *args);
	if (t->wanted[MSR] && !t->msr_count)
		usage(&verb_trace, "say which MSR, as msr lstar");
	if (t->wanted[BREAKPOINT] && !t->point_count)
		usage(&verb_trace, "say where, as breakpoint 0xffffffff81000000");
	if ((t->wanted[PAGE] || t->is_denying) && !t->page_count)
		usage(&verb_trace, "say which page, as page 0xffffffff81000000");
	if (t->wants_returns && (!t->wanted[SYSCALL] || t->wants_no_symbols))
		usage(&verb_trace, "--return is for syscall, and needs symbols");
	if (t->wants_no_symbols && arguments_need_guest(t))
		usage(&verb_trace, "names of processes and places need symbols");
}

static bool has_symbol(const struct trace *t)
{
	size_t i;

	for (i = 0; i < t->point_count; i++)
		if (t->points[i].symbol)
			return true;
	for (i = 0; i < t->page_count; i++)
		if (t->pages[i].symbol)
			return true;
	return false;
}

bool arguments_need_guest(const struct trace *t)
{
	return t->wants_names || filter_needs_process(&t->filter) ||
	       has_symbol(t) || (t->wanted[SYSCALL] && !t->wants_no_symbols);
}

static int resolve(struct trace *t, const char *symbol, uint64_t *gva)
{
	int err;

	if (!symbol)
		return 0;
	err = linux_parse_address(t->guest, symbol, gva);
	if (err == -ENOENT)
		complain(0, "the guest's kernel has no symbol %s", symbol);
	else if (err)
		complain(err, "cannot find %s", symbol);
	return err;
}

int arguments_resolve(struct trace *t)
{
	int err = 0;
	size_t i;

	for (i = 0; i < t->point_count && !err; i++)
		err = resolve(t, t->points[i].symbol, &t->points[i].gva);
	for (i = 0; i < t->page_count && !err; i++)
		err = resolve(t, t->pages[i].symbol, &t->pages[i].gva);
	return err;
}
