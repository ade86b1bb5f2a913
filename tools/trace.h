/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What kvmi trace and its breakpoints share. */
#ifndef KVMI_TOOL_TRACE_H
#define KVMI_TOOL_TRACE_H

#include "kvmi.h"

#define POINTS 16
#define MSRS 16
#define PAGES 16

enum subject {
	CR0, CR3, CR4, MSR, XSETBV, DESCRIPTOR, HYPERCALL, BREAKPOINT, PAGE,
	WHATS
};

/* What happened, as a text or a number. A list ends with one without key. */
struct field {
	const char *key, *text;
	uint64_t number;
};

struct point {
	uint64_t gva, gpa;
	uint8_t byte;		/* below the INT3 */
	size_t step;		/* bytes to skip, 0: run it in place */
	bool is_armed;
	int stepping;		/* vCPU that runs the byte, -1: none */
	bool is_stepped;	/* by single step, else it was paused */
	unsigned int tries;	/* it has not moved when it was asked */
};

struct page {
	uint64_t gva, gpa;
	bool is_set;
};

struct trace {
	struct kvmi_vm *vm;
	bool is_json, is_quiet, is_verbose, is_denying;
	bool wanted[WHATS];
	uint64_t counts[WHATS], total, count_max;
	unsigned int vcpus;
	struct point points[POINTS];
	size_t point_count;
	uint32_t msrs[MSRS];
	size_t msr_count;
	struct page pages[PAGES];
	size_t page_count;
	double start, seconds;	/* of the monotonic clock; how long, 0: for ever */
	bool can_step;		/* the host, and it is allowed */
	bool is_unhooking;
	struct kvmi_event *left;	/* on which the trace failed */
};

/* Seconds of the monotonic clock. */
double trace_now(void);

/* subject.c */
extern const char *const subject_names[WHATS];
/* Switches all that is wanted on or off. */
int subject_control(struct trace *t, unsigned int vcpu, bool enable);
/* Counts an event and prints it unless that is not wanted. */
void subject_print(struct trace *t, enum subject what,
		   const struct kvmi_vcpu_event *state,
		   const struct field *fields);
/* Shows an event and answers it. */
int subject_event(struct trace *t, struct kvmi_event *event);
/* Answers an event that came too late to be shown. */
void subject_let_go(struct trace *t, struct kvmi_event *event);

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
/* Handle and answer an event. */
int point_hit(struct trace *t, struct kvmi_event *event);
int point_passed(struct trace *t, struct kvmi_event *event);
int point_stepped(struct trace *t, struct kvmi_event *event);

#endif
