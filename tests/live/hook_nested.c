// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU with a guest of its own. HOOK while it is inside: refused with EBUSY.
 * HOOK while it comes and goes: refused without a trace, or from then on every
 * entry fails as with a bad VMCB, until UNHOOK. User space cannot put a vCPU
 * into its guest either. The guest is a VMRUN of a few instructions, so this
 * needs AMD and nested virtualisation.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../lib/hook.h"
#include "../lib/test.h"

#define VMCB_GPA	0x10000
#define HSAVE_GPA	0x11000
#define TABLE_GPA	0x12000
#define MSR_VM_HSAVE_PA	0xc0010117
#define EFER_SVME	(1 << 12)
#define ROUNDS		30	/* with each of the outcomes */
#define PAUSE_MIN	1000
#define PAUSE_MAX	1000000

/* Offsets in the VMCB (AMD's manual, volume 2, appendix B). */
enum {
	VMCB_INTERCEPT_MISC2 = 0x010,	/* VMRUN must be set, VMMCALL */
	VMCB_ASID = 0x058,
	VMCB_SAVE = 0x400,		/* segments: es cs ss ds fs gs */
	VMCB_EFER = 0x4d0,
	VMCB_CR0 = 0x558,
	VMCB_DR7 = 0x560,
	VMCB_DR6 = 0x568,
	VMCB_RFLAGS = 0x570,
	VMCB_RSP = 0x5d8,
};

static void put(uint8_t *vmcb, int offset, uint64_t value, int size)
{
	memcpy(vmcb + offset, &value, size);
}

/* The guest sets RIP itself. */
static void vmcb_fill(uint8_t *vmcb)
{
	int segment;

	put(vmcb, VMCB_INTERCEPT_MISC2, 3, 4);
	put(vmcb, VMCB_ASID, 1, 4);
	for (segment = 0; segment < 6; segment++) {
		int at = VMCB_SAVE + 16 * segment;

		put(vmcb, at + 2, segment == 1 ? 0x9b : 0x93, 2);
		put(vmcb, at + 4, 0xffff, 4);
	}
	put(vmcb, VMCB_EFER, EFER_SVME, 8);
	put(vmcb, VMCB_CR0, 0x10, 8);
	put(vmcb, VMCB_DR7, 0x400, 8);
	put(vmcb, VMCB_DR6, 0xffff0ff0, 8);
	/* With interrupts off Bochs never leaves it for those of level 1. */
	put(vmcb, VMCB_RFLAGS, 0x202, 8);
	put(vmcb, VMCB_RSP, 0, 8);
}

/* All that KVM can give, and SVM must be in it. */
static void set_cpuid(struct vmm_vcpu *vcpu)
{
	const int room = 256;
	struct kvm_cpuid2 *cpuid;
	bool svm = false;
	uint32_t i;

	cpuid = calloc(1, sizeof(*cpuid) + room * sizeof(cpuid->entries[0]));
	expect_true(cpuid);
	cpuid->nent = room;
	must(ioctl(vcpu->vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid));
	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 0x80000001)
			svm = cpuid->entries[i].ecx & 4;
	if (!svm)
		skip("KVM gives its guests no SVM");
	must(ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid));
	free(cpuid);
}

/* Flat 32-bit protected mode with pages: KVM takes a VMRUN in no other. */
static void set_registers(struct vmm_vcpu *vcpu)
{
	struct kvm_regs regs = {
		.rip = guest_nested.gpa,
		.rflags = 0x202,
		.rax = VMCB_GPA,
		.rbx = HSAVE_GPA,
		.rcx = MSR_VM_HSAVE_PA,
	};
	struct kvm_segment data = {
		.limit = 0xffffffff, .selector = 16, .type = 3, .present = 1,
		.db = 1, .s = 1, .g = 1,
	};
	struct kvm_sregs sregs;
	/* One page of 4 MiB, present and writable, at 0. */
	uint32_t entry = 0x83;

	memcpy(vmm_host(vcpu->vm, TABLE_GPA), &entry, sizeof(entry));
	must(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs));
	sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = data;
	sregs.cs = data;
	sregs.cs.selector = 8;
	sregs.cs.type = 11;
	sregs.cr0 |= 0x80000001;
	sregs.cr3 = TABLE_GPA;
	sregs.cr4 |= 0x10;
	sregs.efer |= EFER_SVME;
	must(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
	must(ioctl(vcpu->fd, KVM_SET_REGS, &regs));
}

static uint32_t read32(struct vmm *vm, uint64_t gpa)
{
	return *(volatile uint32_t *)vmm_host(vm, gpa);
}

static void stay_inside(struct vmm *vm, uint32_t stay)
{
	*(volatile uint32_t *)vmm_host(vm, GUEST_TRIGGER) = stay;
}

static void expect_refused(struct vmm *vm)
{
	struct peer peer;

	expect(-EBUSY, __hook_fd(vm, -1));
	expect(-EBUSY, __hook(vm, &peer));
}

static void expect_entering(struct vmm_vcpu *vcpu)
{
	uint32_t before = read32(vcpu->vm, GUEST_ENTRIES);

	wait_for(read32(vcpu->vm, GUEST_ENTRIES) - before >= 2 ||
		 vcpu->exit_reason || vcpu->error || vcpu->exited);
	expect(0, vcpu->exit_reason);
	expect(0, vcpu->error);
	expect(0, vcpu->exited);
}

/* One entry can have ended and not be counted yet. */
static void expect_failing(struct vmm_vcpu *vcpu)
{
	uint32_t failed = read32(vcpu->vm, GUEST_ENTRIES_FAILED);
	uint32_t entries = read32(vcpu->vm, GUEST_ENTRIES);

	wait_for(read32(vcpu->vm, GUEST_ENTRIES_FAILED) - failed >= 3 ||
		 vcpu->exit_reason || vcpu->error || vcpu->exited);
	expect_true(read32(vcpu->vm, GUEST_ENTRIES) - entries <= 1);
	expect(0, vcpu->exit_reason);
	expect(0, vcpu->error);
	expect(0, vcpu->exited);
}

/*
 * How long a VMRUN takes depends on the machine: be as long outside as inside,
 * about, so that HOOK comes to both.
 */
static void balance(struct vmm *vm, int refused, int hooked)
{
	volatile uint32_t *pause = vmm_host(vm, GUEST_ENTRIES_PAUSE);

	if (refused > hooked && *pause < PAUSE_MAX)
		*pause *= 2;
	else if (refused < hooked && *pause > PAUSE_MIN)
		*pause /= 2;
}

/* An attempt that fails lets no entry fail; one that succeeds, all. */
static void hook_in_motion(struct vmm_vcpu *vcpu)
{
	uint64_t end = now_ms() + DEADLINE_MS;
	int r, refused = 0, hooked = 0;
	uint32_t failed = 0;
	struct peer peer;

	while (refused < ROUNDS || hooked < ROUNDS) {
		expect_true(now_ms() < end);
		balance(vcpu->vm, refused, hooked);
		r = __hook(vcpu->vm, &peer);
		if (r) {
			expect(-EBUSY, r);
			expect(failed, read32(vcpu->vm, GUEST_ENTRIES_FAILED));
			refused++;
			continue;
		}
		hooked++;
		expect_failing(vcpu);
		unhook(vcpu->vm);
		peer_close(&peer);
		expect_entering(vcpu);
		failed = read32(vcpu->vm, GUEST_ENTRIES_FAILED);
	}
	note("HOOK refused %d times, successful %d times", refused, hooked);
}

static struct kvm_nested_state *nested_state(struct vmm_vcpu *vcpu)
{
	const uint32_t size = 16384;
	struct kvm_nested_state *state = calloc(1, size);

	expect_true(state);
	state->size = size;
	must(ioctl(vcpu->fd, KVM_GET_NESTED_STATE, state));
	return state;
}

/* Stops the vCPU inside of its guest, or outside. */
static struct kvm_nested_state *stop(struct vmm_vcpu *vcpu, bool inside)
{
	struct kvm_nested_state *state;
	uint64_t end = now_ms() + DEADLINE_MS;

	stay_inside(vcpu->vm, inside);
	for (;;) {
		vmm_vcpu_stop(vcpu);
		state = nested_state(vcpu);
		if (inside == !!(state->flags & KVM_STATE_NESTED_GUEST_MODE))
			return state;
		free(state);
		expect_true(now_ms() < end);
		vmm_vcpu_start(vcpu);
		sleep_ms(10 + rand() % 20);
	}
}

static int __set_nested_state(struct vmm_vcpu *vcpu,
			      struct kvm_nested_state *state)
{
	return ioctl(vcpu->fd, KVM_SET_NESTED_STATE, state) ? -errno : 0;
}

static void nested_state_is_refused(struct vmm_vcpu *vcpu)
{
	struct kvm_nested_state *inside = stop(vcpu, true), *outside;
	struct peer peer;

	expect_refused(vcpu->vm);
	vmm_vcpu_start(vcpu);
	outside = stop(vcpu, false);

	hook(vcpu->vm, &peer);
	expect(-EBUSY, __set_nested_state(vcpu, inside));
	expect(0, __set_nested_state(vcpu, outside));
	vmm_vcpu_start(vcpu);
	expect_failing(vcpu);
	unhook(vcpu->vm);
	peer_close(&peer);
	expect_entering(vcpu);
	vmm_vcpu_stop(vcpu);
	expect(0, __set_nested_state(vcpu, inside));
	free(inside);
	free(outside);
}

int main(void)
{
	struct vmm *vm = vmm_create(NULL);
	struct vmm_vcpu *vcpu;

	hook_require(vm);
	vcpu = vmm_vcpu_create(vm, 0);
	set_cpuid(vcpu);
	vmm_vcpu_load(vcpu, &guest_nested_inner);
	vmm_vcpu_load(vcpu, &guest_nested);
	set_registers(vcpu);
	vmcb_fill(vmm_host(vm, VMCB_GPA));

	*(uint32_t *)vmm_host(vm, GUEST_ENTRIES_PAUSE) = PAUSE_MAX;

	/* Virtualisation that is merely on is no reason to refuse. */
	hook_expect_usable(vm);

	stay_inside(vm, 1);
	vmm_vcpu_start(vcpu);
	vmm_expect_alive(vcpu);
	expect_refused(vm);
	cell("ioctl:HOOK:EBUSY");
	vmm_expect_alive(vcpu);
	expect(0, read32(vm, GUEST_ENTRIES_FAILED));

	stay_inside(vm, 0);
	expect_entering(vcpu);
	hook_in_motion(vcpu);
	nested_state_is_refused(vcpu);
	vmm_destroy(vm);
	return 0;
}
