// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PF event of instructions that KVM's emulator does not have: the processor
 * executes them once the tool agrees, with the page closed to all others and to
 * what comes next.
 */
#include <string.h>

#include "../lib/event.h"
#include "../lib/hook.h"
#include "../lib/test.h"
#include "../lib/trace.h"

#define PAGE		0x50000ull
#define SIZE		(2 * 4096)
#define R		KVMI_PAGE_ACCESS_R
#define W		KVMI_PAGE_ACCESS_W
#define X		KVMI_PAGE_ACCESS_X
#define FILL		0x5a

/* Where rdi points to; the store begins some bytes behind the code's start. */
static const struct unknown {
	const char *name;
	uint16_t offset;	/* in the page, of the store */
	uint16_t length;	/* bytes stored */
	bool decoded;		/* the emulator finds the operand */
	uint8_t before;		/* bytes of code before the store */
	uint8_t size;
	uint8_t code[24];
} unknowns[] = {
	{ "fstp", 0x120, 8, false, 2, 4, { 0xd9, 0xe8, 0xdd, 0x1f } },
	{ "fnsave", 0x200, 108, false, 0, 2, { 0xdd, 0x37 } },
	{ "movhps", 0x128, 8, false, 0, 3, { 0x0f, 0x17, 0x07 } },
	/* With rdx:rax = 0x5a.., rcx:rbx = rsi:rsi. */
	{ "cmpxchg16b", 0x130, 16, true, 15, 20, {
		0x48, 0x8b, 0x07, 0x48, 0x8b, 0x57, 0x08, 0x48, 0x89, 0xf3,
		0x48, 0x89, 0xf1, 0x90, 0x90, 0xf0, 0x48, 0x0f, 0xc7, 0x0f } },
	{ "movhps across", 0xffc, 8, false, 0, 3, { 0x0f, 0x17, 0x07 } },
	{ "fnsave across", 0xfc0, 108, false, 0, 2, { 0xdd, 0x37 } },
};

static bool crosses(const struct unknown *u)
{
	return u->offset + u->length > 4096;
}

static uint8_t *host(struct vmm_vcpu *vcpu)
{
	return vmm_host(vcpu->vm, PAGE);
}

/* The bytes from gpa on. */
static bool is_untouched(struct vmm_vcpu *vcpu, uint64_t gpa)
{
	const volatile uint8_t *byte = host(vcpu);
	int i;

	for (i = gpa - PAGE; i < SIZE; i++)
		if (byte[i] != FILL)
			return false;

	return true;
}

/* Something of it, and nothing around it. */
static void expect_stored(struct vmm_vcpu *vcpu, const struct unknown *u)
{
	const volatile uint8_t *byte = host(vcpu);
	int i, changed = 0;

	for (i = 0; i < SIZE; i++) {
		if (byte[i] == FILL)
			continue;
		expect_true(i >= u->offset && i < u->offset + u->length);
		changed++;
	}
	expect_true(changed);
	if (!crosses(u))
		return;
	expect_true(byte[u->offset] != FILL);
	expect_true(byte[4096] != FILL);
}

static struct vmm_vcpu *begin(struct peer *peer, const struct unknown *u)
{
	struct vmm *vm = hooked_vmm(NULL, peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);

	vmm_vcpu_load_long(vcpu, GUEST_PAGE);
	vmm_page_code(vm, u->code, u->size);
	vmm_state(vcpu)->target = VMM_ALIAS + PAGE + u->offset;
	vmm_state(vcpu)->source = 0x1122334455667788;
	memset(host(vcpu), FILL, SIZE);
	vmm_vcpu_start(vcpu);
	vcpu_control_events(peer, 0, KVMI_VCPU_EVENT_PF, 1);
	expect(0, __vm_set_page_access(peer, PAGE, R));
	expect(0, __vm_set_page_access(peer, PAGE + 4096, R));
	return vcpu;
}

/*
 * A long store may come in pieces: what has been agreed to can be there when
 * the tool is asked for the next page, which is closed.
 */
static void receive(struct vmm_vcpu *vcpu, struct peer *peer,
		    const struct unknown *u, uint64_t gpa, uint64_t closed,
		    struct event *event)
{
	/* Intel's processors tell it. */
	bool known = u->decoded || vmm_is_intel();
	uint64_t gva = known ? VMM_ALIAS + gpa : ~0ull;

	event_receive(peer, KVMI_VCPU_EVENT_PF, event);
	expect(gpa, event->pf.gpa);
	expect(gva, event->pf.gva);
	expect(W, event->pf.access);
	expect(vmm_kind_rip(GUEST_PAGE) + u->before, event->arch.regs.rip);
	expect_true(is_untouched(vcpu, closed));
	expect(vmm_state(vcpu)->attempts - 1, vmm_state(vcpu)->executions);
}

/* The first page comes first, on every processor that we have met. */
static void answer_all(struct vmm_vcpu *vcpu, struct peer *peer,
		       const struct unknown *u)
{
	struct event event;

	receive(vcpu, peer, u, PAGE + u->offset, PAGE, &event);
	event_continue(peer, &event);
	if (!crosses(u))
		return;
	receive(vcpu, peer, u, PAGE + 4096, PAGE + 4096, &event);
	event_continue(peer, &event);
}

static void expect_counters(struct vmm *vm, bool switched)
{
	char path[256];

	counters_find(vm, path, sizeof(path));
	expect(counter_read(path, "zaps"), counter_read(path, "zap_flushes"));
	expect(counter_read(path, "view_switches"),
	       counter_read(path, "view_flushes"));
	expect(switched, !!counter_read(path, "view_switches"));
}

static void test_continue(const struct unknown *u)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, u);
	int i;

	for (i = 1; i <= 3; i++) {
		vmm_vcpu_allow(vcpu, 1);
		answer_all(vcpu, &peer, u);
		vmm_wait_executions(vcpu, i);
		expect_stored(vcpu, u);
		memset(host(vcpu), FILL, SIZE);
	}
	event_expect_none(&peer);
	expect_counters(vcpu->vm, true);
	hooked_end(vcpu->vm, &peer);
}

static void test_retry(const struct unknown *u)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, u);
	struct kvm_regs regs;
	struct event event;

	vmm_vcpu_allow(vcpu, 1);
	receive(vcpu, &peer, u, PAGE + u->offset, PAGE, &event);
	event_answer(&peer, &event, KVMI_EVENT_ACTION_RETRY);
	receive(vcpu, &peer, u, PAGE + u->offset, PAGE, &event);
	regs = event.arch.regs;
	regs.rip += u->size - u->before;
	vcpu_set_registers(&peer, 0, &regs);
	event_answer(&peer, &event, KVMI_EVENT_ACTION_RETRY);
	vmm_wait_executions(vcpu, 1);
	expect_true(is_untouched(vcpu, PAGE));
	expect_counters(vcpu->vm, false);
	hooked_end(vcpu->vm, &peer);
}

/* Denied half-way: the first page has been agreed to. */
static void test_half(const struct unknown *u)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, u);
	struct event event;

	vmm_vcpu_allow(vcpu, 1);
	receive(vcpu, &peer, u, PAGE + u->offset, PAGE, &event);
	event_continue(&peer, &event);
	receive(vcpu, &peer, u, PAGE + 4096, PAGE + 4096, &event);
	event_answer(&peer, &event, KVMI_EVENT_ACTION_RETRY);
	receive(vcpu, &peer, u, PAGE + u->offset, PAGE + 4096, &event);
	expect(0, __vm_set_page_access(&peer, PAGE, R | W | X));
	expect(0, __vm_set_page_access(&peer, PAGE + 4096, R | W | X));
	event_answer(&peer, &event, KVMI_EVENT_ACTION_RETRY);
	vmm_wait_executions(vcpu, 1);
	expect_stored(vcpu, u);
	event_expect_none(&peer);
	hooked_end(vcpu->vm, &peer);
}

/* The instruction behind it finds the page closed, and the next one as well. */
static void test_closed(void)
{
	static const uint8_t code[] = {
		0xd9, 0xe8, 0xdd, 0x1f,			/* fld1; fstp (rdi) */
		0x48, 0x89, 0x47, 0x10,			/* mov rax, 16(rdi) */
		0xd9, 0xe8, 0xdd, 0x5f, 0x20,		/* fstp 32(rdi) */
	};
	static const struct { uint8_t rip, offset; } stores[] = {
		{ 2, 0 }, { 4, 0x10 }, { 10, 0x20 },
	};
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, &unknowns[0]);
	struct event event;
	unsigned int i;

	vmm_page_code(vcpu->vm, code, sizeof(code));
	vmm_vcpu_allow(vcpu, 1);
	for (i = 0; i < 3; i++) {
		event_receive(&peer, KVMI_VCPU_EVENT_PF, &event);
		expect(vmm_kind_rip(GUEST_PAGE) + stores[i].rip,
		       event.arch.regs.rip);
		expect(PAGE + unknowns[0].offset + stores[i].offset,
		       event.pf.gpa);
		event_continue(&peer, &event);
	}
	vmm_wait_executions(vcpu, 1);
	event_expect_none(&peer);
	hooked_end(vcpu->vm, &peer);
}

int main(void)
{
	size_t i;

	step_require();
	for (i = 0; i < sizeof(unknowns) / sizeof(unknowns[0]); i++) {
		note("%s", unknowns[i].name);
		test_continue(&unknowns[i]);
		test_retry(&unknowns[i]);
		if (crosses(&unknowns[i]))
			test_half(&unknowns[i]);
	}
	test_closed();
	return 0;
}
