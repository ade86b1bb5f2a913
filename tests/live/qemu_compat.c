// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that is written against the old interface, on two VMs with a socket
 * each: CR3, MSR, INT3, pages, single steps, pause and resume, page faults that
 * it injects. It never answers TRAP, HYPERCALL and XSETBV. When it has gone both
 * guests run on.
 *
 * lab: calm timeout=240
 */
#include <errno.h>
#include <string.h>

#include "../lib/bare.h"
#include "../lib/driver.h"
#include "../lib/test.h"
#include "../lib/vmm.h"

#define VMS		2
#define TIMES		5
#define PF_VECTOR	14
#define BP_VECTOR	3
#define MSR		0xc0000102	/* which the guest writes */

struct watched {
	struct bare bare;
	struct driver driver;
	uint64_t seen[2];	/* sum of what events told, by vCPU */
	int steps;
};

static struct watched watched[VMS];

/* A driver cannot say who waits: the reason is in errno. */
#define must_do(call) expect(0, (call) ? -errno : 0)

static void set_access(struct watched *w, unsigned long long gpa,
		       unsigned char access)
{
	must_do(w->driver.api.kvmi_set_page_access(w->driver.dom, &gpa, &access,
						   1, 0));
}

static int on_event(struct driver *d, const struct kvmi_dom_event *event,
		    uint64_t *new_val, void *arg)
{
	unsigned short vcpu = event->event.common.vcpu;
	struct watched *w = arg;
	unsigned long long gpa;

	expect_true(vcpu < 2);
	expect(8, event->event.common.arch.mode);
	switch (event->event.common.event) {
	case KVMI_EVENT_CR:
		expect(3, event->event.cr.cr);
		w->seen[vcpu] = *new_val;
		return KVMI_EVENT_ACTION_CONTINUE;
	case KVMI_EVENT_MSR:
		expect(MSR, event->event.msr.msr);
		w->seen[vcpu] = *new_val;
		return KVMI_EVENT_ACTION_CONTINUE;
	case KVMI_EVENT_BREAKPOINT:
		/* The guest's own: it gets it. */
		w->seen[vcpu] = event->event.common.arch.regs.rip;
		return KVMI_EVENT_ACTION_CONTINUE;
	case KVMI_EVENT_PF:
		gpa = event->event.page_fault.gpa & ~0xfffull;
		expect(GUEST_TOUCHED(vcpu), gpa);
		expect(KVMI_PAGE_ACCESS_W, event->event.page_fault.access);
		set_access(w, gpa, KVMI_PAGE_ACCESS_R | KVMI_PAGE_ACCESS_W |
				   KVMI_PAGE_ACCESS_X);
		return KVMI_EVENT_ACTION_CONTINUE;
	case KVMI_EVENT_SINGLESTEP:
		if (++w->steps >= TIMES)
			must_do(d->api.kvmi_control_singlestep(d->dom, vcpu,
							       false));
		return KVMI_EVENT_ACTION_CONTINUE;
	default:
		fail("event %u has come", event->event.common.event);
	}
}

static void open_all(void)
{
	struct watched *w;

	for (w = watched; w < watched + VMS; w++) {
		qemu_prepare(&w->bare.qemu);
		expect(0, driver_listen(&w->driver, w->bare.qemu.socket));
		bare_start(&w->bare, "");
		events_catch(w->bare.memory);
	}
	for (w = watched; w < watched + VMS; w++) {
		expect(0, driver_connect(&w->driver));
		expect(0, strcmp("watched", w->driver.name));
		expect(2, w->driver.vcpus);
		expect(0, driver_init_events(&w->driver));
		w->driver.on_event = on_event;
		w->driver.arg = w;
	}
}

/* Serves until as many of these events have come. */
static void serve(struct watched *w, unsigned int event, int count)
{
	while (w->driver.count[event] < count)
		expect(0, driver_serve(&w->driver, (int)DEADLINE_MS));
}

static void serve_none(struct watched *w)
{
	expect(-ETIMEDOUT, driver_serve(&w->driver, 50));
}

/* Both VMs do it at once, and each driver sees what its own VM does. */
static void do_all(unsigned int event, int vcpu)
{
	struct watched *w;

	for (w = watched; w < watched + VMS; w++) {
		w->driver.count[event] = 0;
		bare_allow(&w->bare, vcpu, TIMES);
	}
	for (w = watched; w < watched + VMS; w++) {
		serve(w, event, TIMES);
		bare_wait_rest(&w->bare, vcpu);
		expect(TIMES, bare_state(&w->bare, vcpu)->executions);
		serve_none(w);
		expect(TIMES, w->driver.count[event]);
	}
}

static void prepare(uint64_t kind, int vcpu)
{
	struct watched *w;

	for (w = watched; w < watched + VMS; w++) {
		bare_prepare(&w->bare, vcpu, kind);
		bare_state(&w->bare, vcpu)->msr = MSR;
		bare_state(&w->bare, vcpu)->flip = 0x1000;
	}
}

static void test_cr3(int vcpu)
{
	struct watched *w;

	note("CR3, vCPU %d", vcpu);
	prepare(GUEST_CR3, vcpu);
	for (w = watched; w < watched + VMS; w++)
		must_do(w->driver.api.kvmi_control_cr(w->driver.dom, vcpu, 3,
						      true));
	do_all(KVMI_EVENT_CR, vcpu);
	for (w = watched; w < watched + VMS; w++) {
		expect(bare_state(&w->bare, vcpu)->wanted, w->seen[vcpu]);
		must_do(w->driver.api.kvmi_control_cr(w->driver.dom, vcpu, 3,
						      false));
	}
}

static void test_msr(int vcpu)
{
	struct watched *w;

	note("MSR, vCPU %d", vcpu);
	prepare(GUEST_MSR, vcpu);
	for (w = watched; w < watched + VMS; w++)
		must_do(w->driver.api.kvmi_control_msr(w->driver.dom, vcpu, MSR,
						       true));
	do_all(KVMI_EVENT_MSR, vcpu);
	for (w = watched; w < watched + VMS; w++) {
		expect(bare_state(&w->bare, vcpu)->wanted, w->seen[vcpu]);
		must_do(w->driver.api.kvmi_control_msr(w->driver.dom, vcpu, MSR,
						       false));
	}
}

static void test_int3(int vcpu)
{
	struct watched *w;
	uint64_t before[VMS];

	note("INT3, vCPU %d", vcpu);
	prepare(GUEST_INT3, vcpu);
	for (w = watched; w < watched + VMS; w++) {
		before[w - watched] =
			bare_state(&w->bare, vcpu)->caught[BP_VECTOR];
		must_do(w->driver.api.kvmi_control_events(w->driver.dom, vcpu,
							  KVMI_EVENT_BREAKPOINT,
							  true));
	}
	do_all(KVMI_EVENT_BREAKPOINT, vcpu);
	for (w = watched; w < watched + VMS; w++) {
		expect(vmm_kind_rip(GUEST_INT3), w->seen[vcpu]);
		expect(before[w - watched] + TIMES,
		       bare_state(&w->bare, vcpu)->caught[BP_VECTOR]);
		must_do(w->driver.api.kvmi_control_events(w->driver.dom, vcpu,
							  KVMI_EVENT_BREAKPOINT,
							  false));
	}
}

static void test_page(int vcpu)
{
	const unsigned char access = KVMI_PAGE_ACCESS_R | KVMI_PAGE_ACCESS_X;
	unsigned long long gpa = GUEST_TOUCHED(vcpu);
	struct watched *w;
	int i;

	note("page, vCPU %d", vcpu);
	prepare(GUEST_PAGE, vcpu);
	for (w = watched; w < watched + VMS; w++)
		w->driver.count[KVMI_EVENT_PF] = 0;
	for (i = 1; i <= TIMES; i++)
		for (w = watched; w < watched + VMS; w++) {
			set_access(w, gpa, access);
			bare_allow(&w->bare, vcpu, 1);
			serve(w, KVMI_EVENT_PF, i);
			bare_wait_rest(&w->bare, vcpu);
			expect(i, w->driver.count[KVMI_EVENT_PF]);
		}
}

static uint64_t ticks(struct watched *w)
{
	return bare_state(&w->bare, 0)->ticks_done +
	       bare_state(&w->bare, 1)->ticks_done;
}

static void test_pause(struct watched *w)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	uint64_t before;
	int i;

	note("pause and resume");
	for (i = 0; i < TIMES; i++) {
		expect(0, driver_pause(&w->driver));
		before = ticks(w);
		must_do(w->driver.api.kvmi_get_registers(w->driver.dom, 1, &regs,
							 &sregs, NULL, NULL));
		sleep_ms(50);
		expect(before, ticks(w));
		expect(0, driver_resume(&w->driver));
		wait_for(ticks(w) > before);
	}
}

static void test_steps(struct watched *w, int vcpu)
{
	note("single steps, vCPU %d", vcpu);
	w->steps = 0;
	w->driver.count[KVMI_EVENT_SINGLESTEP] = 0;
	expect(0, driver_pause(&w->driver));
	must_do(w->driver.api.kvmi_control_singlestep(w->driver.dom, vcpu,
						      true));
	expect(0, driver_resume(&w->driver));
	serve(w, KVMI_EVENT_SINGLESTEP, TIMES);
	serve_none(w);
}

/* The one before may still be on its way. */
static bool inject(struct watched *w, int vcpu, uint64_t address)
{
	int r = w->driver.api.kvmi_inject_exception(w->driver.dom, vcpu,
						    address, 6, PF_VECTOR);

	if (r && errno != EBUSY)
		must_do(r);
	return !r;
}

/* The driver does not know that a TRAP event has come in between. */
static void test_inject(struct watched *w, int vcpu)
{
	volatile struct guest_state *state = bare_state(&w->bare, vcpu);
	uint64_t address, before = state->caught[PF_VECTOR];
	uint64_t going;
	int i;

	note("page faults, vCPU %d", vcpu);
	for (i = 1; i <= TIMES; i++) {
		address = 0x123000 + 8 * i;
		wait_for(inject(w, vcpu, address));
		wait_for(state->caught[PF_VECTOR] == before + i);
		expect(address, state->cr2[PF_VECTOR]);
		expect(6, state->error[PF_VECTOR]);
	}
	going = state->ticks_done;
	wait_for(state->ticks_done > going + 2);
	expect(0, w->driver.count[KVMI_EVENT_TRAP]);
}

static void expect_running(struct watched *w)
{
	int vcpu;

	for (vcpu = 0; vcpu < 2; vcpu++) {
		uint64_t before = bare_state(&w->bare, vcpu)->ticks_done;

		wait_for(bare_state(&w->bare, vcpu)->ticks_done > before + 5);
		bare_prepare(&w->bare, vcpu, GUEST_CR3);
		bare_allow(&w->bare, vcpu, 3);
		bare_wait_rest(&w->bare, vcpu);
	}
}

int main(void)
{
	struct watched *w;
	int vcpu;

	open_all();
	for (vcpu = 0; vcpu < 2; vcpu++) {
		test_cr3(vcpu);
		test_msr(vcpu);
		test_int3(vcpu);
		test_page(vcpu);
	}
	for (w = watched; w < watched + VMS; w++) {
		test_pause(w);
		for (vcpu = 0; vcpu < 2; vcpu++) {
			test_inject(w, vcpu);
			test_steps(w, vcpu);
		}
	}
	for (w = watched; w < watched + VMS; w++)
		driver_close(&w->driver);
	for (w = watched; w < watched + VMS; w++)
		expect_running(w);
	for (w = watched; w < watched + VMS; w++)
		bare_quit(&w->bare);
	return 0;
}
