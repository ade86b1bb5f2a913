// SPDX-License-Identifier: GPL-2.0-or-later
/* What gdb asks about the target, its threads and their names. */
#include <stdlib.h>

#include "gdb.h"

/* A list of threads is cut to a packet; gdb prefers that in XML. */
#define LIST_MAX 1024

static int begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static void answer_supported(struct gdb *g, const char *text)
{
	char answer[256];

	g->knows_swbreak = strstr(text, "swbreak+");
	g->knows_hwbreak = strstr(text, "hwbreak+");
	snprintf(answer, sizeof(answer),
		 "PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;"
		 "qXfer:threads:read+;vContSupported+;swbreak+;hwbreak+",
		 GDB_PACKET);
	wire_say(&g->wire, answer);
}

/* What a vCPU does, for people. */
static void tell_state(struct gdb *g, unsigned int vcpu, char *text,
		       size_t room)
{
	const struct kvmi_event *event = g->vcpus[vcpu].event;
	const struct kvmi_vcpu_event *state;

	if (!event) {
		snprintf(text, room, "outside of the guest");
		return;
	}
	state = kvmi_event_get_state(event);
	snprintf(text, room, "%s, CR3 0x%llx",
		 state->arch.sregs.cs.selector & 3 ? "user mode" : "kernel",
		 (unsigned long long)state->arch.sregs.cr3);
}

static char *list_threads(struct gdb *g)
{
	char *text = NULL, what[64];
	unsigned int i;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	fputs("<?xml version=\"1.0\"?><threads>", to);
	for (i = 0; i < g->count; i++) {
		if (!g->vcpus[i].is_ready)
			continue;
		tell_state(g, i, what, sizeof(what));
		fprintf(to, "<thread id=\"%x\" core=\"%u\" name=\"vCPU %u\">%s</thread>",
			i + 1, i, i, what);
	}
	fputs("</threads>", to);
	return fclose(to) ? NULL : text;
}

/* OFFSET,LENGTH of the text: 'm' and a part, or 'l' and the last one. */
static void answer_part(struct gdb *g, char *text, const char *where)
{
	uint64_t offset, length, size;
	char *part;

	if (!text || wire_number(&where, &offset) || *where++ != ',' ||
	    wire_number(&where, &length)) {
		free(text);
		wire_say(&g->wire, "E16");
		return;
	}
	size = strlen(text);
	offset = offset < size ? offset : size;
	/* Escapes may double it. */
	if (length > GDB_PACKET / 2)
		length = GDB_PACKET / 2;
	part = text + offset;
	if (offset + length >= size)
		length = size - offset;
	/* There is room before it: what is sent begins with a letter. */
	memmove(text + 1, part, length);
	text[0] = offset + length < size ? 'm' : 'l';
	wire_send(&g->wire, text, length + 1);
	free(text);
}

static char *with_room(char *text)
{
	char *longer = text ? realloc(text, strlen(text) + 2) : NULL;

	if (!longer)
		free(text);
	return longer;
}

static void answer_transfer(struct gdb *g, const char *text)
{
	static const char features[] = "features:read:target.xml:";
	static const char threads[] = "threads:read::";

	if (begins(text, features))
		answer_part(g, with_room(gdb_describe()),
			    text + strlen(features));
	else if (begins(text, threads))
		answer_part(g, with_room(list_threads(g)),
			    text + strlen(threads));
	else if (begins(text, "features:read:"))
		wire_say(&g->wire, "E00");
	else
		wire_say(&g->wire, "");
}

static void answer_list(struct gdb *g)
{
	char text[8 * LIST_MAX] = "m";
	unsigned int i, listed = 0;
	size_t n = 1;

	for (i = 0; i < g->count && listed < LIST_MAX; i++)
		if (g->vcpus[i].is_ready)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
					      listed++ ? ",%x" : "%x", i + 1);
	wire_say(&g->wire, text);
}

static void answer_state(struct gdb *g, const char *text)
{
	char what[64], hex[2 * sizeof(what) + 1];
	uint64_t id;

	if (wire_number(&text, &id) || !id || id > g->count) {
		wire_say(&g->wire, "E16");
		return;
	}
	tell_state(g, (unsigned int)id - 1, what, sizeof(what));
	wire_to_hex((const uint8_t *)what, strlen(what), hex);
	wire_say(&g->wire, hex);
}

void gdb_query(struct gdb *g, const char *text)
{
	char answer[32];

	if (begins(text, "Supported")) {
		answer_supported(g, text);
	} else if (begins(text, "Xfer:")) {
		answer_transfer(g, text + 5);
	} else if (begins(text, "Rcmd,")) {
		gdb_command(g, text + 5);
	} else if (begins(text, "ThreadExtraInfo,")) {
		answer_state(g, text + 16);
	} else if (!strcmp(text, "fThreadInfo")) {
		answer_list(g);
	} else if (!strcmp(text, "sThreadInfo")) {
		wire_say(&g->wire, "l");
	} else if (!strcmp(text, "C")) {
		snprintf(answer, sizeof(answer), "QC%x", g->current + 1);
		wire_say(&g->wire, answer);
	} else if (begins(text, "Attached")) {
		/* So that gdb detaches when it quits. */
		wire_say(&g->wire, "1");
	} else {
		wire_say(&g->wire, "");
	}
}

void gdb_set(struct gdb *g, const char *text)
{
	bool is_known = !strcmp(text, "StartNoAckMode");

	wire_say(&g->wire, is_known ? "OK" : "");
	g->wire.is_plain |= is_known;
}
