// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DESCRIPTOR event and UMIP: what the guest's user mode may not read faults
 * and is no event, watched or not, also where KVM emulates UMIP with the very
 * interception that the event needs.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

#define CR4_UMIP	(1 << 11)
#define GDT_CODE	(GUEST_SELECTOR_TSS + 16 * VMM_VCPUS)
#define GDT_DATA	(GDT_CODE + 8)
#define GDT_LIMIT	(GDT_DATA + 7)
#define TSS		(GUEST_GDT + 0x900)
#define TSS_RSP0	4
#define FILL		0xee

static const uint64_t kinds[] = {
	GUEST_SIDT, GUEST_SGDT, GUEST_SLDT, GUEST_STR,
};

static void set_segment(struct kvm_segment *segment, uint16_t selector)
{
	segment->selector = selector | 3;
	segment->dpl = 3;
}

/* From the next start on; the first time it comes from CPL 0. */
static void set_state(struct vmm_vcpu *vcpu, bool user, bool umip)
{
	struct kvm_sregs sregs;

	must(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs));
	sregs.cr4 &= ~(uint64_t)CR4_UMIP;
	if (umip)
		sregs.cr4 |= CR4_UMIP;
	if (user) {
		set_segment(&sregs.cs, GDT_CODE);
		set_segment(&sregs.ss, GDT_DATA);
	}
	must(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
}

/* What a fault needs to come from user mode to its handler and back. */
static void load_user(struct vmm_vcpu *vcpu)
{
	uint64_t *gdt = vmm_host(vcpu->vm, GUEST_GDT);
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	vmm_user(vcpu->vm);
	gdt[GDT_CODE / 8] = 0x00affb000000ffff;
	gdt[GDT_DATA / 8] = 0x00cff3000000ffff;
	must(ioctl(vcpu->fd, KVM_GET_REGS, &regs));
	memcpy(vmm_host(vcpu->vm, TSS + TSS_RSP0), &regs.rsp, 8);
	must(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs));
	sregs.gdt.limit = GDT_LIMIT;
	sregs.tr.selector = GUEST_SELECTOR_TSS;
	sregs.tr.base = TSS;
	sregs.tr.limit = 0x67;
	must(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
}

static void expect_stored(struct vmm_vcpu *vcpu, uint64_t kind)
{
	volatile struct guest_state *state = vmm_state(vcpu);
	uint8_t want[16];
	uint16_t word;
	uint64_t base = kind == GUEST_SIDT ? GUEST_IDT : GUEST_GDT;

	memset(want, FILL, sizeof(want));
	word = kind == GUEST_SIDT ? 256 * 16 - 1 :
	       kind == GUEST_SGDT ? GDT_LIMIT :
	       kind == GUEST_STR ? GUEST_SELECTOR_TSS : 0;
	memcpy(want, &word, 2);
	if (kind == GUEST_SIDT || kind == GUEST_SGDT)
		memcpy(want + 2, &base, 8);
	expect_bytes(want, (const void *)state->area, sizeof(want));
}

static void expect_refused(struct vmm_vcpu *vcpu)
{
	uint8_t want[16];

	memset(want, FILL, sizeof(want));
	expect_bytes(want, (const void *)vmm_state(vcpu)->area, sizeof(want));
}

/* One execution, of which the tool hears or not, and that faults or not. */
static void execute(struct vmm_vcpu *vcpu, struct peer *peer, uint64_t kind,
		    bool heard, bool refused)
{
	volatile struct guest_state *state = vmm_state(vcpu);
	uint64_t done = state->executions, faults = state->faults;
	struct event event;

	memset((void *)state->area, FILL, sizeof(state->area));
	vmm_vcpu_allow(vcpu, 1);
	if (heard) {
		event_receive(peer, KVMI_VCPU_EVENT_DESCRIPTOR, &event);
		expect(kind - GUEST_DESCRIPTOR, event.descriptor.descriptor);
		expect(0, event.descriptor.write);
		expect(vmm_kind_rip(kind), event.arch.regs.rip);
		expect(done, state->executions);
		expect_refused(vcpu);
		event_continue(peer, &event);
	}
	wait_for(state->executions == done + 1 || vcpu->exit_reason ||
		 vcpu->error || vcpu->exited);
	expect(done + 1, state->executions);
	expect(0, state->wrong);
	expect(faults + refused, state->faults);
	if (refused)
		expect_refused(vcpu);
	else
		expect_stored(vcpu, kind);
}

static void watch(struct peer *peer, uint8_t enable)
{
	vcpu_control_events(peer, 0, KVMI_VCPU_EVENT_DESCRIPTOR, enable);
}

static void change(struct vmm_vcpu *vcpu, bool user, bool umip)
{
	vmm_vcpu_stop(vcpu);
	set_state(vcpu, user, umip);
	vmm_vcpu_start(vcpu);
}

/* Off by the tool, on, off by the device manager, allowed again. */
static void test_switches(struct vmm_vcpu *vcpu, struct peer *peer,
			  uint64_t kind, bool refused)
{
	execute(vcpu, peer, kind, false, refused);
	watch(peer, 1);
	execute(vcpu, peer, kind, !refused, refused);
	watch(peer, 0);
	execute(vcpu, peer, kind, false, refused);
	watch(peer, 1);
	expect(0, __hook_event(vcpu->vm, KVMI_VCPU_EVENT_DESCRIPTOR, 0));
	execute(vcpu, peer, kind, false, refused);
	expect(0, __hook_event(vcpu->vm, KVMI_VCPU_EVENT_DESCRIPTOR, 1));
	execute(vcpu, peer, kind, false, refused);
}

static void test_kind(uint64_t kind)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);

	note("kind %d", (int)kind);
	vmm_vcpu_load_long(vcpu, kind);
	load_user(vcpu);
	set_state(vcpu, false, true);
	vmm_vcpu_start(vcpu);
	note("kernel");
	test_switches(vcpu, &peer, kind, false);
	note("user, UMIP");
	change(vcpu, true, true);
	test_switches(vcpu, &peer, kind, true);
	note("user");
	change(vcpu, true, false);
	test_switches(vcpu, &peer, kind, false);

	/* Either wish comes while the other is there, and goes before it. */
	watch(&peer, 1);
	change(vcpu, true, true);
	execute(vcpu, &peer, kind, false, true);
	change(vcpu, true, false);
	execute(vcpu, &peer, kind, true, false);
	change(vcpu, true, true);
	watch(&peer, 0);
	execute(vcpu, &peer, kind, false, true);
	unhook(vm);
	peer_expect_closed(&peer);
	peer_close(&peer);
	execute(vcpu, &peer, kind, false, true);
	hook(vm, &peer);
	hook_allow_all(vm);
	change(vcpu, true, false);
	execute(vcpu, &peer, kind, false, false);
	event_expect_none(&peer);
	hooked_end(vm, &peer);
}

static void require_umip(void)
{
	struct vmm *vm = vmm_create(NULL);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	struct kvm_sregs sregs;

	vmm_vcpu_load_long(vcpu, GUEST_SIDT);
	must(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs));
	sregs.cr4 |= CR4_UMIP;
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs))
		skip("this KVM has no UMIP for its guests");
	vmm_destroy(vm);
}

int main(void)
{
	size_t i;

	require_umip();
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		test_kind(kinds[i]);
	return 0;
}
