// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that cannot have guests of its own still has the instructions of a
 * hypervisor, and KVM does to memory what they do. It asks before, like the
 * emulator.
 *
 * lab: short
 */
#include <cpuid.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

#define OPERAND		0x100000ull	/* for addresses in memory */
#define REGION		0x101000ull	/* of VMXON */
#define VMCS		0x102000ull
#define PAGE		0x103000ull
#define VALUE		0x1122334455667788ull
#define SYSENTER_ESP	0x6824		/* a field that VMREAD always leaves for */
#define CPUID_SVM	(1 << 2)
#define CPUID_VMX	(1 << 5)
#define EFER_SVME	0x1000
#define CR4_VMXE	0x2000
#define FEATURE_CONTROL	0x3a
#define VMX_BASIC	0x480
#define R		KVMI_PAGE_ACCESS_R
#define W		KVMI_PAGE_ACCESS_W
#define X		KVMI_PAGE_ACCESS_X
#define UNKNOWN		(~0ull)

/* The address is in rdi, the number of a field in rcx, its value in rax. */
#define CODE(name, ...) static const uint8_t name[] = { __VA_ARGS__ }
CODE(vmsave, 0x48, 0x89, 0xf8, 0x0f, 0x01, 0xdb);
CODE(vmload, 0x48, 0x89, 0xf8, 0x0f, 0x01, 0xda);
CODE(vmxon, 0xf3, 0x0f, 0xc7, 0x37);
CODE(vmclear, 0x66, 0x0f, 0xc7, 0x37);
CODE(vmptrld, 0x0f, 0xc7, 0x37);
CODE(vmptrst, 0x0f, 0xc7, 0x3f);
CODE(vmwrite, 0x0f, 0x79, 0xc8);
CODE(vmwrite_memory, 0x0f, 0x79, 0x0f);
CODE(vmread, 0x0f, 0x78, 0x0f);

/* One instruction, and the one access of PAGE that the tool has to hear of. */
struct step {
	const uint8_t *code;
	uint64_t size;
	uint64_t target;
	uint64_t gva;
	uint8_t access;
	bool later;		/* is written when KVM lets go of it */
};

#define STEP(name, ...) { name, sizeof(name), __VA_ARGS__ }

static bool has(unsigned int leaf, unsigned int bit)
{
	unsigned int a, b, c = 0, d;

	__get_cpuid(leaf, &a, &b, &c, &d);
	return c & bit;
}

static uint64_t get_msr(struct vmm_vcpu *vcpu, uint32_t index)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = { .head.nmsrs = 1, .entry.index = index };

	expect(1, ioctl(vcpu->fd, KVM_GET_MSRS, &msrs));
	return msrs.entry.data;
}

static void set_msr(struct vmm_vcpu *vcpu, uint32_t index, uint64_t value)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = {
		.head.nmsrs = 1, .entry.index = index, .entry.data = value,
	};

	expect(1, ioctl(vcpu->fd, KVM_SET_MSRS, &msrs));
}

static void enable(struct vmm_vcpu *vcpu, bool svm)
{
	struct kvm_sregs sregs;
	uint32_t revision;

	if (!svm)
		set_msr(vcpu, FEATURE_CONTROL, 5);
	must(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs));
	if (svm)
		sregs.efer |= EFER_SVME;
	else
		sregs.cr4 |= CR4_VMXE;
	must(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
	if (svm)
		return;
	revision = get_msr(vcpu, VMX_BASIC);
	memcpy(vmm_host(vcpu->vm, REGION), &revision, sizeof(revision));
	memcpy(vmm_host(vcpu->vm, VMCS), &revision, sizeof(revision));
	memcpy(vmm_host(vcpu->vm, PAGE), &revision, sizeof(revision));
}

static struct vmm_vcpu *begin(struct peer *peer, bool svm)
{
	struct vmm *vm = hooked_vmm(NULL, peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);

	vmm_vcpu_load_long(vcpu, GUEST_PAGE);
	enable(vcpu, svm);
	vmm_state(vcpu)->value = VALUE;
	vmm_state(vcpu)->count = SYSENTER_ESP;
	vmm_vcpu_start(vcpu);
	vcpu_control_events(peer, 0, KVMI_VCPU_EVENT_PF, 1);
	return vcpu;
}

static void allow(struct vmm_vcpu *vcpu, const struct step *step)
{
	vmm_page_code(vcpu->vm, step->code, step->size);
	vmm_state(vcpu)->target = step->target;
	vmm_vcpu_allow(vcpu, 1);
}

static void run(struct vmm_vcpu *vcpu, const uint8_t *code, uint64_t size,
		uint64_t target)
{
	const struct step step = { .code = code, .size = size,
				   .target = target };
	uint64_t done = vmm_state(vcpu)->executions;

	allow(vcpu, &step);
	vmm_wait_executions(vcpu, done + 1);
}

#define RUN(vcpu, name, target) run(vcpu, name, sizeof(name), target)

/* VMXON and a current VMCS with a value in its field; they name by memory. */
static void enter_vmx(struct vmm_vcpu *vcpu)
{
	volatile uint64_t *operand = vmm_host(vcpu->vm, OPERAND);

	*operand = REGION;
	RUN(vcpu, vmxon, OPERAND);
	*operand = VMCS;
	RUN(vcpu, vmclear, OPERAND);
	RUN(vcpu, vmptrld, OPERAND);
	RUN(vcpu, vmwrite, OPERAND);
	*operand = PAGE;
}

static void receive(struct vmm_vcpu *vcpu, struct peer *peer,
		    const struct step *step, struct event *event)
{
	event_receive(peer, KVMI_VCPU_EVENT_PF, event);
	expect(PAGE, event->pf.gpa);
	expect(step->gva, event->pf.gva);
	expect(step->access, event->pf.access);
	expect(vmm_state(vcpu)->attempts - 1, vmm_state(vcpu)->executions);
}

static void test_step(struct vmm_vcpu *vcpu, struct peer *peer,
		      const struct step *step)
{
	uint64_t done = vmm_state(vcpu)->executions;
	uint8_t *page = vmm_host(vcpu->vm, PAGE), before[4096];
	struct event event;
	int i;

	note("%02x %02x %02x", step->code[0], step->code[1], step->code[2]);
	expect(0, __vm_set_page_access(peer, PAGE,
				       step->access == W ? R | X : 0));
	for (i = 0; i < 2; i++) {
		/* A VMCS stays one. */
		if (step->access == W)
			memset(page + 4, 0xff, sizeof(before) - 4);
		memcpy(before, page, sizeof(before));
		allow(vcpu, step);
		receive(vcpu, peer, step, &event);
		event_answer(peer, &event, KVMI_EVENT_ACTION_RETRY);
		receive(vcpu, peer, step, &event);
		expect_bytes(before, page, sizeof(before));
		event_continue(peer, &event);
		vmm_wait_executions(vcpu, ++done);
		if (step->access == W && !step->later)
			expect_true(memcmp(before, page, sizeof(before)));
	}
	event_expect_none(peer);
	expect(0, __vm_set_page_access(peer, PAGE, R | W | X));
}

static void test_svm(void)
{
	static const struct step steps[] = {
		STEP(vmsave, PAGE, UNKNOWN, W, false),
		STEP(vmload, PAGE, UNKNOWN, R, false),
	};
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, true);

	test_step(vcpu, &peer, &steps[0]);
	RUN(vcpu, vmsave, PAGE);
	test_step(vcpu, &peer, &steps[1]);
	hooked_end(vcpu->vm, &peer);
}

static void test_vmx(void)
{
	static const struct step steps[] = {
		STEP(vmread, PAGE, PAGE, W, false),
		STEP(vmptrst, PAGE, PAGE, W, false),
		STEP(vmwrite_memory, PAGE, PAGE, R, false),
		STEP(vmclear, OPERAND, UNKNOWN, W, false),
		STEP(vmptrld, OPERAND, UNKNOWN, W, true),
	};
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, false);
	size_t i;

	enter_vmx(vcpu);
	RUN(vcpu, vmread, PAGE);
	expect(VALUE, *(uint64_t *)vmm_host(vcpu->vm, PAGE));
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		test_step(vcpu, &peer, &steps[i]);
	hooked_end(vcpu->vm, &peer);
}

int main(void)
{
	if (has(0x80000001, CPUID_SVM))
		test_svm();
	else if (has(1, CPUID_VMX))
		test_vmx();
	else
		skip("this CPU has neither SVM nor VMX");
	return 0;
}
