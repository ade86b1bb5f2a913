// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page that can be executed and not read, where the processor's tables can
 * say so; refused where they cannot.
 */
#include <string.h>

#include "../lib/event.h"
#include "../lib/hook.h"
#include "../lib/test.h"

#define PAGE	0x50000ull
#define RET	0xc3
#define R	KVMI_PAGE_ACCESS_R
#define X	KVMI_PAGE_ACCESS_X

/* call *rdi; mov (rdi), rax; call *rdi */
static const uint8_t code[] = { 0xff, 0xd7, 0x48, 0x8b, 0x07, 0xff, 0xd7 };

#define LOAD_AT	2

static void test_read(struct vmm_vcpu *vcpu, struct peer *peer)
{
	struct event event;
	int i;

	for (i = 1; i <= 3; i++) {
		vmm_vcpu_allow(vcpu, 1);
		event_receive(peer, KVMI_VCPU_EVENT_PF, &event);
		expect(vmm_kind_rip(GUEST_PAGE) + LOAD_AT,
		       event.arch.regs.rip);
		expect(PAGE, event.pf.gpa);
		expect(VMM_ALIAS + PAGE, event.pf.gva);
		expect(R, event.pf.access);
		event_continue(peer, &event);
		vmm_wait_executions(vcpu, i);
	}
	event_expect_none(peer);
}

int main(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	int r;

	vmm_vcpu_load_long(vcpu, GUEST_PAGE);
	vmm_page_code(vm, code, sizeof(code));
	vmm_state(vcpu)->target = VMM_ALIAS + PAGE;
	memset(vmm_host(vm, PAGE), RET, 4096);
	vmm_vcpu_start(vcpu);
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_PF, 1);
	r = __vm_set_page_access(&peer, PAGE, X);
	if (r) {
		expect(-KVM_EINVAL, r);
		note("this processor has no such pages");
		vmm_vcpu_allow(vcpu, 1);
		vmm_wait_executions(vcpu, 1);
		event_expect_none(&peer);
	} else {
		expect_true(vmm_is_intel());
		test_read(vcpu, &peer);
	}
	hooked_end(vm, &peer);
	return 0;
}
