// SPDX-License-Identifier: GPL-2.0-or-later
/* Tells what was tried, by whom, and what came of it. */
#include <inttypes.h>

#include "protect.h"

#define LINES_A_SECOND	3
#define STACK_WORDS	64

const char *const mode_names[MODES] = { "report", "deny", "crash" };
const char *const verdicts[MODES] = { "reported", "denied", "crashed" };

/* Who was running, and where; texts may be empty. */
struct author {
	char at[96], from[96];
	char comm[4 * LINUX_COMM];
	int pid;
};

static struct place *find_place(struct protect *p,
				const struct kvmi_event *event,
				const struct attempt *a)
{
	const uint64_t rip = kvmi_event_get_state(event)->arch.regs.rip;
	const uint64_t page = a->address / PAGE_SIZE;
	struct place *place;
	size_t i;

	for (i = 0; i < p->place_count; i++) {
		place = &p->places[i];
		if (place->what == a->what && place->rip == rip &&
		    place->page == page)
			return place;
	}
	/* The last one is for all that come when there are too many. */
	if (p->place_count < PLACES)
		p->place_count++;
	place = &p->places[p->place_count - 1];
	if (place->count && p->place_count == PLACES)
		return place;
	*place = (struct place){ .what = a->what, .rip = rip, .page = page };
	return place;
}

/* Whether it can be told without drowning the reader. */
static bool take_turn(struct protect *p, struct place *place)
{
	double now = protect_now();

	place->count++;
	if (now - place->second >= 1) {
		place->second = now;
		place->shown = 0;
	}
	if (place->shown++ < LINES_A_SECOND)
		return true;
	place->hidden++;
	p->hidden++;
	return false;
}

/*
 * A function of the kernel that does it may have been called by a module: the
 * first address on the stack that lies in one. What is left there of earlier
 * calls can be mistaken for it.
 */
static void find_caller(struct protect *p, const struct kvmi_vcpu_event *state,
			struct author *author)
{
	const struct pokes *pokes = &p->own.pokes;
	uint64_t stack[STACK_WORDS];
	size_t i, size = PAGE_SIZE - state->arch.regs.rsp % PAGE_SIZE;

	if (state->arch.regs.rip < pokes->text ||
	    state->arch.regs.rip >= pokes->text_end ||
	    state->arch.regs.rsp % sizeof(stack[0]))
		return;
	if (size > sizeof(stack))
		size = sizeof(stack);
	if (protect_read(p->vm, state->vcpu, state->arch.regs.rsp, stack, size))
		return;
	for (i = 0; i < size / sizeof(stack[0]); i++) {
		if (stack[i] < pokes->other || stack[i] >= pokes->other_end)
			continue;
		linux_format_address(p->guest, stack[i], author->from,
				     sizeof(author->from));
		if (author->from[0] == '[')
			return;
	}
	author->from[0] = '\0';
}

static void find_author(struct protect *p, const struct kvmi_vcpu_event *state,
			struct author *author)
{
	struct linux_task task;

	*author = (struct author){ .pid = -1 };
	linux_format_address(p->guest, state->arch.regs.rip, author->at,
			     sizeof(author->at));
	find_caller(p, state, author);
	if (linux_get_current(p->guest, state->vcpu, &state->arch.sregs, &task))
		return;
	author->pid = task.pid;
	printable(author->comm, sizeof(author->comm), task.comm,
		  strnlen(task.comm, sizeof(task.comm)));
}

/* A vector of the IDT, or a symbol and, in the table of calls, what it has. */
static void name_target(struct protect *p, const struct attempt *a, char *text,
			size_t room)
{
	const struct area *area = lock_at(p, a->gpa);
	char symbol[96], entry[96];
	uint64_t call;

	if (!a->address) {
		snprintf(text, room, "%s", a->name);
		return;
	}
	if (a->what == IDT) {
		snprintf(text, room, "idt[0x%x]",
			 (unsigned int)(a->address % PAGE_SIZE / 16));
		return;
	}
	if (a->what == GDT && area) {
		snprintf(text, room, "gdt[%u] of vCPU %u",
			 (unsigned int)(a->gpa - area->gpa) / DESCRIPTOR_SIZE,
			 (unsigned int)(area - p->gdts));
		return;
	}
	linux_format_address(p->guest, a->address, symbol, sizeof(symbol));
	if (a->address < p->table.start || a->address >= p->table.end ||
	    linux_read(p->guest, a->address & ~7ull, &call, sizeof(call)))
		snprintf(text, room, "%s", symbol);
	else
		snprintf(text, room, "%s (%s)", symbol,
			 linux_format_address(p->guest, call, entry,
					      sizeof(entry)));
}

static void hex(char *text, const uint8_t *bytes, size_t size)
{
	size_t i;

	*text = '\0';
	for (i = 0; i < size && i < STORE_MAX; i++)
		text += sprintf(text, "%02x", bytes[i]);
}

static void print_line(struct protect *p, const struct attempt *a,
		       const struct kvmi_vcpu_event *state, const char *target,
		       const struct author *author, uint64_t hidden)
{
	char old[2 * STORE_MAX + 1], new[2 * STORE_MAX + 1];

	printf("%12.6f %3u  %-8s %-8s %s", protect_now() - p->start,
	       state->vcpu, verdicts[p->mode], a->name, target);
	hex(old, a->old, a->size);
	hex(new, a->new, a->size);
	if (a->has_bytes)
		printf("  %s -> %s", old, new);
	if (a->has_values)
		printf("  0x%" PRIx64 " -> 0x%" PRIx64, a->old_value,
		       a->new_value);
	printf("  by %s", author->at);
	if (author->from[0])
		printf("  from %s", author->from);
	if (author->pid >= 0)
		printf("  in %s (%d)", author->comm, author->pid);
	if (hidden)
		printf("  and %" PRIu64 " more before", hidden);
	putchar('\n');
}

static void add_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

static void add_change(struct json_object *o, const struct attempt *a)
{
	char text[2 * STORE_MAX + 1];

	if (a->has_bytes) {
		hex(text, a->old, a->size);
		add_text(o, "old", text);
		hex(text, a->new, a->size);
		add_text(o, "new", text);
	}
	if (a->has_values) {
		json_object_object_add(o, "old", json_gpa(a->old_value));
		json_object_object_add(o, "new", json_gpa(a->new_value));
	}
}

static void print_object(struct protect *p, const struct attempt *a,
			 const struct kvmi_vcpu_event *state,
			 const char *target, const struct author *author,
			 uint64_t hidden)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "time",
			       json_object_new_double(protect_now() - p->start));
	json_object_object_add(o, "vcpu", json_object_new_int(state->vcpu));
	add_text(o, "verdict", verdicts[p->mode]);
	add_text(o, "what", a->name);
	add_text(o, "target", target);
	if (a->address) {
		json_object_object_add(o, "address", json_gpa(a->address));
		json_object_object_add(o, "gpa", json_gpa(a->gpa));
	}
	add_change(o, a);
	json_object_object_add(o, "rip", json_gpa(state->arch.regs.rip));
	add_text(o, "by", author->at);
	if (author->from[0])
		add_text(o, "from", author->from);
	if (author->pid >= 0) {
		json_object_object_add(o, "pid",
				       json_object_new_int(author->pid));
		add_text(o, "comm", author->comm);
	}
	json_object_object_add(o, "hidden",
			       json_object_new_int64((int64_t)hidden));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

bool attempt_count(struct protect *p, const struct kvmi_event *event,
		   const struct attempt *a)
{
	p->counts[a->what]++;
	return !p->is_quiet && take_turn(p, find_place(p, event, a));
}

void attempt_tell(struct protect *p, const struct kvmi_event *event,
		  const struct attempt *a)
{
	const struct kvmi_vcpu_event *state = kvmi_event_get_state(event);
	struct place *place = find_place(p, event, a);
	struct author author;
	char target[256];

	find_author(p, state, &author);
	name_target(p, a, target, sizeof(target));
	(p->is_json ? print_object : print_line)(p, a, state, target, &author,
						 place->hidden);
	place->hidden = 0;
	fflush(stdout);
}
