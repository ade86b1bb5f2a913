// SPDX-License-Identifier: GPL-2.0-only
/*
 * The addresses in PF events of instructions with more than one access, or with
 * one that goes into the next page: each event tells of its own access, by the
 * guest's address and by the physical one, and the guest's memory is as the
 * instruction leaves it.
 *
 * lab: short
 */
#include <string.h>

#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

#define PAGE		0x60000ull	/* of four */
#define SIZE		0x4000ull
#define GVA(gpa)	(VMM_ALIAS + (gpa))
#define VALUE		0x1122334455667788ull
#define R		KVMI_PAGE_ACCESS_R
#define W		KVMI_PAGE_ACCESS_W
#define X		KVMI_PAGE_ACCESS_X
#define ALL		(R | W | X)
#define RET		0xc3

#define CODE(name, ...) static const uint8_t name[] = { __VA_ARGS__ }
CODE(store, 0x48, 0x89, 0x07);			/* mov %rax, (%rdi) */
CODE(load, 0x48, 0x8b, 0x07);			/* mov (%rdi), %rax */
CODE(add, 0x48, 0x01, 0x07);			/* add %rax, (%rdi) */
CODE(lock_add, 0xf0, 0x48, 0x01, 0x07);		/* lock add %rax, (%rdi) */
CODE(bts, 0x48, 0x0f, 0xab, 0x07);		/* bts %rax, (%rdi) */
CODE(rep_movs, 0xf3, 0x48, 0xa5);		/* rep movsq */
CODE(movs, 0x48, 0xa5);				/* movsq */
CODE(call, 0xff, 0xd7);				/* call *%rdi */
/* push %rax and push (%rsi), on a stack at %rdi */
CODE(push, 0x48, 0x89, 0xe1, 0x48, 0x89, 0xfc, 0x50, 0x48, 0x89, 0xcc);
static const uint8_t push_memory[] = {
	0x48, 0x89, 0xe1, 0x48, 0x89, 0xfc, 0xff, 0x36, 0x48, 0x89, 0xcc,
};

/* After mov %rsp, %rcx and mov %rdi, %rsp; mov %rcx, %rsp comes behind. */
#define PUSH	6

struct vm {
	struct peer peer;
	struct vmm_vcpu *vcpu;
	volatile struct guest_state *state;
	uint64_t rip;			/* of the instruction that is meant */
};

static void begin(struct vm *vm, const uint8_t *code, size_t size)
{
	struct vmm *vmm = hooked_vmm(NULL, &vm->peer);

	vm->vcpu = vmm_vcpu_create(vmm, 0);
	vm->state = vmm_state(vm->vcpu);
	vmm_vcpu_load_long(vm->vcpu, GUEST_PAGE);
	vmm_page_code(vmm, code, size);
	vm->rip = vmm_kind_rip(GUEST_PAGE);
	vm->state->value = VALUE;
	memset(vmm_host(vmm, PAGE), 0, SIZE);
	vmm_vcpu_start(vm->vcpu);
	vcpu_control_events(&vm->peer, 0, KVMI_VCPU_EVENT_PF, 1);
}

#define BEGIN(vm, code) begin(vm, code, sizeof(code))

static void end(struct vm *vm)
{
	event_expect_none(&vm->peer);
	hooked_end(vm->vcpu->vm, &vm->peer);
}

static void restrict_page(struct vm *vm, uint64_t gpa, uint8_t access)
{
	expect(0, __vm_set_page_access(&vm->peer, gpa, access));
}

static void *host(struct vm *vm, uint64_t gpa)
{
	return vmm_host(vm->vcpu->vm, gpa);
}

static uint64_t word(struct vm *vm, uint64_t gpa)
{
	uint64_t value;

	memcpy(&value, host(vm, gpa), sizeof(value));
	return value;
}

static void put_word(struct vm *vm, uint64_t gpa, uint64_t value)
{
	memcpy(host(vm, gpa), &value, sizeof(value));
}

static void allow(struct vm *vm, uint64_t target, uint64_t source,
		  uint64_t count)
{
	vm->state->target = target;
	vm->state->source = source;
	vm->state->count = count;
	vmm_vcpu_allow(vm->vcpu, 1);
}

static void receive(struct vm *vm, uint64_t gpa, uint8_t access,
		    struct event *event)
{
	event_receive(&vm->peer, KVMI_VCPU_EVENT_PF, event);
	expect(gpa, event->pf.gpa);
	expect(GVA(gpa), event->pf.gva);
	expect(access, event->pf.access);
	expect(vm->rip, event->arch.regs.rip);
	expect(vm->state->attempts - 1, vm->state->executions);
}

/* One event of the instruction, which then goes on. */
static void one(struct vm *vm, uint64_t gpa, uint8_t access)
{
	struct event event;

	receive(vm, gpa, access, &event);
	event_continue(&vm->peer, &event);
}

static void done(struct vm *vm)
{
	vmm_wait_executions(vm->vcpu, vm->state->attempts);
}

static void test_mov(void)
{
	struct vm vm;

	BEGIN(&vm, store);
	restrict_page(&vm, PAGE, R | X);
	allow(&vm, GVA(PAGE + 0x7f8), 0, 0);
	one(&vm, PAGE + 0x7f8, W);
	done(&vm);
	expect(VALUE, word(&vm, PAGE + 0x7f8));
	end(&vm);

	BEGIN(&vm, load);
	put_word(&vm, PAGE + 0x7f8, 4711);
	restrict_page(&vm, PAGE, 0);
	allow(&vm, GVA(PAGE + 0x7f8), 0, 0);
	one(&vm, PAGE + 0x7f8, R);
	done(&vm);
	expect(4711, vm.state->result);
	end(&vm);
}

/* The value is below where rdi and, for the time, rsp point. */
static void test_push(void)
{
	struct vm vm;

	BEGIN(&vm, push);
	vm.rip += PUSH;
	restrict_page(&vm, PAGE, R | X);
	allow(&vm, GVA(PAGE + 0x1000), 0, 0);
	one(&vm, PAGE + 0xff8, W);
	done(&vm);
	expect(VALUE, word(&vm, PAGE + 0xff8));
	end(&vm);
}

/* One instruction, two pages and two kinds of access. */
static void test_push_memory(void)
{
	struct vm vm;

	BEGIN(&vm, push_memory);
	vm.rip += PUSH;
	put_word(&vm, PAGE + 0x2010, 4711);
	restrict_page(&vm, PAGE, R | X);
	restrict_page(&vm, PAGE + 0x2000, 0);
	allow(&vm, GVA(PAGE + 0x1000), GVA(PAGE + 0x2010), 0);
	one(&vm, PAGE + 0x2010, R);
	one(&vm, PAGE + 0xff8, W);
	done(&vm);
	expect(4711, word(&vm, PAGE + 0xff8));
	end(&vm);
}

static void test_movs(void)
{
	struct vm vm;

	BEGIN(&vm, movs);
	put_word(&vm, PAGE + 0x2010, 4711);
	restrict_page(&vm, PAGE, R | X);
	restrict_page(&vm, PAGE + 0x2000, 0);
	allow(&vm, GVA(PAGE + 0x100), GVA(PAGE + 0x2010), 0);
	one(&vm, PAGE + 0x2010, R);
	one(&vm, PAGE + 0x100, W);
	done(&vm);
	expect(4711, word(&vm, PAGE + 0x100));
	end(&vm);
}

/* Reading and writing are two accesses, if both are missing. */
static void test_add(const uint8_t *code, size_t size, uint64_t want)
{
	struct vm vm;

	begin(&vm, code, size);
	put_word(&vm, PAGE + 0x18, 1);
	restrict_page(&vm, PAGE, R);
	allow(&vm, GVA(PAGE + 0x18), 0, 0);
	one(&vm, PAGE + 0x18, W);
	done(&vm);
	expect(want, word(&vm, PAGE + 0x18));

	put_word(&vm, PAGE + 0x18, 1);
	restrict_page(&vm, PAGE, 0);
	allow(&vm, GVA(PAGE + 0x18), 0, 0);
	one(&vm, PAGE + 0x18, R);
	one(&vm, PAGE + 0x18, W);
	done(&vm);
	expect(want, word(&vm, PAGE + 0x18));
	end(&vm);
}

/* The bit is in a word far from where rdi points. */
static void test_bts(void)
{
	struct vm vm;

	BEGIN(&vm, bts);
	vm.state->value = 0x1000 * 8 + 64 * 3 + 5;
	restrict_page(&vm, PAGE + 0x1000, R);
	allow(&vm, GVA(PAGE + 0x20), 0, 0);
	one(&vm, PAGE + 0x1000 + 0x20 + 3 * 8, W);
	done(&vm);
	expect(1 << 5, word(&vm, PAGE + 0x1038));
	end(&vm);
}

static void test_rep(uint64_t restricted, uint64_t from, int first, int last)
{
	const int count = 10;
	struct vm vm;
	int i;

	BEGIN(&vm, rep_movs);
	for (i = 0; i < count; i++)
		put_word(&vm, PAGE + 0x2008 + 8 * i, 100 + i);
	restrict_page(&vm, restricted, R | X);
	allow(&vm, GVA(from), GVA(PAGE + 0x2008), count);
	for (i = first; i <= last; i++) {
		struct event event;

		receive(&vm, from + 8 * i, W, &event);
		expect(GVA(from + 8 * i), event.arch.regs.rdi);
		expect(GVA(PAGE + 0x2008 + 8 * i), event.arch.regs.rsi);
		expect(count - i, event.arch.regs.rcx);
		expect(0, word(&vm, from + 8 * i));
		if (i)
			expect(100 + i - 1, word(&vm, from + 8 * (i - 1)));
		event_continue(&vm.peer, &event);
	}
	done(&vm);
	for (i = 0; i < count; i++)
		expect(100 + i, word(&vm, from + 8 * i));
	end(&vm);
}

/* Denied in the middle: what is before has landed, what is behind has not. */
static void test_rep_denied(void)
{
	struct kvm_regs regs;
	struct event event;
	struct vm vm;
	int i;

	BEGIN(&vm, rep_movs);
	for (i = 0; i < 10; i++)
		put_word(&vm, PAGE + 0x2008 + 8 * i, 100 + i);
	restrict_page(&vm, PAGE, R | X);
	allow(&vm, GVA(PAGE + 0x10), GVA(PAGE + 0x2008), 10);
	for (i = 0; i < 4; i++)
		one(&vm, PAGE + 0x10 + 8 * i, W);
	receive(&vm, PAGE + 0x10 + 8 * 4, W, &event);
	regs = event.arch.regs;
	regs.rip += sizeof(rep_movs);
	vcpu_set_registers(&vm.peer, 0, &regs);
	event_answer(&vm.peer, &event, KVMI_EVENT_ACTION_RETRY);
	done(&vm);
	for (i = 0; i < 10; i++)
		expect(i < 4 ? 100 + i : 0, word(&vm, PAGE + 0x10 + 8 * i));
	end(&vm);
}

/* 3 bytes in the first page, 5 in the second. */
#define CROSSES	(PAGE + 0xffd)

static void test_crossing(const uint8_t *code, size_t size, uint64_t want)
{
	struct vm vm;

	note("into the next page: %02x %02x", code[0], code[1]);
	begin(&vm, code, size);
	put_word(&vm, CROSSES, 1);
	restrict_page(&vm, PAGE, R | X);
	restrict_page(&vm, PAGE + 0x1000, R | X);
	allow(&vm, GVA(CROSSES), 0, 0);
	one(&vm, CROSSES, W);
	expect(1, word(&vm, CROSSES));
	one(&vm, PAGE + 0x1000, W);
	done(&vm);
	expect(want, word(&vm, CROSSES));

	/* The second one alone, and the first one alone. */
	put_word(&vm, CROSSES, 1);
	restrict_page(&vm, PAGE, ALL);
	allow(&vm, GVA(CROSSES), 0, 0);
	one(&vm, PAGE + 0x1000, W);
	done(&vm);
	expect(want, word(&vm, CROSSES));

	put_word(&vm, CROSSES, 1);
	restrict_page(&vm, PAGE, R | X);
	restrict_page(&vm, PAGE + 0x1000, ALL);
	allow(&vm, GVA(CROSSES), 0, 0);
	one(&vm, CROSSES, W);
	done(&vm);
	expect(want, word(&vm, CROSSES));
	end(&vm);
}

static void test_crossing_load(void)
{
	struct vm vm;

	BEGIN(&vm, load);
	put_word(&vm, CROSSES, VALUE + 1);
	restrict_page(&vm, PAGE, 0);
	restrict_page(&vm, PAGE + 0x1000, 0);
	allow(&vm, GVA(CROSSES), 0, 0);
	one(&vm, CROSSES, R);
	one(&vm, PAGE + 0x1000, R);
	done(&vm);
	expect(VALUE + 1, vm.state->result);
	end(&vm);
}

/*
 * The first page is restricted while the tool thinks of the second: its reply
 * comes after that of VM_SET_PAGE_ACCESS, so nothing may land unasked.
 */
static void test_crossing_meanwhile(void)
{
	struct event event;
	struct vm vm;

	BEGIN(&vm, store);
	restrict_page(&vm, PAGE + 0x1000, R | X);
	allow(&vm, GVA(CROSSES), 0, 0);
	receive(&vm, PAGE + 0x1000, W, &event);
	restrict_page(&vm, PAGE, R | X);
	event_continue(&vm.peer, &event);
	receive(&vm, CROSSES, W, &event);
	expect(0, word(&vm, CROSSES));
	event_continue(&vm.peer, &event);
	one(&vm, PAGE + 0x1000, W);
	done(&vm);
	expect(VALUE, word(&vm, CROSSES));
	end(&vm);
}

/* An instruction that begins in a page and goes on in the next. */
static void test_crossing_fetch(bool first, bool second)
{
	static const uint8_t code[] = {
		0x48, 0xc7, 0xc0, 0xd2, 0x04, 0, 0,	/* mov $1234, %rax */
		RET,
	};
	struct vm vm;

	BEGIN(&vm, call);
	memcpy(host(&vm, CROSSES), code, sizeof(code));
	if (first)
		restrict_page(&vm, PAGE, R | W);
	if (second)
		restrict_page(&vm, PAGE + 0x1000, R | W);
	vm.rip = GVA(CROSSES);
	allow(&vm, GVA(CROSSES), 0, 0);
	if (first)
		one(&vm, CROSSES, X);
	if (second) {
		one(&vm, PAGE + 0x1000, X);
		/* And RET, a fetch of its own. */
		vm.rip = GVA(CROSSES + 7);
		one(&vm, CROSSES + 7, X);
	}
	done(&vm);
	expect(1234, vm.state->result);
	end(&vm);
}

int main(void)
{
	test_mov();
	test_push();
	test_push_memory();
	test_movs();
	test_add(add, sizeof(add), VALUE + 1);
	test_add(lock_add, sizeof(lock_add), VALUE + 1);
	test_bts();
	note("rep");
	test_rep(PAGE, PAGE + 0x10, 0, 9);
	test_rep(PAGE, PAGE + 0xfe8, 0, 2);
	test_rep(PAGE + 0x1000, PAGE + 0xfe8, 3, 9);
	test_rep_denied();
	test_crossing(store, sizeof(store), VALUE);
	test_crossing(add, sizeof(add), VALUE + 1);
	test_crossing_load();
	test_crossing_meanwhile();
	note("fetches");
	test_crossing_fetch(true, false);
	test_crossing_fetch(false, true);
	test_crossing_fetch(true, true);
	return 0;
}
