// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DESCRIPTOR event, for each of eight instructions: sent before it is
 * executed; CONTINUE executes it, RETRY goes on where the tool says.
 */
#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

static const uint64_t kinds[] = {
	GUEST_SIDT, GUEST_SGDT, GUEST_SLDT, GUEST_STR,
	GUEST_LIDT, GUEST_LGDT, GUEST_LLDT, GUEST_LTR,
};

static bool is_write(uint64_t kind)
{
	return kind >= GUEST_LIDT;
}

static void receive(struct vmm_vcpu *vcpu, struct peer *peer, uint64_t kind,
		    struct event *event)
{
	static const uint8_t zero[6];

	event_receive(peer, KVMI_VCPU_EVENT_DESCRIPTOR, event);
	expect(vcpu - vcpu->vm->vcpus, event->vcpu);
	expect(kind - GUEST_DESCRIPTOR - (is_write(kind) ? 8 : 0),
	       event->descriptor.descriptor);
	expect(is_write(kind), event->descriptor.write);
	expect_bytes(zero, event->descriptor.padding, 6);
	expect(vmm_kind_rip(kind), event->arch.regs.rip);
}

static void get_sregs(struct peer *peer, struct kvm_sregs *sregs)
{
	struct kvmi_vcpu_get_registers_reply reply;

	vcpu_get_registers(peer, 0, &reply);
	*sregs = reply.sregs;
}

/* What the instruction stored is what the vCPU has. */
static void expect_stored(struct vmm_vcpu *vcpu, struct peer *peer,
			  uint64_t kind)
{
	const uint8_t *area = (const uint8_t *)vmm_state(vcpu)->area;
	const struct kvm_dtable *table;
	struct kvm_sregs sregs;

	get_sregs(peer, &sregs);
	switch (kind) {
	case GUEST_SIDT:
	case GUEST_SGDT:
		table = kind == GUEST_SIDT ? &sregs.idt : &sregs.gdt;
		expect_bytes((const uint8_t *)&table->limit, area, 2);
		expect_bytes((const uint8_t *)&table->base, area + 2, 8);
		break;
	case GUEST_SLDT:
		expect_bytes((const uint8_t *)&sregs.ldt.selector, area, 2);
		break;
	case GUEST_STR:
		expect_bytes((const uint8_t *)&sregs.tr.selector, area, 2);
		break;
	}
}

/* A smaller limit is what LIDT and LGDT load here, a selector the others. */
static uint64_t loaded(struct peer *peer, uint64_t kind)
{
	struct kvm_sregs sregs;

	get_sregs(peer, &sregs);
	switch (kind) {
	case GUEST_LIDT:
		return sregs.idt.limit;
	case GUEST_LGDT:
		return sregs.gdt.limit;
	case GUEST_LLDT:
		return sregs.ldt.selector;
	default:
		return sregs.tr.selector;
	}
}

static uint64_t prepare(struct vmm_vcpu *vcpu, uint64_t kind)
{
	volatile struct guest_state *state = vmm_state(vcpu);

	switch (kind) {
	case GUEST_LIDT:
	case GUEST_LGDT:
		state->area[0] -= 16;
		return state->area[0] | state->area[1] << 8;
	case GUEST_LLDT:
		return GUEST_SELECTOR_LDT;
	default:
		return GUEST_SELECTOR_TSS;
	}
}

/* Goes over the instruction, whose length the guest's code tells. */
static void step_over(struct vmm_vcpu *vcpu, struct peer *peer,
		      const struct event *event)
{
	const uint8_t *code = vmm_host(vcpu->vm, event->arch.regs.rip);
	struct kvm_regs regs = event->arch.regs;

	/* 0f 00 or 0f 01, then a register, or rbp with 8 bits. */
	expect(0x0f, code[0]);
	regs.rip += code[2] >> 6 == 3 ? 3 : 4;
	regs.r15 = 7;
	vcpu_set_registers(peer, 0, &regs);
}

static void test_kind(uint64_t kind)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	volatile struct guest_state *state = vmm_state(vcpu);
	uint64_t before, after = 0, done = 0;
	struct event event;
	int i;

	note("kind %d", (int)kind);
	vmm_vcpu_load_long(vcpu, kind);
	vmm_vcpu_start(vcpu);
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_DESCRIPTOR, 1);

	before = loaded(&peer, kind);
	if (is_write(kind))
		after = prepare(vcpu, kind);
	/* The instruction is not executed: neither here... */
	vmm_vcpu_allow(vcpu, 1);
	receive(vcpu, &peer, kind, &event);
	step_over(vcpu, &peer, &event);
	event_answer(&peer, &event, KVMI_EVENT_ACTION_RETRY);
	vmm_wait_executions(vcpu, ++done);
	expect(7, state->marks);
	expect(before, loaded(&peer, kind));
	/* ...nor when the tool wants to see it once more. */
	vmm_vcpu_allow(vcpu, 1);
	receive(vcpu, &peer, kind, &event);
	event_answer(&peer, &event, KVMI_EVENT_ACTION_RETRY);
	receive(vcpu, &peer, kind, &event);
	expect(done, state->executions);
	expect(before, loaded(&peer, kind));

	for (i = 0; i < 3; i++) {
		if (i) {
			vmm_vcpu_allow(vcpu, 1);
			receive(vcpu, &peer, kind, &event);
		}
		event_continue(&peer, &event);
		vmm_wait_executions(vcpu, ++done);
		if (is_write(kind))
			expect(after, loaded(&peer, kind));
		else
			expect_stored(vcpu, &peer, kind);
	}

	/* Off, by the tool and by the device manager. */
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_DESCRIPTOR, 0);
	vmm_vcpu_allow(vcpu, 2);
	vmm_wait_executions(vcpu, done += 2);
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_DESCRIPTOR, 1);
	expect(0, __hook_event(vm, KVMI_VCPU_EVENT_DESCRIPTOR, 0));
	vmm_vcpu_allow(vcpu, 2);
	vmm_wait_executions(vcpu, done += 2);
	expect(0, __hook_event(vm, KVMI_VCPU_EVENT_DESCRIPTOR, 1));
	vmm_vcpu_allow(vcpu, 2);
	vmm_wait_executions(vcpu, done += 2);
	event_expect_none(&peer);
	hooked_end(vm, &peer);
}

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		test_kind(kinds[i]);
	cell("event:VCPU_EVENT_DESCRIPTOR:sent");
	cell("event:VCPU_EVENT_DESCRIPTOR:CONTINUE");
	cell("event:VCPU_EVENT_DESCRIPTOR:RETRY");
	return 0;
}
