/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The task guest: a vCPU with two tasks that the hardware switches.
 */
#ifndef TESTS_LIB_TASK_H
#define TESTS_LIB_TASK_H

#include "vmm.h"

/* Page directories that are alike; any address of the guest is its gpa. */
#define TASK_DIRECTORIES	3

/* What a processor of 32 bits loads from a task state segment. */
struct task_regs {
	uint32_t cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
};

/* Sets the vCPU up in the first task, to switch in a way (GUEST_TASK_...). */
void task_load(struct vmm_vcpu *vcpu, uint32_t kind);
volatile struct guest_task_state *task_state(struct vmm_vcpu *vcpu);
/* The gpa of page directory i. */
uint32_t task_directory(int i);
/* Fills the second task's segment, in page directory 1, anew for round n. */
void task_prepare(struct vmm_vcpu *vcpu, uint32_t n, struct task_regs *regs);
/* Lets the first task switch once more. */
void task_allow(struct vmm_vcpu *vcpu);
/* The second task's registers must be these, as its segment said. */
void task_expect_loaded(struct vmm_vcpu *vcpu, const struct task_regs *regs);

#endif /* TESTS_LIB_TASK_H */
