// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions that write a part of CR0, and MOV of a value in which only bits
 * differ that the processor would let a guest write: each is one CR event with
 * the whole register, and lands or not as the tool says.
 *
 * lab: short
 */
#include <cpuid.h>

#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

#define MP	0x2
#define TS	0x8
#define AM	0x40000

/* The instruction that is meant comes at the offset. */
static const struct part {
	const char *name;
	uint64_t bit;		/* that it changes */
	uint8_t offset;
	uint8_t size;
	uint8_t code[24];
} parts[] = {
	/* mov %cr0, %rax; xor $bit, %eax; mov %rax, %cr0 */
	{ "mov MP", MP, 6, 9, { 0x0f, 0x20, 0xc0, 0x83, 0xf0, MP,
				0x0f, 0x22, 0xc0 } },
	{ "mov AM", AM, 8, 11, { 0x0f, 0x20, 0xc0, 0x35, 0, 0, 4, 0,
				 0x0f, 0x22, 0xc0 } },
	/* smsw %eax; xor $MP, %eax; lmsw %ax */
	{ "lmsw MP", MP, 6, 9, { 0x0f, 0x01, 0xe0, 0x83, 0xf0, MP,
				 0x0f, 0x01, 0xf0 } },
	{ "mov TS", TS, 6, 9, { 0x0f, 0x20, 0xc0, 0x83, 0xf0, TS,
				0x0f, 0x22, 0xc0 } },
	{ "lmsw TS", TS, 6, 9, { 0x0f, 0x01, 0xe0, 0x83, 0xc8, TS,
				 0x0f, 0x01, 0xf0 } },
	{ "clts", TS, 0, 2, { 0x0f, 0x06 } },
};

static bool is_intel(void)
{
	unsigned int a, b = 0, c, d;

	__get_cpuid(0, &a, &b, &c, &d);
	return b == signature_INTEL_ebx;
}

static uint64_t read_cr0(struct peer *peer)
{
	struct kvmi_vcpu_get_registers_reply reply;

	vcpu_get_registers(peer, 0, &reply);
	return reply.sregs.cr0;
}

static void receive(struct vmm_vcpu *vcpu, struct peer *peer,
		    const struct part *part, struct event *event)
{
	event_receive(peer, KVMI_VCPU_EVENT_CR, event);
	expect(0, event->cr.cr);
	expect(event->arch.sregs.cr0, event->cr.old_value);
	expect(event->cr.old_value ^ part->bit, event->cr.new_value);
	expect(vmm_kind_rip(GUEST_PAGE) + part->offset, event->arch.regs.rip);
	expect(vmm_state(vcpu)->attempts - 1, vmm_state(vcpu)->executions);
}

static void test_part(struct vmm_vcpu *vcpu, struct peer *peer,
		      const struct part *part)
{
	uint64_t done = vmm_state(vcpu)->executions, before = read_cr0(peer);
	struct event event;

	note("%s", part->name);
	vmm_page_code(vcpu->vm, part->code, part->size);
	vmm_vcpu_allow(vcpu, 1);
	receive(vcpu, peer, part, &event);
	expect(before, event.cr.old_value);
	event_answer_data(peer, &event, KVMI_EVENT_ACTION_CONTINUE, &before,
			  sizeof(before));
	vmm_wait_executions(vcpu, done + 1);
	expect(before, read_cr0(peer));

	vmm_vcpu_allow(vcpu, 1);
	receive(vcpu, peer, part, &event);
	event_continue(peer, &event);
	vmm_wait_executions(vcpu, done + 2);
	expect(before ^ part->bit, read_cr0(peer));
	event_expect_none(peer);
}

/* The processor's own: no exit, so no event. */
static void test_silent(struct vmm_vcpu *vcpu, struct peer *peer,
			const struct part *part)
{
	uint64_t done = vmm_state(vcpu)->executions, before = read_cr0(peer);

	note("%s, silent", part->name);
	vmm_page_code(vcpu->vm, part->code, part->size);
	vmm_vcpu_allow(vcpu, 1);
	vmm_wait_executions(vcpu, done + 1);
	expect(before ^ part->bit, read_cr0(peer));
	event_expect_none(peer);
}

static void run_quietly(struct vmm_vcpu *vcpu, struct peer *peer,
			const struct part *part)
{
	uint64_t done = vmm_state(vcpu)->executions;

	kind_control(peer, 0, GUEST_CR0, 0);
	vmm_page_code(vcpu->vm, part->code, part->size);
	vmm_vcpu_allow(vcpu, 1);
	vmm_wait_executions(vcpu, done + 1);
	kind_control(peer, 0, GUEST_CR0, 1);
}

int main(void)
{
	const struct part *part, *end = parts + sizeof(parts) / sizeof(*parts);
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);

	vmm_vcpu_load_long(vcpu, GUEST_PAGE);
	vmm_vcpu_start(vcpu);
	kind_control(&peer, 0, GUEST_CR0, 1);
	for (part = parts; part < end; part++) {
		if (part->bit == TS && is_intel())
			test_silent(vcpu, &peer, part);
		else
			test_part(vcpu, &peer, part);
		/* LMSW then finds TS off, and CLTS on. */
		if (part->bit == TS && part->offset && part + 2 < end)
			run_quietly(vcpu, &peer, end - 1);
	}
	hooked_end(vm, &peer);
	return 0;
}
