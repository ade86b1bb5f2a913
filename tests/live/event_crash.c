// SPDX-License-Identifier: GPL-2.0-only
/*
 * CRASH, for each event: KVM_RUN returns at once with KVM_EXIT_SHUTDOWN and a
 * mark that a triple fault does not have. Its instruction has no effect, and
 * the vCPU can be run again.
 */
#include <sys/ioctl.h>

#include "../lib/emulator.h"
#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

static const struct {
	uint64_t kind;
	const char *cell;
} kinds[] = {
	{ GUEST_CR0, NULL },
	{ GUEST_CR3, NULL },
	{ GUEST_CR4, "VCPU_EVENT_CR" },
	{ GUEST_INT3, "VCPU_EVENT_BREAKPOINT" },
	{ GUEST_HYPERCALL, "VCPU_EVENT_HYPERCALL" },
	{ GUEST_TRAP, "VCPU_EVENT_TRAP" },
	{ GUEST_MSR, "VCPU_EVENT_MSR" },
	{ GUEST_XSETBV, "VCPU_EVENT_XSETBV" },
	{ GUEST_LGDT, NULL },
	{ GUEST_SLDT, "VCPU_EVENT_DESCRIPTOR" },
};

static void expect_shutdown(struct vmm_vcpu *vcpu, bool crash)
{
	wait_for(vcpu->exit_reason || vcpu->error);
	expect(0, vcpu->error);
	expect(KVM_EXIT_SHUTDOWN, vcpu->exit_reason);
	expect(crash, !!(vcpu->run->flags & KVM_RUN_X86_INTROSPECTION_CRASH));
	vmm_vcpu_stop(vcpu);
	vcpu->exit_reason = 0;
}

static void test_kind(uint64_t kind, const char *name)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	struct kvm_regs regs;
	struct event event;

	note("kind %d", (int)kind);
	vmm_vcpu_load_long(vcpu, kind);
	vmm_vcpu_start(vcpu);
	kind_control(&peer, 0, kind, 1);
	kind_begin(&peer, vcpu, kind);
	event_receive(&peer, kind_event(kind), &event);
	event_answer(&peer, &event, KVMI_EVENT_ACTION_CRASH);
	expect_shutdown(vcpu, true);
	must(ioctl(vcpu->fd, KVM_GET_REGS, &regs));
	expect(vmm_kind_rip(kind), regs.rip);
	expect(0, vmm_state(vcpu)->executions);
	if (name)
		cell("event:%s:CRASH", name);

	/* It comes to the same instruction. */
	vmm_vcpu_start(vcpu);
	kind_provoke(&peer, 0, kind);
	event_receive(&peer, kind_event(kind), &event);
	event_continue(&peer, &event);
	vmm_wait_executions(vcpu, 1);
	hooked_end(vm, &peer);
}

static void test_pause(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_run(vm, 0, &guest_busy);
	struct event event;

	vcpu_pause(&peer, 0);
	event_receive(&peer, KVMI_VCPU_EVENT_PAUSE, &event);
	event_answer(&peer, &event, KVMI_EVENT_ACTION_CRASH);
	expect_shutdown(vcpu, true);
	cell("event:VCPU_EVENT_PAUSE:CRASH");
	vmm_vcpu_start(vcpu);
	vmm_expect_alive(vcpu);
	hooked_end(vm, &peer);
}

static void test_triple_fault(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	struct kvm_sregs sregs;

	vmm_vcpu_load_long(vcpu, GUEST_INT3);
	must(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs));
	sregs.idt.limit = 0;
	must(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
	vmm_vcpu_start(vcpu);
	vmm_vcpu_allow(vcpu, 1);
	expect_shutdown(vcpu, false);
	hooked_end(vm, &peer);
}

/* A tool that leaves with the word has said it. */
static void test_last_word(uint64_t kind)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	struct event event;

	note("last word, kind %d", (int)kind);
	vmm_vcpu_load_long(vcpu, kind);
	vmm_vcpu_start(vcpu);
	kind_control(&peer, 0, kind, 1);
	vmm_vcpu_allow(vcpu, 1);
	event_receive(&peer, kind_event(kind), &event);
	event_answer(&peer, &event, KVMI_EVENT_ACTION_CRASH);
	peer_close(&peer);
	expect_shutdown(vcpu, true);
	expect(0, vmm_state(vcpu)->executions);
	unhook(vm);

	/* It was said once. */
	vmm_vcpu_start(vcpu);
	vmm_wait_executions(vcpu, 1);
	vmm_destroy(vm);
}

int main(void)
{
	size_t i;

	if (emulator_is_bochs_svm())
		note("no triple fault here");
	else
		test_triple_fault();
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (vmm_kind_possible(kinds[i].kind))
			test_kind(kinds[i].kind, kinds[i].cell);
	test_pause();
	for (i = 0; i < 30; i++)
		test_last_word(kinds[i % 5].kind);
	return 0;
}
