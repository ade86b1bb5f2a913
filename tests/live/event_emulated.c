// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions that KVM emulates although no tool asked for their interception:
 * each is one event all the same, also when it was given up for a signal and
 * when the tool changes registers. KVM emulates what follows a certain prefix
 * if its module is told to; the test tells it, and takes it back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/event.h"
#include "../lib/test.h"

#define PARAMETER	"/sys/module/kvm/parameters/force_emulation_prefix"

static const uint64_t kinds[] = {
	GUEST_CR0, GUEST_CR3, GUEST_CR4, GUEST_MSR, GUEST_XSETBV,
	GUEST_HYPERCALL, GUEST_SIDT, GUEST_SGDT, GUEST_SLDT, GUEST_STR,
	GUEST_LIDT, GUEST_LGDT, GUEST_LLDT, GUEST_LTR,
};

static char before[8];

static void set_parameter(const char *value)
{
	FILE *file = fopen(PARAMETER, "w");

	expect_true(file);
	expect_true(fputs(value, file) >= 0);
	expect(0, fclose(file));
}

static void restore(void)
{
	set_parameter(before);
}

static void force(void)
{
	FILE *file = fopen(PARAMETER, "r");

	if (!file)
		skip("this KVM has no force_emulation_prefix");
	expect_true(fgets(before, sizeof(before), file));
	fclose(file);
	atexit(restore);
	set_parameter("1");
}

/* UD2 and three letters; RIP of what is emulated is behind it. */
static void add_prefix(struct vmm *vm, uint64_t kind)
{
	memcpy(vmm_host(vm, vmm_kind_rip(kind) - GUEST_PREFIX), "\x0f\x0bkvm",
	       GUEST_PREFIX);
}

static void receive(struct vmm_vcpu *vcpu, struct peer *peer, uint64_t kind,
		    struct event *event)
{
	vmm_vcpu_allow(vcpu, 1);
	event_receive(peer, kind_event(kind), event);
	expect(vmm_kind_rip(kind), event->arch.regs.rip);
}

static void test_kind(uint64_t kind)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	volatile struct guest_state *state = vmm_state(vcpu);
	uint64_t done = 0, value;
	struct kvm_regs regs;
	struct event event;

	note("kind %d", (int)kind);
	vmm_vcpu_load_long(vcpu, kind);
	add_prefix(vm, kind);
	vmm_vcpu_start_timer(vcpu);
	vmm_vcpu_start(vcpu);
	vmm_vcpu_allow(vcpu, 1);
	vmm_wait_executions(vcpu, ++done);
	kind_control(&peer, 0, kind, 1);

	receive(vcpu, &peer, kind, &event);
	expect(done, state->executions);
	event_continue(&peer, &event);
	vmm_wait_executions(vcpu, ++done);
	expect(state->wanted, state->result);

	/* With registers the emulator's own copy is out of date. */
	receive(vcpu, &peer, kind, &event);
	regs = event.arch.regs;
	regs.r15 = 5;
	vcpu_set_registers(&peer, 0, &regs);
	event_continue(&peer, &event);
	vmm_wait_executions(vcpu, ++done);
	expect(5, state->marks);
	expect(state->wanted, state->result);

	/* Given up for a signal, and answered outside of KVM_RUN. */
	receive(vcpu, &peer, kind, &event);
	vmm_vcpu_stop(vcpu);
	expect(done, state->executions);
	event_continue(&peer, &event);
	vmm_vcpu_start(vcpu);
	vmm_wait_executions(vcpu, ++done);
	expect(state->wanted, state->result);

	if (kind <= GUEST_CR4 || kind == GUEST_MSR) {
		receive(vcpu, &peer, kind, &event);
		value = event.cr.old_value;
		event_answer_data(&peer, &event, KVMI_EVENT_ACTION_CONTINUE,
				  &value, sizeof(value));
		vmm_wait_executions(vcpu, ++done);
		expect(value, state->result);
	}

	/* The tool goes. */
	receive(vcpu, &peer, kind, &event);
	peer_close(&peer);
	vmm_wait_executions(vcpu, ++done);
	expect(kind == GUEST_HYPERCALL ? (uint64_t)-KVM_ENOSYS : state->wanted,
	       state->result);
	unhook(vm);
	vmm_vcpu_allow(vcpu, 2);
	vmm_wait_executions(vcpu, done + 2);
	vmm_destroy(vm);
}

int main(void)
{
	struct vmm *vm = vmm_create(NULL);
	size_t i;

	hook_require(vm);
	vmm_destroy(vm);
	force();
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (vmm_kind_possible(kinds[i]))
			test_kind(kinds[i]);
	return 0;
}
