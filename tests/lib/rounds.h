/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sessions that end at any moment, 200 of them: by the tool, by UNHOOK, by
 * both at once, or by the death of the whole VMM.
 */
#ifndef TESTS_LIB_ROUNDS_H
#define TESTS_LIB_ROUNDS_H

#include "hook.h"

struct rounds {
	/* The tool, of this struct peer: talks until the socket goes. */
	void *(*talk)(void *peer);
	/* Starts the vCPUs of a new VMM. */
	void (*start)(struct vmm *vm, int round);
	/* Before a session with vCPUs that run already; may be NULL. */
	void (*prepare)(struct vmm *vm, int round);
	/* Fails unless the guest goes on. */
	void (*expect_alive)(struct vmm *vm);
	int most_ms;	/* of a session */
};

/*
 * What the kernel and this process hold after round 20 and the last must be the
 * same.
 */
void rounds_run(const struct rounds *rounds);

#endif /* TESTS_LIB_ROUNDS_H */
