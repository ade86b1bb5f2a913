// SPDX-License-Identifier: GPL-2.0-or-later
/* Talks to one gdb: what it asks for, and what it is told unasked. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "gdb.h"

#define POLL_MS		100
#define REFRESH_MS	1000
#define STEP_MS		3000

enum { SIGNAL_INTERRUPT = 2, SIGNAL_TRAP = 5 };

static const char *reason_of(const struct gdb *g, const struct gdb_vcpu *c,
			     char *text, size_t room)
{
	static const char *const names[] = {
		[GDB_WRITE] = "watch", [GDB_READ] = "rwatch",
		[GDB_ACCESS] = "awatch",
	};

	text[0] = '\0';
	if (c->stop == GDB_WATCHED)
		snprintf(text, room, "%s:%llx;", names[c->kind],
			 (unsigned long long)c->watched);
	else if (c->stop == GDB_BROKE && c->kind == GDB_SOFTWARE &&
		 g->knows_swbreak)
		snprintf(text, room, "swbreak:;");
	else if (c->stop == GDB_BROKE && c->kind == GDB_HARDWARE &&
		 g->knows_hwbreak)
		snprintf(text, room, "hwbreak:;");
	return text;
}

static void report(struct gdb *g, int signal)
{
	struct gdb_vcpu *c = &g->vcpus[g->current];
	char text[96], reason[48];

	snprintf(text, sizeof(text), "T%02x%sthread:%x;", signal,
		 reason_of(g, c, reason, sizeof(reason)), g->current + 1);
	c->stop = GDB_NOTHING;
	wire_say(&g->wire, text);
}

/* All stop, and gdb is told of the first that has something to tell. */
static int stop(struct gdb *g, int signal)
{
	int vcpu, err = gdb_stop_all(g);

	g->is_running = false;
	if (err)
		return err;
	vcpu = gdb_news(g);
	if (vcpu >= 0)
		g->current = (unsigned int)vcpu;
	report(g, vcpu >= 0 ? SIGNAL_TRAP : signal);
	return 0;
}

static int go(struct gdb *g)
{
	int err = gdb_resume(g);

	g->is_running = !err;
	g->begun = gdb_now();
	g->wire.is_interrupted = false;
	if (err == -EOPNOTSUPP) {
		complain(0, "this host cannot single-step a guest");
		wire_say(&g->wire, "E5f");
		err = 0;
	}
	return err;
}

static bool is_thread(const struct gdb *g, uint64_t id)
{
	return id && id <= g->count && g->vcpus[id - 1].is_ready;
}

/* A thread, -1 or 0. Returns whether it makes sense. */
static bool read_thread(const struct gdb *g, const char **text, bool *is_all,
			unsigned int *vcpu)
{
	uint64_t id;

	*is_all = !strncmp(*text, "-1", 2);
	if (*is_all) {
		*text += 2;
		return true;
	}
	if (wire_number(text, &id))
		return false;
	if (id && !is_thread(g, id))
		return false;
	*vcpu = id ? (unsigned int)id - 1 : g->current;
	return true;
}

static void choose_thread(struct gdb *g, const char *text)
{
	char what = *text++;
	unsigned int vcpu;
	bool is_all;

	if ((what != 'g' && what != 'c') ||
	    !read_thread(g, &text, &is_all, &vcpu)) {
		wire_say(&g->wire, "E16");
		return;
	}
	if (what == 'c')
		g->next = is_all ? -1 : (int)vcpu;
	else if (!is_all)
		g->current = vcpu;
	wire_say(&g->wire, "OK");
}

static void wish(struct gdb *g, bool is_all, unsigned int vcpu,
		 enum gdb_wish what, bool *is_set)
{
	unsigned int i;

	for (i = 0; i < g->count; i++) {
		if ((!is_all && i != vcpu) || is_set[i])
			continue;
		g->vcpus[i].wish = what;
		is_set[i] = true;
	}
}

/* c, C05, s, S05 or t, for which the thread may follow */
static bool read_action(const char **text, enum gdb_wish *what)
{
	char action = *(*text)++;
	uint64_t signal;

	if (action != 't')
		*what = action == 's' || action == 'S' ? GDB_STEP : GDB_GO;
	else
		*what = GDB_STAY;
	if (action == 'C' || action == 'S')
		return !wire_number(text, &signal);
	return action == 'c' || action == 's' || action == 't';
}

/* Of the actions the first one that names a thread counts for it. */
static int go_as_told(struct gdb *g, const char *text)
{
	bool is_set[GDB_VCPUS] = { false }, is_all, is_good = true;
	enum gdb_wish what;
	unsigned int vcpu;

	while (is_good && *text++ == ';') {
		is_good = read_action(&text, &what);
		is_all = is_good && *text != ':';
		if (is_good && !is_all) {
			text++;
			is_good = read_thread(g, &text, &is_all, &vcpu);
		}
		if (is_good)
			wish(g, is_all, vcpu, what, is_set);
	}
	if (is_good && !text[-1])
		return go(g);
	for (vcpu = 0; vcpu < g->count; vcpu++)
		g->vcpus[vcpu].wish = GDB_STAY;
	wire_say(&g->wire, "E16");
	return 0;
}

/* s is for one thread, and c for all unless one was chosen. */
static int go_simply(struct gdb *g, char action)
{
	bool is_set[GDB_VCPUS] = { false };
	bool is_step = action == 's' || action == 'S';

	wish(g, !is_step && g->next < 0,
	     g->next < 0 ? g->current : (unsigned int)g->next,
	     is_step ? GDB_STEP : GDB_GO, is_set);
	return go(g);
}

static int take_v(struct gdb *g, const char *text)
{
	if (!strcmp(text, "Cont?"))
		wire_say(&g->wire, "vCont;c;C;s;S;t");
	else if (!strncmp(text, "Cont;", 5))
		return go_as_told(g, text + 4);
	else
		wire_say(&g->wire, "");
	return 0;
}

static void tell_thread(struct gdb *g, const char *text)
{
	uint64_t id;

	wire_say(&g->wire, !wire_number(&text, &id) && is_thread(g, id) ?
		 "OK" : "E16");
}

static int detach(struct gdb *g, bool is_asked)
{
	int err = gdb_undo(g);

	g->is_detached = true;
	if (is_asked)
		wire_say(&g->wire, err ? "E16" : "OK");
	return err;
}

static int take_packet(struct gdb *g)
{
	const char *text = g->wire.packet + 1;

	switch (g->wire.packet[0]) {
	case '?':
		report(g, SIGNAL_TRAP);
		return 0;
	case 'c':
	case 'C':
	case 's':
	case 'S':
		return go_simply(g, g->wire.packet[0]);
	case 'v':
		return take_v(g, text);
	case 'D':
		return detach(g, true);
	case 'k':	/* The guest is not gdb's to end. */
		return detach(g, false);
	case 'g':
		gdb_get_registers(g);
		break;
	case 'G':
		gdb_set_registers(g, text);
		break;
	case 'p':
		gdb_get_register(g, text);
		break;
	case 'P':
		gdb_set_register(g, text);
		break;
	case 'm':
		gdb_ask_memory(g, text);
		break;
	case 'M':
	case 'X':
		gdb_change_memory(g, text, g->wire.packet[0] == 'M');
		break;
	case 'Z':
	case 'z':
		gdb_change_point(g, text, g->wire.packet[0] == 'Z');
		break;
	case 'H':
		choose_thread(g, text);
		break;
	case 'T':
		tell_thread(g, text);
		break;
	case 'q':
		gdb_query(g, text);
		break;
	case 'Q':
		gdb_set(g, text);
		break;
	default:
		wire_say(&g->wire, "");
	}
	return 0;
}

/* Returns 0, or -errno of the session. gdb may be gone then. */
static int hear(struct gdb *g)
{
	struct pollfd fds[] = {
		{ .fd = g->wire.in, .events = POLLIN },
		{ .fd = kvmi_vm_get_fd(g->vm), .events = POLLIN },
	};
	int got, err = 0;

	poll(fds, 2, POLL_MS);
	if (fds[0].revents)
		g->is_gone = wire_read(&g->wire);
	while (!err && !g->is_gone && !g->is_detached) {
		got = wire_take(&g->wire);
		g->is_gone = got < 0;
		if (got <= 0)
			break;
		/* There is nothing to say while the guest runs. */
		if (!g->is_running)
			err = take_packet(g);
	}
	return err;
}

static bool is_halted(const struct gdb *g)
{
	unsigned int i;

	if (gdb_now() - g->begun < STEP_MS)
		return false;
	for (i = 0; i < g->count; i++)
		if (g->vcpus[i].wants_step)
			return true;
	return false;
}

static int watch(struct gdb *g)
{
	int err = 0;

	if (gdb_now() - g->refreshed >= REFRESH_MS) {
		g->refreshed = gdb_now();
		err = gdb_refresh(g);
	}
	if (err || !g->is_running || g->is_unhooking)
		return err;
	if (gdb_news(g) >= 0)
		return stop(g, SIGNAL_TRAP);
	if (g->wire.is_interrupted)
		return stop(g, SIGNAL_INTERRUPT);
	if (is_halted(g)) {
		complain(0, "a vCPU makes no step: it is halted, or held up outside the guest");
		return stop(g, SIGNAL_TRAP);
	}
	return 0;
}

int gdb_serve(struct gdb *g)
{
	int err = gdb_stop_all(g);

	while (!err && !is_stopped && !g->is_gone && !g->is_detached &&
	       !g->is_unhooking) {
		err = hear(g);
		if (!err)
			err = gdb_take_all(g, 0);
		if (!err && !g->is_detached)
			err = watch(g);
	}
	/* The guest's end, as far as gdb is concerned. */
	if ((err || g->is_unhooking || is_stopped) && g->is_running)
		wire_say(&g->wire, "W00");
	return err;
}
