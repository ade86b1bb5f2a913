/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of kvmi trace share. */
#ifndef KVMI_TOOL_TRACE_H
#define KVMI_TOOL_TRACE_H

#include "call.h"
#include "kvmi.h"
#include "process.h"

#define POINTS 16
#define MSRS 16
#define PAGES 16
#define CALLS 16
#define SYMBOL 128	/* bytes of "name+0x12" */

enum subject {
	CR0, CR3, CR4, MSR, XSETBV, DESCRIPTOR, HYPERCALL, BREAKPOINT, PAGE,
	SYSCALL, WHATS
};

/* What happened, as a text or a number. A list ends with one without key. */
struct field {
	const char *key, *text;
	uint64_t number;
	struct json_object *object;	/* for programs; taken */
	bool is_bare;		/* people need no key for it */
	bool is_decimal;
	bool is_for_programs;	/* people are told otherwise */
};

#define FIELD_HEX(k, n)		{ .key = (k), .number = (n) }
#define FIELD_TEXT(k, t)	{ .key = (k), .text = (t) }

enum point_kind {
	POINT_PLAIN,
	POINT_ENTRY,		/* of all system calls */
	POINT_CALL,		/* the kernel's function of some */
	POINT_RETURN,		/* what all go through on their way back */
};

struct point {
	const char *symbol;	/* as it was asked for; NULL: a number */
	uint64_t gva, gpa;
	enum point_kind kind;
	uint8_t byte;		/* below the INT3 */
	size_t step;		/* bytes to skip, 0: run it in place */
	bool is_armed;
	int stepping;		/* vCPU that runs the byte, -1: none */
	bool is_stepped;	/* by single step, else it was paused */
	unsigned int tries;	/* it has not moved when it was asked */
};

struct page {
	const char *symbol;
	uint64_t gva, gpa;
	bool is_set;
};

struct rates;

struct trace {
	struct kvmi_vm *vm;
	struct linux_guest *guest;	/* NULL: without symbols */
	bool is_json, is_quiet, is_verbose, is_denying, is_rating;
	bool wants_names, wants_no_symbols, wants_returns;
	bool wanted[WHATS];
	uint64_t counts[WHATS], total, count_max;
	unsigned int vcpus;
	bool *is_on;		/* the events of each of them */
	struct point points[POINTS + CALLS];
	size_t point_count;
	uint32_t msrs[MSRS];
	size_t msr_count;
	struct page pages[PAGES];
	size_t page_count;
	unsigned int calls[CALLS];	/* only these; none: all */
	size_t call_count;
	struct filter filter;
	struct process here, next;	/* of the event that is shown */
	struct rates *rates;
	double start, seconds;	/* of the monotonic clock; how long, 0: for ever */
	double shown;		/* when the rates were shown last */
	double looked;		/* when for new vCPUs */
	bool can_step;		/* the host, and it is allowed */
	bool is_unhooking;
	struct kvmi_event *left;	/* on which the trace failed */
};

/* Seconds of the monotonic clock. */
double trace_now(void);

/* arguments.c: what is named behind the options. Exits if it is wrong. */
void arguments_read(struct trace *t, char **args);
/* Whether symbols or processes have to be known for what is asked. */
bool arguments_need_guest(const struct trace *t);
/* Looks the symbols up that were named. Complains. */
int arguments_resolve(struct trace *t);

/* line.c */
extern const char *const subject_names[WHATS];
/* Finds out whose event it is; false: it is filtered out. */
bool line_takes(struct trace *t, const struct kvmi_vcpu_event *state);
/*
 * Counts an event that was taken, and prints it unless that is not wanted.
 * @name: what the rates tell apart; NULL: nothing.
 */
void line_print(struct trace *t, enum subject what, const char *name,
		const struct kvmi_vcpu_event *state,
		const struct field *fields);

/* rates.c: counts for each subject, name and process, a table now and then. */
struct rates *rates_new(void);
void rates_free(struct rates *rates);
void rates_count(struct rates *rates, const char *subject, const char *name,
		 const struct process *process);
/* Of the last @seconds, or with @is_all of the whole time. */
void rates_show(struct rates *rates, double time, double seconds, bool is_all,
		bool is_json);

/* sum.c: how often each kind came in @seconds, which are more than 0. */
void sum_print(const struct trace *t, double seconds);

/* bits.c */
/* "+PE -WP" for a control register or EFER; "" if there is nothing to tell. */
const char *bits_changed(enum subject what, uint64_t before, uint64_t now,
			 char *text, size_t room);

/* subject.c */
/* Switches all that is wanted on, on vCPUs where it is not yet. Complains. */
int subject_begin(struct trace *t);
void subject_end(struct trace *t);
/* Shows an event and answers it. */
int subject_event(struct trace *t, struct kvmi_event *event);
/* Answers an event that came too late to be shown. */
void subject_let_go(struct trace *t, struct kvmi_event *event);

/* syscall.c */
/* Adds the breakpoints for the calls that are wanted. Complains. */
int syscall_prepare(struct trace *t);
void syscall_print(struct trace *t, const struct point *p,
		   const struct kvmi_vcpu_event *state);

/* page.c: the first complains about what it returns. */
int page_set(struct trace *t, struct page *page);
void page_clear(struct trace *t, struct page *page);
void page_print(struct trace *t, struct kvmi_event *event,
		const struct kvmi_vcpu_event_pf *pf);

/* breakpoint.c: these complain about what they return. */
int point_set(struct trace *t, struct point *p);
/* Takes the INT3 back, unless there is something else by now. */
int point_disarm(struct trace *t, struct point *p);
/* Ends single step, if it is on for this one. */
int point_leave(struct trace *t, struct point *p);
struct point *point_find(struct trace *t, uint64_t gpa);
/* Whether the INT3 could be stepped over at @gva; -errno. */
int point_is_easy(struct trace *t, uint64_t gva);
/* Handle and answer an event. */
int point_hit(struct trace *t, struct kvmi_event *event);
int point_passed(struct trace *t, struct kvmi_event *event);
int point_stepped(struct trace *t, struct kvmi_event *event);

#endif
