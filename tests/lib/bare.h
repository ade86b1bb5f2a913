/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Our QEMU with the events guest instead of an operating system: a PC with two
 * vCPUs and 1 kHz timers. The test maps the guest's memory, so that it
 * sees the guest's counters whatever QEMU and the tool do.
 */
#ifndef TESTS_LIB_BARE_H
#define TESTS_LIB_BARE_H

#include "../guest/guest.h"
#include "command.h"
#include "qemu.h"

struct bare {
	struct qemu qemu;
	const char *more[4];	/* words for QEMU's command line */
	uint8_t *memory;
};

/* After qemu_prepare(); returns when both vCPUs run. */
void bare_start(struct bare *bare, const char *object);
/* The same without waiting, for a guest that comes by migration. */
void bare_receive(struct bare *bare, const char *object);
/* Ends QEMU by the monitor, and unmaps the memory. */
void bare_quit(struct bare *bare);

volatile struct guest_state *bare_state(struct bare *bare, int vcpu);
/* The guest rests, to do instructions of this kind, and its counts are 0. */
void bare_prepare(struct bare *bare, int vcpu, uint64_t kind);
/* Lets the guest do so many more. */
void bare_allow(struct bare *bare, int vcpu, uint64_t count);
/* Waits until it has done as many as it may; nothing went wrong. */
void bare_wait_rest(struct bare *bare, int vcpu);
/*
 * What the guest does before a trace has its events on is not seen: it is
 * allowed one at a time until both vCPUs are. Returns how many lines have come.
 */
int bare_wait_trace(struct bare *bare, struct command *trace);

#endif /* TESTS_LIB_BARE_H */
