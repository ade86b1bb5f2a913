// SPDX-License-Identifier: GPL-2.0-or-later
/* Events in the old form, and their replies back in the new one. */
#include "compat.h"

#define CONTINUE(id) { .action = KVMI_EVENT_ACTION_CONTINUE, .event = (id) }
#define RETRY(id) { .action = KVMI_EVENT_ACTION_RETRY, .event = (id) }

struct long_reply {
	struct kvmi_vcpu_event_reply reply;
	uint64_t new_val;
};

static const struct kvmi_vcpu_control_events xsetbv_on = {
	.event_id = KVMI_VCPU_EVENT_XSETBV, .enable = 1,
};

static void check_state(const struct kvmi_dom_event *e, uint16_t vcpu)
{
	struct kvmi_vcpu_event state;

	script_state(&state, vcpu);
	assert_memory_equal(&e->event.common.arch, &state.arch,
			    sizeof(state.arch));
	assert_int_equal(e->event.common.arch.view, 0);
}

static void cr_event_is_translated(void **state)
{
	const struct kvmi_vcpu_event_cr cr = { .cr = 3, .old_value = 5,
					       .new_value = 6 };
	const struct long_reply reply = { CONTINUE(KVMI_VCPU_EVENT_CR), 77 };
	const struct act acts[] = {
		{ ACT_EVENT, KVMI_VCPU_EVENT_CR, 2, 9, DATA(&cr) },
		{ ACT_REPLY, .vcpu = 2, .seq = 9, BODY(&reply) },
		{ 0 }
	};
	const uint64_t new_val[4] = { 77, 1, 2, 3 };
	struct kvmi_dom_event *e;
	struct compat c;

	(void)state;
	compat_init(&c, acts);
	compat_open(&c);
	e = compat_event(&c, KVMI_EVENT_CR, 2);
	check_state(e, 2);
	assert_int_equal(e->seq, 9);
	assert_int_equal(e->event.cr.cr, 3);
	assert_int_equal(e->event.cr.old_value, 5);
	assert_int_equal(e->event.cr.new_value, 6);
	/* What follows the value is not sent. */
	assert_int_equal(compat_reply(&c, e, 0, new_val, sizeof(new_val)), 0);
	assert_errno(EINVAL, compat_reply(&c, e, 0, new_val, sizeof(new_val)));
	free(e);
	compat_close(&c);
}

static void msr_event_is_translated(void **state)
{
	const struct kvmi_vcpu_event_msr msr = { .msr = 0xc0000082,
						 .old_value = 5,
						 .new_value = 6 };
	const struct long_reply reply = { CONTINUE(KVMI_VCPU_EVENT_MSR), 6 };
	const struct act acts[] = {
		{ ACT_EVENT, KVMI_VCPU_EVENT_MSR, 1, 1, DATA(&msr) },
		{ ACT_REPLY, .vcpu = 1, .seq = 1, BODY(&reply) },
		{ 0 }
	};
	struct kvmi_dom_event *e;
	struct compat c;

	(void)state;
	compat_init(&c, acts);
	compat_open(&c);
	e = compat_event(&c, KVMI_EVENT_MSR, 1);
	assert_int_equal(e->event.msr.msr, 0xc0000082);
	assert_int_equal(e->event.msr.new_value, 6);
	/* Without the value the guest would get zero. */
	assert_errno(EINVAL, compat_reply(&c, e, 0, NULL, 0));
	assert_int_equal(compat_reply(&c, e, 0, &e->event.msr.new_value, 8), 0);
	free(e);
	compat_close(&c);
}

static void tail_of_page_fault_is_cut(void **state)
{
	const struct kvmi_vcpu_event_pf pf = { .gva = 7, .gpa = 0x5018,
					       .access = KVMI_PAGE_ACCESS_W,
					       .padding2 = 0xffff };
	const struct kvmi_vcpu_event_reply reply = CONTINUE(KVMI_VCPU_EVENT_PF);
	const struct act acts[] = {
		{ ACT_EVENT, KVMI_VCPU_EVENT_PF, 1, 3, DATA(&pf) },
		{ ACT_REPLY, .vcpu = 1, .seq = 3, BODY(&reply) },
		{ ACT_EVENT, KVMI_VCPU_EVENT_PF, 0, 4, DATA(&pf) },
		{ ACT_REPLY, .vcpu = 0, .seq = 4, BODY(&reply) },
		{ 0 }
	};
	const struct kvmi_event_pf_reply tail = { .rep_complete = 1 };
	struct kvmi_dom_event *e;
	struct compat c;

	(void)state;
	compat_init(&c, acts);
	compat_open(&c);
	e = compat_event(&c, KVMI_EVENT_PF, 1);
	assert_int_equal(e->event.page_fault.gva, 7);
	assert_int_equal(e->event.page_fault.gpa, 0x5018);
	assert_int_equal(e->event.page_fault.access, KVMI_PAGE_ACCESS_W);
	assert_int_equal(e->event.page_fault.view, 0);
	assert_int_equal(compat_reply(&c, e, 0, &tail, sizeof(tail)), 0);
	free(e);
	e = compat_event(&c, KVMI_EVENT_PF, 0);
	assert_int_equal(compat_reply(&c, e, 0, NULL, 0), 0);
	free(e);
	compat_close(&c);
}

static void step_of_page_fault_comes_first(void **state)
{
	const struct kvmi_vcpu_event_pf pf = { .gpa = 0x5018 };
	const struct kvmi_vcpu_control_singlestep on = { .enable = 1 };
	const struct kvmi_vcpu_event_reply reply = RETRY(KVMI_VCPU_EVENT_PF);
	const struct act acts[] = {
		{ ACT_EVENT, KVMI_VCPU_EVENT_PF, 1, 3, DATA(&pf) },
		{ ACT_COMMAND, KVMI_VCPU_CONTROL_SINGLESTEP, 1, BODY(&on) },
		{ ACT_REPLY, .vcpu = 1, .seq = 3, BODY(&reply) },
		{ ACT_EVENT, KVMI_VCPU_EVENT_PF, 1, 4, DATA(&pf) },
		{ ACT_COMMAND, KVMI_VCPU_CONTROL_SINGLESTEP, 1, BODY(&on),
		  .err = -KVM_EOPNOTSUPP },
		{ ACT_REPLY, .vcpu = 1, .seq = 4, BODY(&reply) },
		{ 0 }
	};
	const struct kvmi_event_pf_reply tail = { .singlestep = 1 };
	struct kvmi_dom_event *e;
	struct compat c;

	(void)state;
	compat_init(&c, acts);
	compat_open(&c);
	e = compat_event(&c, KVMI_EVENT_PF, 1);
	assert_int_equal(compat_reply(&c, e, 1, &tail, sizeof(tail)), 0);
	free(e);
	/* The host cannot: told, and the vCPU goes on. */
	e = compat_event(&c, KVMI_EVENT_PF, 1);
	assert_errno(EOPNOTSUPP, compat_reply(&c, e, 1, &tail, sizeof(tail)));
	free(e);
	compat_close(&c);
}

static void context_is_refused_and_the_vcpu_goes_on(void **state)
{
	const struct kvmi_vcpu_event_pf pf = { .gpa = 0x5018 };
	const struct kvmi_vcpu_event_reply reply = CONTINUE(KVMI_VCPU_EVENT_PF);
	const struct act acts[] = {
		{ ACT_EVENT, KVMI_VCPU_EVENT_PF, 1, 3, DATA(&pf) },
		{ ACT_REPLY, .vcpu = 1, .seq = 3, BODY(&reply) },
		{ ACT_EVENT, KVMI_VCPU_EVENT_PF, 1, 4, DATA(&pf) },
		{ ACT_REPLY, .vcpu = 1, .seq = 4, BODY(&reply) },
		{ 0 }
	};
	const struct kvmi_event_pf_reply tail = { .ctx_size = 8 };
	struct kvmi_dom_event *e;
	struct compat c;
	int i;

	(void)state;
	compat_init(&c, acts);
	compat_open(&c);
	for (i = 0; i < 2; i++) {
		e = compat_event(&c, KVMI_EVENT_PF, 1);
		assert_errno(EOPNOTSUPP, compat_reply(&c, e, 1, &tail,
						      sizeof(tail)));
		free(e);
	}
	assert_int_equal(compat_said(&c, "no data can be given"), 1);
	compat_close(&c);
}

static void small_events_are_translated(void **state)
{
	const struct kvmi_vcpu_event_breakpoint bp = { .gpa = 9, .insn_len = 1 };
	const struct kvmi_vcpu_event_descriptor desc = {
		.descriptor = KVMI_DESC_LDTR, .write = 1,
	};
	const struct kvmi_vcpu_event_reply bp_reply =
		RETRY(KVMI_VCPU_EVENT_BREAKPOINT);
	const struct kvmi_vcpu_event_reply desc_reply =
		CONTINUE(KVMI_VCPU_EVENT_DESCRIPTOR);
	const struct kvmi_vcpu_event_reply pause_reply =
		CONTINUE(KVMI_VCPU_EVENT_PAUSE);
	const struct act acts[] = {
		{ ACT_EVENT, KVMI_VCPU_EVENT_BREAKPOINT, 0, 1, DATA(&bp) },
		{ ACT_EVENT, KVMI_VCPU_EVENT_DESCRIPTOR, 1, 2, DATA(&desc) },
		{ ACT_EVENT, KVMI_VCPU_EVENT_PAUSE, .vcpu = 3, .seq = 3 },
		{ ACT_REPLY, .vcpu = 3, .seq = 3, BODY(&pause_reply) },
		{ ACT_REPLY, .vcpu = 1, .seq = 2, BODY(&desc_reply) },
		{ ACT_REPLY, .vcpu = 0, .seq = 1, BODY(&bp_reply) },
		{ 0 }
	};
	struct kvmi_dom_event *e[3];
	struct compat c;

	(void)state;
	compat_init(&c, acts);
	compat_open(&c);
	e[0] = compat_event(&c, KVMI_EVENT_BREAKPOINT, 0);
	assert_int_equal(e[0]->event.breakpoint.gpa, 9);
	assert_int_equal(e[0]->event.breakpoint.insn_len, 1);
	e[1] = compat_event(&c, KVMI_EVENT_DESCRIPTOR, 1);
	assert_int_equal(e[1]->event.desc.descriptor, KVMI_DESC_LDTR);
	assert_int_equal(e[1]->event.desc.write, 1);
	e[2] = compat_event(&c, KVMI_EVENT_PAUSE_VCPU, 3);
	check_state(e[2], 3);
	assert_int_equal(compat_reply(&c, e[2], 0, NULL, 0), 0);
	/* More than there is to send. */
	assert_int_equal(compat_reply(&c, e[1], 0, "abcdefgh", 8), 0);
	assert_int_equal(compat_reply(&c, e[0], 1, NULL, 0), 0);
	free(e[0]);
	free(e[1]);
	free(e[2]);
	compat_close(&c);
}

/* The program does nothing but wait; no vCPU may stand for that. */
static void unwanted_events_are_answered(void **state)
{
	const struct kvmi_vcpu_event_trap trap = { .nr = 14 };
	const struct kvmi_vcpu_event_xsetbv xsetbv = { .new_value = 7 };
	const struct kvmi_vcpu_event_singlestep step = { .failed = 0 };
	const struct kvmi_vcpu_event_reply r[] = {
		CONTINUE(KVMI_VCPU_EVENT_TRAP), CONTINUE(KVMI_VCPU_EVENT_XSETBV),
		CONTINUE(KVMI_VCPU_EVENT_HYPERCALL),
		CONTINUE(KVMI_VCPU_EVENT_SINGLESTEP),
	};
	const struct kvmi_vm_get_info_reply info = { .vcpu_count = 2 };
	const struct kvmi_vcpu_inject_exception inject = { .nr = 14 };
	const struct act acts[] = {
		{ ACT_COMMAND, KVMI_VCPU_INJECT_EXCEPTION, 1, BODY(&inject) },
		{ ACT_EVENT, KVMI_VCPU_EVENT_TRAP, 1, 1, DATA(&trap) },
		{ ACT_REPLY, .vcpu = 1, .seq = 1, BODY(&r[0]) },
		{ ACT_EVENT, KVMI_VCPU_EVENT_XSETBV, 1, 2, DATA(&xsetbv) },
		{ ACT_REPLY, .vcpu = 1, .seq = 2, BODY(&r[1]) },
		{ ACT_EVENT, KVMI_VCPU_EVENT_HYPERCALL, .vcpu = 0, .seq = 3 },
		{ ACT_REPLY, .vcpu = 0, .seq = 3, BODY(&r[2]) },
		{ ACT_EVENT, KVMI_VCPU_EVENT_SINGLESTEP, 0, 4, DATA(&step) },
		{ ACT_REPLY, .vcpu = 0, .seq = 4, BODY(&r[3]) },
		{ ACT_COMMAND, KVMI_VM_GET_INFO, DATA(&info) },
		{ 0 }
	};
	struct compat c;
	unsigned int count;

	(void)state;
	compat_init(&c, acts);
	compat_open(&c);
	assert_int_equal(kvmi_inject_exception(c.dom, 1, 0, 0, 14), 0);
	/* The library's own thread does it. */
	compat_wait_acts(&c, 9);
	assert_int_equal(kvmi_get_vcpu_count(c.dom, &count), 0);
	assert_int_equal(kvmi_get_pending_events(c.dom), 0);
	assert_errno(ETIMEDOUT, kvmi_wait_event(c.dom, KVMI_NOWAIT));
	compat_close(&c);
}

static void wanted_events_are_delivered(void **state)
{
	const struct kvmi_vcpu_event_trap trap = { .nr = 14, .error_code = 6,
						   .address = 0x1234 };
	const struct kvmi_vcpu_event_xsetbv xsetbv = { .new_value = 7 };
	const struct kvmi_vcpu_event_singlestep step = { .failed = 1 };
	const struct kvmi_vcpu_event_reply r[] = {
		CONTINUE(KVMI_VCPU_EVENT_TRAP), CONTINUE(KVMI_VCPU_EVENT_XSETBV),
		CONTINUE(KVMI_VCPU_EVENT_SINGLESTEP),
	};
	const struct act acts[] = {
		{ ACT_COMMAND, KVMI_VCPU_CONTROL_EVENTS, 1, BODY(&xsetbv_on) },
		{ ACT_EVENT, KVMI_VCPU_EVENT_TRAP, 1, 1, DATA(&trap) },
		{ ACT_REPLY, .vcpu = 1, .seq = 1, BODY(&r[0]) },
		{ ACT_EVENT, KVMI_VCPU_EVENT_XSETBV, 1, 2, DATA(&xsetbv) },
		{ ACT_REPLY, .vcpu = 1, .seq = 2, BODY(&r[1]) },
		{ ACT_EVENT, KVMI_VCPU_EVENT_SINGLESTEP, 1, 3, DATA(&step) },
		{ ACT_REPLY, .vcpu = 1, .seq = 3, BODY(&r[2]) },
		{ 0 }
	};
	struct kvmi_dom_event *e;
	struct compat c;

	(void)state;
	compat_init(&c, acts);
	compat_open(&c);
	assert_int_equal(kvmi_control_events(c.dom, 1, KVMI_EVENT_TRAP, true),
			 0);
	assert_int_equal(kvmi_control_events(c.dom, 1, KVMI_EVENT_SINGLESTEP,
					     true), 0);
	assert_int_equal(kvmi_control_events(c.dom, 1, KVMI_EVENT_XSETBV, true),
			 0);
	e = compat_event(&c, KVMI_EVENT_TRAP, 1);
	assert_int_equal(e->event.trap.vector, 14);
	assert_int_equal(e->event.trap.error_code, 6);
	assert_int_equal(e->event.trap.cr2, 0x1234);
	assert_int_equal(compat_reply(&c, e, 0, NULL, 0), 0);
	free(e);
	e = compat_event(&c, KVMI_EVENT_XSETBV, 1);
	/* In the old form it has no data. */
	assert_int_equal(e->event.cr.new_value, 0);
	assert_int_equal(compat_reply(&c, e, 0, NULL, 0), 0);
	free(e);
	e = compat_event(&c, KVMI_EVENT_SINGLESTEP, 1);
	assert_int_equal(e->event.ss.failed, 1);
	assert_int_equal(compat_reply(&c, e, 0, NULL, 0), 0);
	free(e);
	compat_close(&c);
}

static void wrong_replies_are_not_sent(void **state)
{
	const struct kvmi_vcpu_event_reply reply =
		CONTINUE(KVMI_VCPU_EVENT_PAUSE);
	const struct act acts[] = {
		{ ACT_EVENT, KVMI_VCPU_EVENT_PAUSE, .vcpu = 1, .seq = 1 },
		{ ACT_REPLY, .vcpu = 1, .seq = 1, BODY(&reply) },
		{ 0 }
	};
	struct kvmi_dom_event *e, other;
	struct compat c;

	(void)state;
	compat_init(&c, acts);
	compat_open(&c);
	e = compat_event(&c, KVMI_EVENT_PAUSE_VCPU, 1);
	other = *e;
	other.event.common.event = KVMI_EVENT_CR;
	assert_errno(EINVAL, compat_reply(&c, &other, 0, NULL, 0));
	other = *e;
	other.event.common.vcpu = 0;
	assert_errno(EINVAL, compat_reply(&c, &other, 0, NULL, 0));
	assert_errno(EINVAL, compat_reply(&c, e, 1, NULL, 0));
	assert_errno(EINVAL, kvmi_reply_event(c.dom, 1, NULL, 0));
	assert_errno(EINVAL, kvmi_reply_event(c.dom, 2, &other, 16));
	/* It is still to be had. */
	assert_int_equal(compat_reply(&c, e, 0, NULL, 0), 0);
	free(e);
	compat_close(&c);
}

static void unhook_has_no_reply(void **state)
{
	const struct kvmi_vm_control_events on = {
		.event_id = KVMI_VM_EVENT_UNHOOK, .enable = 1,
	};
	const struct act acts[] = {
		{ ACT_COMMAND, KVMI_VM_CONTROL_EVENTS, BODY(&on) },
		{ ACT_EVENT, KVMI_VM_EVENT_UNHOOK, .seq = 1 },
		{ 0 }
	};
	struct kvmi_dom_event *e;
	struct compat c;

	(void)state;
	compat_init(&c, acts);
	compat_open(&c);
	assert_int_equal(kvmi_control_vm_events(c.dom, KVMI_EVENT_UNHOOK, true),
			 0);
	e = compat_event(&c, KVMI_EVENT_UNHOOK, 0);
	assert_int_equal(compat_said(&c, "asks to end the session"), 1);
	assert_int_equal(compat_reply(&c, e, 0, NULL, 0), 0);
	free(e);
	compat_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cr_event_is_translated),
		cmocka_unit_test(msr_event_is_translated),
		cmocka_unit_test(tail_of_page_fault_is_cut),
		cmocka_unit_test(step_of_page_fault_comes_first),
		cmocka_unit_test(context_is_refused_and_the_vcpu_goes_on),
		cmocka_unit_test(small_events_are_translated),
		cmocka_unit_test(unwanted_events_are_answered),
		cmocka_unit_test(wanted_events_are_delivered),
		cmocka_unit_test(wrong_replies_are_not_sent),
		cmocka_unit_test(unhook_has_no_reply),
	};

	return cmocka_run_group_tests_name("compat-event", tests, NULL, NULL);
}
