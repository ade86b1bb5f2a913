// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two vCPUs number their stores all over 4096 pages whose rights change all the
 * time. The tool denies half of what it sees, by stepping over it, and sees
 * nothing twice. Afterwards each denied number is absent and each other one is
 * where it belongs. It takes 10 seconds, or those of STRESS.
 *
 * lab: timeout=120
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/event.h"
#include "../lib/test.h"

#define HIGH	(3ull << 30)
#define PAGES	4096
#define BATCH	511
#define DENIALS	30		/* at least */
#define CELLS	256		/* of each vCPU in each page */
#define NUMBERS	(PAGES * CELLS)
#define MS	10000		/* as a rule */
#define R	KVMI_PAGE_ACCESS_R
#define ALL	7

enum told { NOT_TOLD, ALLOWED, DENIED };

/* Stores number n, of its attempts, in page n % PAGES, cell n / PAGES. */
static const uint8_t code[] = {
	0x48, 0x8b, 0x45, GUEST_ATTEMPTS,	/* mov ATTEMPTS(%rbp), %rax */
	0x89, 0xc1,				/* mov %eax, %ecx */
	0x81, 0xe1, 0xff, 0x0f, 0, 0,		/* and $0xfff, %ecx */
	0x48, 0xc1, 0xe1, 0x0c,			/* shl $12, %rcx */
	0x48, 0x01, 0xcf,			/* add %rcx, %rdi */
	0x48, 0x89, 0xc2,			/* mov %rax, %rdx */
	0x48, 0xc1, 0xea, 0x09,			/* shr $9, %rdx */
	0x81, 0xe2, 0xf8, 0x07, 0, 0,		/* and $0x7f8, %edx */
	0x48, 0x89, 0x04, 0x17,			/* mov %rax, (%rdi, %rdx) */
};

#define STORE	(sizeof(code) - 4)

static struct {
	uint8_t rights[PAGES];		/* as the tool wants them next */
	int first;			/* of the pages sent next */
	bool busy;			/* until these have been answered */
	uint64_t commands;
	uint64_t events;
	uint64_t denied;
	uint8_t told[2][NUMBERS];	/* enum told, by vCPU and number */
} tool;

static void send_next(struct peer *peer)
{
	struct {
		struct kvmi_vm_set_page_access head;
		struct kvmi_page_access_entry entries[BATCH];
	} body = { .head = { .count = BATCH } };
	int i, page;

	if (tool.busy)
		return;
	for (i = 0; i < BATCH; i++) {
		page = (tool.first + i) % PAGES;
		tool.rights[page] = rand() % 4 ? ALL : R;
		body.entries[i].gpa = HIGH + 4096ull * page;
		body.entries[i].access = tool.rights[page];
	}
	tool.first = (tool.first + BATCH) % PAGES;
	tool.commands++;
	tool.busy = true;
	peer_send(peer, KVMI_VM_SET_PAGE_ACCESS, &body, sizeof(body));
}

static void deny(struct peer *peer, const struct kvmi_vcpu_event *event)
{
	struct {
		struct kvmi_vcpu_hdr vcpu;
		struct kvm_regs regs;
	} body = {
		.vcpu = { .vcpu = event->vcpu },
		.regs = event->arch.regs,
	};

	tool.denied++;
	body.regs.rip += 4;
	peer_send(peer, KVMI_VCPU_SET_REGISTERS, &body, sizeof(body));
}

static void answer(struct peer *peer, const struct peer_message *message)
{
	const struct {
		struct kvmi_event_hdr hdr;
		struct kvmi_vcpu_event common;
		struct kvmi_vcpu_event_pf pf;
	} *event = (const void *)message->body;
	struct {
		struct kvmi_msg_hdr hdr;
		struct kvmi_vcpu_hdr vcpu;
		struct kvmi_vcpu_event_reply reply;
	} reply = {
		.hdr = { KVMI_VCPU_EVENT, 16, message->hdr.seq },
		.vcpu = { .vcpu = event->common.vcpu },
		.reply = { .event = event->hdr.event },
	};
	const struct kvm_regs *regs = &event->common.arch.regs;
	uint8_t *told = tool.told[event->common.vcpu] + regs->rax;

	expect(KVMI_VCPU_EVENT_PF, event->hdr.event);
	expect(KVMI_PAGE_ACCESS_W, event->pf.access);
	expect(vmm_kind_rip(GUEST_PAGE) + STORE, regs->rip);
	expect(regs->rdi + regs->rdx, event->pf.gpa);
	expect_true(regs->rax < NUMBERS);
	expect(NOT_TOLD, *told);
	tool.events++;
	*told = rand() % 2 ? DENIED : ALLOWED;
	if (*told == DENIED) {
		deny(peer, &event->common);
		reply.reply.action = KVMI_EVENT_ACTION_RETRY;
	}
	peer_write(peer, &reply, sizeof(reply));
}

static void receive(struct peer *peer)
{
	struct peer_message message;

	expect(0, __peer_receive(peer, &message));
	if (message.hdr.id == KVMI_VCPU_EVENT) {
		answer(peer, &message);
		return;
	}
	expect(0, ((struct kvmi_error_code *)message.body)->err);
	if (message.hdr.id == KVMI_VM_SET_PAGE_ACCESS)
		tool.busy = false;
}

static void start(struct vmm *vm, struct peer *peer)
{
	int i;

	vmm_slot_add(vm, 1, HIGH, PAGES * 4096ull, 0);
	for (i = 0; i < 2; i++) {
		vmm_vcpu_load_long(vmm_vcpu_create(vm, i), GUEST_PAGE);
		vmm_state(&vm->vcpus[i])->target = HIGH + 2048 * i;
	}
	vmm_page_code(vm, code, sizeof(code));
	for (i = 0; i < 2; i++) {
		vmm_vcpu_start_timer(&vm->vcpus[i]);
		vmm_vcpu_start(&vm->vcpus[i]);
		vcpu_control_events(peer, i, KVMI_VCPU_EVENT_PF, 1);
		vmm_vcpu_allow(&vm->vcpus[i], NUMBERS - 1);
	}
}

static bool is_done(struct vmm *vm, int i)
{
	volatile struct guest_state *state = vmm_state(&vm->vcpus[i]);

	return state->executions == state->limit;
}

/* No more than they have begun, until nothing comes any more. */
static void finish(struct vmm *vm, struct peer *peer)
{
	struct pollfd p = { .fd = peer->fd, .events = POLLIN };
	int i;

	for (i = 0; i < 2; i++)
		vmm_state(&vm->vcpus[i])->limit = 0;
	while (must(poll(&p, 1, 500)))
		receive(peer);
}

static void check(struct vmm *vm, int vcpu)
{
	volatile struct guest_state *state = vmm_state(&vm->vcpus[vcpu]);
	uint64_t n, *cell;

	expect(0, state->wrong);
	expect(0, state->faults);
	expect(state->attempts, state->executions);
	for (n = 1; n < NUMBERS; n++) {
		cell = vmm_host(vm, HIGH + 2048 * vcpu + 4096 * (n % PAGES) +
				8 * (n / PAGES));
		if (n > state->attempts || tool.told[vcpu][n] == DENIED)
			expect(0, *cell);
		else
			expect(n, *cell);
	}
	note("vCPU %d: %llu stores", vcpu,
	     (unsigned long long)state->attempts);
}

int main(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	unsigned int ms = test_stress_ms(MS);
	uint64_t begin, end;

	srand(1);
	start(vm, &peer);
	begin = now_ms();
	/* A kernel that checks itself may take longer to have some. */
	while ((now_ms() - begin < ms || tool.denied < DENIALS) &&
	       !is_done(vm, 0) && !is_done(vm, 1)) {
		send_next(&peer);
		receive(&peer);
	}
	end = now_ms();
	finish(vm, &peer);
	check(vm, 0);
	check(vm, 1);
	note("%llu ms, %llu times the rights of %d pages, %llu events, %llu denied",
	     (unsigned long long)(end - begin),
	     (unsigned long long)tool.commands, BATCH,
	     (unsigned long long)tool.events,
	     (unsigned long long)tool.denied);
	expect_true(tool.denied >= DENIALS &&
		    tool.events > 2 * tool.denied / 3);
	hooked_end(vm, &peer);
	return 0;
}
