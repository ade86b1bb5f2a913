// SPDX-License-Identifier: GPL-2.0-only
/*
 * CR3 is what the guest or the tool last made it, also while paging is off,
 * where KVM may run the guest on tables of its own: events show it, the guest
 * reads it, and paging begins with it; whenever the tool looks at CR3 and
 * ceases to.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

#define CR0_PG		0x80000000u
#define DIRECTORY(i)	(GUEST_TABLES + 0x1000 * (i))
#define TABLE(i)	(GUEST_TABLES + 0x1000 * (2 + (i)))
#define DATA(i)		(GUEST_TABLES + 0x1000 * (4 + (i)))
#define GDT		(GUEST_TABLES + 0x6000)
#define WORD(i)		(0x11111111u * (1 + (i)))

static struct guest_unpaged_state *state_of(struct vmm_vcpu *vcpu)
{
	return vmm_host(vcpu->vm, GUEST_STATE);
}

static uint64_t label(const uint8_t *at)
{
	return guest_unpaged.gpa + (at - guest_unpaged.code);
}

static void fill_tables(struct vmm *vm)
{
	uint32_t *directory;
	int i;

	for (i = 0; i < 2; i++) {
		directory = vmm_host(vm, DIRECTORY(i));
		directory[0] = 0x83;
		directory[GUEST_UNPAGED_SEEN >> 22] = TABLE(i) | 3;
		*(uint32_t *)vmm_host(vm, TABLE(i)) = DATA(i) | 3;
		*(uint32_t *)vmm_host(vm, DATA(i)) = WORD(i);
	}
	((uint64_t *)vmm_host(vm, GDT))[1] = 0x00cf9b000000ffff;
	((uint64_t *)vmm_host(vm, GDT))[2] = 0x00cf93000000ffff;
}

static void load(struct vmm_vcpu *vcpu)
{
	struct kvm_segment data = {
		.limit = 0xffffffff, .selector = 16, .type = 3, .present = 1,
		.db = 1, .s = 1, .g = 1,
	};
	struct kvm_sregs sregs;

	fill_tables(vcpu->vm);
	vmm_vcpu_load(vcpu, &guest_unpaged);
	must(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs));
	sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = data;
	sregs.cs = data;
	sregs.cs.selector = 8;
	sregs.cs.type = 11;
	sregs.gdt.base = GDT;
	sregs.gdt.limit = 23;
	sregs.cr0 = 0x33;
	sregs.cr3 = DIRECTORY(0);
	sregs.cr4 = 0x10;
	must(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
}

/* An event at this write, with CR3 as it is then; changes what is watched. */
static void receive(struct peer *peer, int cr, const uint8_t *at, uint64_t cr3,
		    uint64_t new_value, struct event *event)
{
	event_receive(peer, KVMI_VCPU_EVENT_CR, event);
	expect(cr, event->cr.cr);
	expect(label(at), event->arch.regs.rip);
	expect(4, event->arch.mode);
	expect(cr3, event->arch.sregs.cr3);
	expect(cr ? cr3 : new_value ^ CR0_PG, event->cr.old_value);
	expect(new_value, event->cr.new_value);
}

/* The guest is where it has read all that CR3 i leads to. */
static void wait_executions(struct vmm_vcpu *vcpu, uint32_t count, int i)
{
	volatile struct guest_unpaged_state *state = state_of(vcpu);

	wait_for(state->executions == count || vcpu->exit_reason ||
		 vcpu->error);
	expect(0, vcpu->exit_reason);
	expect(0, vcpu->error);
	expect(count, state->executions);
	expect(DIRECTORY(i), state->result);
	expect(WORD(i), state->found);
	expect(DIRECTORY(i), state->paged);
}

struct round {
	bool watched;	/* CR3 at the round's begin */
	bool blocked;	/* the write of CR3 */
	int at_cr3;	/* what CR3's watch is switched to there, -1: left */
	int at_on;	/* where paging is turned on, without it yet */
	int at_off;	/* where it is turned off, with it still */
};

static const struct round rounds[] = {
	{ false, false, -1, -1, -1 },
	{ false, false, -1, 1, -1 },
	{ true, false, -1, -1, -1 },
	{ true, true, -1, -1, -1 },
	{ true, false, -1, -1, 0 },
	{ false, false, -1, -1, 1 },
	{ true, true, 0, -1, -1 },	/* the last that is heard of */
	{ false, false, -1, 1, 0 },
	{ false, false, -1, -1, 1 },
	{ true, false, -1, 0, 1 },
	{ true, true, -1, 0, -1 },
	{ false, false, -1, -1, -1 },
};

static void switch_cr3(struct peer *peer, int enable)
{
	if (enable >= 0)
		vcpu_control_cr(peer, 0, 3, enable);
}

/* With CR0 watched or not; switches can be where it is only. */
static int go_round(struct vmm_vcpu *vcpu, struct peer *peer,
		    const struct round *r, int now, bool cr0)
{
	volatile struct guest_unpaged_state *state = state_of(vcpu);
	uint32_t count = ++state->limit;
	int next = r->watched && r->blocked ? now : !now;
	uint64_t cr3 = DIRECTORY(next);
	struct event event;

	if (r->watched) {
		receive(peer, 3, guest_unpaged_cr3, DIRECTORY(now),
			DIRECTORY(!now), &event);
		switch_cr3(peer, r->at_cr3);
		event_answer_data(peer, &event, KVMI_EVENT_ACTION_CONTINUE,
				  &cr3, sizeof(cr3));
	}
	if (cr0) {
		receive(peer, 0, guest_unpaged_on, cr3, CR0_PG | 0x33, &event);
		switch_cr3(peer, r->at_on);
		event_continue(peer, &event);
		receive(peer, 0, guest_unpaged_off, cr3, 0x33, &event);
		switch_cr3(peer, r->at_off);
		event_continue(peer, &event);
	}
	wait_executions(vcpu, count, next);
	return next;
}

static void test_rounds(bool cr0)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	int now = 0, turn;
	size_t i;

	note("CR0 %swatched", cr0 ? "" : "not ");
	load(vcpu);
	vmm_vcpu_start(vcpu);
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_CR, 1);
	vcpu_control_cr(&peer, 0, 0, cr0);
	for (turn = 0; turn < 2; turn++) {
		for (i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
			if (!cr0)
				vcpu_control_cr(&peer, 0, 3, rounds[i].watched);
			now = go_round(vcpu, &peer, &rounds[i], now, cr0);
		}
	}
	event_expect_none(&peer);
	hooked_end(vm, &peer);
}

int main(void)
{
	test_rounds(false);
	test_rounds(true);
	return 0;
}
