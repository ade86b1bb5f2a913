// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What follows "monitor" in gdb. Who may connect need not be who has started
 * this, so nothing here writes files.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <profile.h>

#include "gdb.h"

#define LINE 512

/* Shown by gdb while it waits. */
static void show(struct gdb *g, const char *text)
{
	char packet[2 * LINE + 2] = "O";

	wire_to_hex((const uint8_t *)text, strnlen(text, LINE), packet + 1);
	wire_say(&g->wire, packet);
}

int gdb_open_profile(struct gdb *g)
{
	int err = g->profile ? 0 : profile_from_vm(&g->profile, g->vm);

	if (err == -ENOENT)
		complain(0, "there is no Linux for x86-64 in this guest, or it has no symbols");
	else if (err)
		complain(err, "cannot find the symbols of the guest's kernel");
	return err;
}

static void show_kaslr(struct gdb *g)
{
	struct profile_info info;
	char line[LINE];

	if (gdb_open_profile(g)) {
		show(g, "The kernel's symbols were not found.\n");
		return;
	}
	profile_get_info(g->profile, &info);
	snprintf(line, sizeof(line),
		 "0x%" PRIx64 "%s\nFor a vmlinux: add-symbol-file FILE -o 0x%" PRIx64 "\n",
		 info.kaslr, info.is_kaslr_guessed ? " (a guess)" : "",
		 info.kaslr);
	show(g, line);
}

static void show_info(struct gdb *g)
{
	char line[LINE];
	unsigned int i;
	uint64_t pc;

	snprintf(line, sizeof(line), "%u vCPUs, %zu breakpoints, %zu watchpoints\n",
		 g->count, g->break_count, g->watch_count);
	show(g, line);
	if (!g->can_step)
		show(g, "This host cannot single-step a guest.\n");
	for (i = 0; i < g->count; i++) {
		if (!g->vcpus[i].is_ready)
			snprintf(line, sizeof(line), "vCPU %u has not started\n",
				 i);
		else if (gdb_pc(g, i, &pc))
			snprintf(line, sizeof(line), "vCPU %u does not answer\n",
				 i);
		else
			snprintf(line, sizeof(line), "vCPU %u at 0x%" PRIx64 "%s\n",
				 i, pc, g->vcpus[i].event ? "" :
				 ", outside of the guest");
		show(g, line);
	}
}

static void show_help(struct gdb *g)
{
	show(g, "monitor info    the VM and its vCPUs\n"
		"monitor kaslr   how far the guest's kernel was moved\n"
		"monitor help    this\n");
}

void gdb_command(struct gdb *g, const char *hex)
{
	char text[LINE] = "";
	ssize_t size = wire_from_hex(hex, (uint8_t *)text, sizeof(text) - 1);

	if (size < 0) {
		wire_say(&g->wire, "E16");
		return;
	}
	text[size] = '\0';
	if (!strcmp(text, "info"))
		show_info(g);
	else if (!strcmp(text, "kaslr"))
		show_kaslr(g);
	else if (!strcmp(text, "help"))
		show_help(g);
	else
		show(g, "There is no such command; try 'monitor help'.\n");
	wire_say(&g->wire, "OK");
}
