// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ten thousand steps over instructions that show the trap flag, lose it or hold
 * its trap back: one event for each, in the order in which the guest's source
 * has them. Then the guest has found what it finds unwatched: its flags, debug
 * registers, stack and memory tell nothing.
 *
 * lab: timeout=120
 */
#include <string.h>
#include <sys/ioctl.h>

#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

#define STEPS		10000

#define MSR_STAR	0xc0000081
#define MSR_LSTAR	0xc0000082
#define MSR_SFMASK	0xc0000084
#define EFER_SCE	1

extern const uint32_t guest_steps_order[], guest_steps_order_end[];
extern const uint8_t guest_steps_on_int3[], guest_steps_on_int[],
		     guest_steps_on_debug[], guest_steps_on_undefined[],
		     guest_steps_on_page_fault[], guest_steps_on_divide[],
		     guest_steps_on_syscall[];

static uint64_t label(const uint8_t *at)
{
	return GUEST_STEPS + (at - guest_steps.code);
}

static size_t steps(void)
{
	return guest_steps_order_end - guest_steps_order;
}

static uint64_t rounds(void)
{
	return STEPS / steps() + 1;
}

static void set_msrs(struct vmm_vcpu *vcpu)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entries[3];
	} msrs = {
		.head.nmsrs = 3,
		.entries = {
			{ .index = MSR_STAR,
			  .data = 0x18ull << 48 | 8ull << 32 },
			{ .index = MSR_LSTAR,
			  .data = label(guest_steps_on_syscall) },
			{ .index = MSR_SFMASK, .data = 0x300 },
		},
	};

	expect(3, ioctl(vcpu->fd, KVM_SET_MSRS, &msrs));
}

static void set_registers(struct vmm_vcpu *vcpu)
{
	struct kvm_regs regs = {
		.rip = GUEST_STEPS, .rflags = 2, .rbp = GUEST_STEPS_STATE,
		.rsp = GUEST_STEPS_STACK + 4096,
		.r12 = GUEST_STEPS_STATE + GUEST_STEPS_FOUND,
	};
	struct kvm_sregs sregs;

	must(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs));
	sregs.efer |= EFER_SCE;
	must(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
	must(ioctl(vcpu->fd, KVM_SET_REGS, &regs));
	set_msrs(vcpu);
}

static struct guest_steps_state *state(struct vmm_vcpu *vcpu)
{
	return vmm_host(vcpu->vm, GUEST_STEPS_STATE);
}

static struct vmm_vcpu *load(struct vmm *vm)
{
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);

	vmm_vcpu_load_long(vcpu, GUEST_NOP);
	vmm_user(vm);
	memcpy(vmm_host(vm, GUEST_STEPS), guest_steps.code,
	       guest_steps.end - guest_steps.code);
	vmm_gate(vm, 0, label(guest_steps_on_divide));
	vmm_gate(vm, 1, label(guest_steps_on_debug));
	vmm_gate(vm, 3, label(guest_steps_on_int3));
	vmm_gate(vm, 6, label(guest_steps_on_undefined));
	vmm_gate(vm, 14, label(guest_steps_on_page_fault));
	vmm_gate(vm, GUEST_STEPS_VECTOR, label(guest_steps_on_int));
	set_registers(vcpu);
	state(vcpu)->rounds = rounds();
	memset(state(vcpu)->source, 0xa5, sizeof(state(vcpu)->source));

	return vcpu;
}

struct end {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_debugregs debug;
	uint8_t memory[0x4000];
};

static void finish(struct vmm_vcpu *vcpu, struct end *end)
{
	wait_for(vcpu->exited || vcpu->error || vcpu->exit_reason);
	expect(0, vcpu->error);
	expect_true(vcpu->exited);
	vmm_vcpu_stop(vcpu);
	memset(end, 0, sizeof(*end));
	must(ioctl(vcpu->fd, KVM_GET_REGS, &end->regs));
	must(ioctl(vcpu->fd, KVM_GET_SREGS, &end->sregs));
	must(ioctl(vcpu->fd, KVM_GET_DEBUGREGS, &end->debug));
	memcpy(end->memory, vmm_host(vcpu->vm, GUEST_STEPS),
	       sizeof(end->memory));
}

static void run_unwatched(struct end *end)
{
	struct vmm *vm = vmm_create(NULL);
	struct vmm_vcpu *vcpu = load(vm);

	vmm_vcpu_start(vcpu);
	finish(vcpu, end);
	vmm_destroy(vm);
}

static void expect_step(struct peer *peer, uint64_t n, struct event *event)
{
	event_receive(peer, KVMI_VCPU_EVENT_SINGLESTEP, event);
	expect(8, event->size);
	expect(0, event->singlestep.failed);
	if (event->arch.regs.rip != GUEST_STEPS + guest_steps_order[n % steps()])
		note("step %llu of %zu", (unsigned long long)n, steps());
	expect(GUEST_STEPS + guest_steps_order[n % steps()],
	       event->arch.regs.rip);
}

static void run_stepped(struct end *end)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = load(vm);
	uint64_t n = rounds() * steps(), i;
	struct event event;

	vcpu_pause(&peer, 0);
	vmm_vcpu_start(vcpu);
	event_receive(&peer, KVMI_VCPU_EVENT_PAUSE, &event);
	expect(GUEST_STEPS, event.arch.regs.rip);
	vcpu_control_singlestep(&peer, 0, 1);
	event_continue(&peer, &event);
	for (i = 1; i < n; i++) {
		expect_step(&peer, i, &event);
		if (i == n - 1)
			vcpu_control_singlestep(&peer, 0, 0);
		event_continue(&peer, &event);
	}
	finish(vcpu, end);
	event_expect_none(&peer);
	hooked_end(vm, &peer);
}

int main(void)
{
	static struct end unwatched, stepped;
	size_t i;

	step_require();
	expect_true(rounds() * steps() > STEPS);
	run_unwatched(&unwatched);
	run_stepped(&stepped);
	note("%llu steps", (unsigned long long)(rounds() * steps() - 1));
	for (i = 0; i < sizeof(unwatched.memory); i++)
		if (unwatched.memory[i] != stepped.memory[i])
			note("at %zx: %02x, stepped %02x", GUEST_STEPS + i,
			     unwatched.memory[i], stepped.memory[i]);
	expect(0, memcmp(unwatched.memory, stepped.memory,
			 sizeof(unwatched.memory)));
	expect(0, memcmp(&unwatched.regs, &stepped.regs,
			 sizeof(unwatched.regs)));
	expect(0, memcmp(&unwatched.sregs, &stepped.sregs,
			 sizeof(unwatched.sregs)));
	expect(0, memcmp(&unwatched.debug, &stepped.debug,
			 sizeof(unwatched.debug)));
	return 0;
}
