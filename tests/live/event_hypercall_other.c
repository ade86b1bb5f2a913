// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hypercalls by the other vendor's instruction: they raise HYPERCALL like the
 * others, KVM's own work, and the guest's text stays as it is while a tool
 * watches. Without one, or when user space has switched the repair off, all is
 * as KVM has it.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "../lib/event.h"
#include "../lib/test.h"

#define OURS		34
#define UNKNOWN		0x4711
#define POLL_IRQ	1	/* KVM_HC_VAPIC_POLL_IRQ, which does nothing */
#define UD_VECTOR	6
#define ROUNDS		12
#define TEXT		0x60000ull

#ifndef KVM_X86_QUIRK_FIX_HYPERCALL_INSN
#define KVM_X86_QUIRK_FIX_HYPERCALL_INSN	(1 << 5)
#endif

static uint8_t text[3];

static void expect_text(struct vmm *vm, struct peer *peer)
{
	uint64_t gpa = vmm_kind_rip(GUEST_OTHER_CALL);
	uint8_t now[3];

	expect(0, __peer_read(peer, gpa, now, sizeof(now)));
	expect_bytes(text, now, sizeof(now));
	expect_bytes(text, vmm_host(vm, gpa), sizeof(now));
}

static struct vmm_vcpu *begin(struct vmm *vm)
{
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);

	vmm_vcpu_load_long(vcpu, GUEST_OTHER_CALL);
	vmm_vcpu_start_timer(vcpu);
	memcpy(text, vmm_host(vm, vmm_kind_rip(GUEST_OTHER_CALL)), 3);
	return vcpu;
}

static void call(struct vmm_vcpu *vcpu, uint64_t nr)
{
	vmm_state(vcpu)->call = nr;
	vmm_vcpu_allow(vcpu, 1);
}

static void kick(struct vmm_vcpu *vcpu)
{
	vmm_vcpu_stop(vcpu);
	vmm_vcpu_start(vcpu);
}

static void answer(struct vmm_vcpu *vcpu, struct peer *peer, int n)
{
	struct kvm_regs regs;
	struct event event;

	event_receive(peer, KVMI_VCPU_EVENT_HYPERCALL, &event);
	expect(vmm_kind_rip(GUEST_OTHER_CALL), event.arch.regs.rip);
	expect(OURS, event.arch.regs.rax);
	expect(24, event.arch.regs.rdi);
	/* With registers, and over a return to user space. */
	regs = event.arch.regs;
	regs.r15 = 1;
	if (n & 1)
		vcpu_set_registers(peer, 0, &regs);
	if (n & 2)
		kick(vcpu);
	event_continue(peer, &event);
}

static void test_hooked(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = begin(vm);
	volatile struct guest_state *state = vmm_state(vcpu);
	int n, done = 0;

	vmm_vcpu_start(vcpu);
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_HYPERCALL, 1);
	for (n = 0; n < ROUNDS; n++) {
		call(vcpu, OURS);
		answer(vcpu, &peer, n);
		vmm_wait_executions(vcpu, ++done);
		expect(0, state->result);
		expect((n + 1) / 2, state->marks);

		call(vcpu, UNKNOWN + n);
		vmm_wait_executions(vcpu, ++done);
		expect(-KVM_ENOSYS, state->result);
		call(vcpu, POLL_IRQ);
		vmm_wait_executions(vcpu, ++done);
		expect(0, state->result);
		expect_text(vm, &peer);
	}
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_HYPERCALL, 0);
	call(vcpu, OURS);
	vmm_wait_executions(vcpu, ++done);
	expect(-KVM_ENOSYS, state->result);
	expect_text(vm, &peer);
	event_expect_none(&peer);

	/* The tool is gone: KVM does what it always does. */
	unhook(vm);
	call(vcpu, POLL_IRQ);
	vmm_wait_executions(vcpu, ++done);
	expect(0, state->result);
	expect_true(memcmp(text, vmm_host(vm,
					  vmm_kind_rip(GUEST_OTHER_CALL)), 3));
	peer_close(&peer);
	vmm_destroy(vm);
}

/* The next event is of a fetch there, and the fetch may happen. */
static void let_fetch(struct peer *peer, uint64_t rip)
{
	struct event event;

	event_receive(peer, KVMI_VCPU_EVENT_PF, &event);
	expect(KVMI_PAGE_ACCESS_X, event.pf.access);
	expect(rip, event.pf.gva);
	expect(rip, event.arch.regs.rip);
	event_continue(peer, &event);
}

/*
 * In a page that may not be written, or not be executed, the instruction and
 * its fetch are all that there is to hear of.
 */
static void test_restricted(uint8_t access)
{
	static const uint8_t call_rdi[] = { 0xff, 0xd7 };
	static const uint8_t set_rdi[] = { 0xbf, 24, 0, 0, 0 };
	bool executable = access & KVMI_PAGE_ACCESS_X;
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = begin(vm);
	uint8_t *code = vmm_host(vm, TEXT);
	struct event event;

	note("in a page with access %d", access);
	vmm_page_code(vm, call_rdi, sizeof(call_rdi));
	memcpy(code, set_rdi, 5);
	memcpy(code + 5, text, 3);
	code[8] = 0xc3;
	vmm_state(vcpu)->kind = GUEST_PAGE;
	vmm_state(vcpu)->target = TEXT;
	vmm_state(vcpu)->value = OURS;
	vmm_vcpu_start(vcpu);
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_HYPERCALL, 1);
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_PF, 1);
	expect(0, __vm_set_page_access(&peer, TEXT, access));
	vmm_vcpu_allow(vcpu, 1);
	if (!executable) {
		let_fetch(&peer, TEXT);
		let_fetch(&peer, TEXT + 5);
	}
	event_receive(&peer, KVMI_VCPU_EVENT_HYPERCALL, &event);
	expect(TEXT + 5, event.arch.regs.rip);
	expect_bytes(text, code + 5, 3);
	event_continue(&peer, &event);
	if (!executable)
		let_fetch(&peer, TEXT + 8);
	vmm_wait_executions(vcpu, 1);
	expect(0, vmm_state(vcpu)->result);
	expect_bytes(text, code + 5, 3);
	event_expect_none(&peer);
	hooked_end(vm, &peer);
}

/* #UD, hooked or not. */
static void test_quirk_off(void)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_DISABLE_QUIRKS2,
		.args = { KVM_X86_QUIRK_FIX_HYPERCALL_INSN },
	};
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu;

	note("no repair");
	must(ioctl(vm->fd, KVM_ENABLE_CAP, &cap));
	vcpu = begin(vm);
	vmm_catch(vm);
	vmm_vcpu_start(vcpu);
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_HYPERCALL, 1);
	call(vcpu, OURS);
	wait_for(vmm_state(vcpu)->caught[UD_VECTOR] > 2);
	expect(vmm_kind_rip(GUEST_OTHER_CALL),
	       vmm_state(vcpu)->rip[UD_VECTOR]);
	expect_text(vm, &peer);
	event_expect_none(&peer);
	expect(0, vmm_state(vcpu)->executions);
	hooked_end(vm, &peer);
}

int main(void)
{
	test_hooked();
	test_restricted(KVMI_PAGE_ACCESS_R | KVMI_PAGE_ACCESS_X);
	test_restricted(KVMI_PAGE_ACCESS_R | KVMI_PAGE_ACCESS_W);
	test_quirk_off();
	return 0;
}
