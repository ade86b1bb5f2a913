/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest whose handlers count exceptions, and the event that tells of one.
 */
#ifndef TESTS_LIB_TRAP_H
#define TESTS_LIB_TRAP_H

#include "event.h"

#define BP_VECTOR	3
#define UD_VECTOR	6
#define NP_VECTOR	11
#define GP_VECTOR	13
#define PF_VECTOR	14

/* A hooked VM with one vCPU of this kind, not yet started. */
struct vmm *trap_vmm(struct peer *peer, uint64_t kind);
/* The next event must be TRAP, of this vector. */
void trap_receive(struct peer *peer, unsigned int nr, struct event *event);

#endif /* TESTS_LIB_TRAP_H */
