// SPDX-License-Identifier: GPL-2.0-or-later
/* Events of vCPUs and of the VM, and their replies. */
#include "rig.h"

/* An event of the peer, and the reply that it must get. */
struct dialogue {
	uint16_t event;
	const void *data;
	size_t size;
	struct {
		struct kvmi_msg_hdr hdr;
		struct kvmi_vcpu_hdr vcpu;
		struct kvmi_vcpu_event_reply reply;
		uint64_t data;
	} expected;
	size_t expected_size;
};

#define REPLY_SIZE 24		/* without data */

static int report(int fd, void *arg)
{
	const struct dialogue *d = arg;
	struct {
		uint8_t bytes[64];
	} got;

	if (script_vcpu_event(fd, 77, 2, d->event, d->data, d->size) ||
	    script_receive(fd, &got, d->expected_size))
		return -EPIPE;
	return memcmp(&got, &d->expected, d->expected_size) ? -EILSEQ :
							      script_nothing(fd, NULL);
}

static struct dialogue new_dialogue(uint16_t event, const void *data,
				    size_t size, uint8_t action)
{
	return (struct dialogue){
		.event = event,
		.data = data,
		.size = size,
		.expected = {
			.hdr = { KVMI_VCPU_EVENT, 16, 77 },
			.vcpu.vcpu = 2,
			.reply.action = action,
			.reply.event = (uint8_t)event,
		},
		.expected_size = REPLY_SIZE,
	};
}

static void check_state(const struct kvmi_event *event)
{
	struct kvmi_vcpu_event expected;

	script_state(&expected, 2);
	assert_int_equal(kvmi_event_get_vcpu(event), 2);
	assert_memory_equal(kvmi_event_get_state(event), &expected,
			    sizeof(expected));
}

static void reply_is_exact(void **state)
{
	const struct kvmi_vcpu_event_breakpoint bp = { .gpa = 9, .insn_len = 1 };
	struct dialogue d = new_dialogue(KVMI_VCPU_EVENT_BREAKPOINT, &bp,
					 sizeof(bp), KVMI_EVENT_ACTION_RETRY);
	struct kvmi_event *event;
	struct rig rig;
	size_t size;

	(void)state;
	rig_open(&rig, report, &d);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	check_state(event);
	assert_memory_equal(kvmi_event_get_data(event, &size), &bp, sizeof(bp));
	assert_int_equal(size, sizeof(bp));
	assert_err(0, kvmi_event_reply(rig.vm, event, KVMI_EVENT_ACTION_RETRY,
				       NULL, 0));
	assert_err(-EALREADY, kvmi_event_reply(rig.vm, event,
					       KVMI_EVENT_ACTION_RETRY, NULL,
					       0));
	/* It is still there. */
	check_state(event);
	kvmi_event_free(event);
	rig_close(&rig);
}

static void cr_reply_carries_the_value(void **state)
{
	const struct kvmi_vcpu_event_cr cr = { .cr = 3, .old_value = 1,
					       .new_value = 2 };
	struct dialogue d = new_dialogue(KVMI_VCPU_EVENT_CR, &cr, sizeof(cr),
					 KVMI_EVENT_ACTION_CONTINUE);
	struct kvmi_event *event;
	struct rig rig;

	(void)state;
	d.expected.hdr.size += 8;
	d.expected.data = 0x1122334455667788;
	d.expected_size += 8;
	rig_open(&rig, report, &d);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	assert_err(0, kvmi_event_reply_cr(rig.vm, event, 0x1122334455667788));
	kvmi_event_free(event);
	rig_close(&rig);
}

static void msr_reply_carries_the_value(void **state)
{
	const struct kvmi_vcpu_event_msr msr = { .msr = 0x174, .old_value = 1,
						 .new_value = 2 };
	struct dialogue d = new_dialogue(KVMI_VCPU_EVENT_MSR, &msr, sizeof(msr),
					 KVMI_EVENT_ACTION_CONTINUE);
	struct kvmi_event *event;
	struct rig rig;

	(void)state;
	d.expected.hdr.size += 8;
	d.expected.data = 0x8877665544332211;
	d.expected_size += 8;
	rig_open(&rig, report, &d);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	assert_err(-EINVAL, kvmi_event_reply_cr(rig.vm, event, 0));
	assert_err(0, kvmi_event_reply_msr(rig.vm, event, 0x8877665544332211));
	kvmi_event_free(event);
	rig_close(&rig);
}

static void step_tells_if_it_failed(void **state)
{
	const struct kvmi_vcpu_event_singlestep step = { .failed = 1 };
	const struct kvmi_vcpu_event_singlestep *got;
	struct dialogue d = new_dialogue(KVMI_VCPU_EVENT_SINGLESTEP, &step,
					 sizeof(step),
					 KVMI_EVENT_ACTION_CONTINUE);
	struct kvmi_event *event;
	struct rig rig;
	size_t size;

	(void)state;
	rig_open(&rig, report, &d);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	check_state(event);
	got = kvmi_event_get_data(event, &size);
	assert_int_equal(size, sizeof(*got));
	assert_int_equal(got->failed, 1);
	assert_err(-EINVAL, kvmi_event_reply(rig.vm, event,
					     KVMI_EVENT_ACTION_RETRY, NULL, 0));
	assert_err(0, kvmi_event_reply(rig.vm, event,
				       KVMI_EVENT_ACTION_CONTINUE, NULL, 0));
	kvmi_event_free(event);
	rig_close(&rig);

	d.size--;
	d.expected_size = 0;
	rig_open(&rig, report, &d);
	assert_err(-EPROTO, kvmi_vm_next_event(rig.vm, 5000, &event));
	rig_close(&rig);
}

static void wrong_replies_are_not_sent(void **state)
{
	const struct kvmi_vcpu_event_cr cr = { .cr = 3 };
	struct dialogue d = new_dialogue(KVMI_VCPU_EVENT_CR, &cr, sizeof(cr),
					 KVMI_EVENT_ACTION_CRASH);
	const uint8_t data[16] = { 0 };
	struct kvmi_event *event;
	struct rig rig;

	(void)state;
	rig_open(&rig, report, &d);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	assert_err(-EINVAL, kvmi_event_reply(rig.vm, event,
					     KVMI_EVENT_ACTION_RETRY, data, 8));
	assert_err(-EINVAL, kvmi_event_reply(rig.vm, event, 3, data, 8));
	assert_err(-EINVAL, kvmi_event_reply(rig.vm, event, 256, data, 8));
	assert_err(-EINVAL, kvmi_event_reply(rig.vm, event,
					     KVMI_EVENT_ACTION_CONTINUE, data,
					     9));
	/* It would write 0 into the register. */
	assert_err(-EINVAL, kvmi_event_reply(rig.vm, event,
					     KVMI_EVENT_ACTION_CONTINUE, NULL,
					     0));
	assert_err(0, kvmi_event_reply(rig.vm, event, KVMI_EVENT_ACTION_CRASH,
				       NULL, 0));
	kvmi_event_free(event);
	rig_close(&rig);

	d = new_dialogue(KVMI_VCPU_EVENT_PAUSE, NULL, 0,
			 KVMI_EVENT_ACTION_CONTINUE);
	rig_open(&rig, report, &d);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	assert_err(-EINVAL, kvmi_event_reply_cr(rig.vm, event, 0));
	assert_err(-EINVAL, kvmi_event_reply(rig.vm, event,
					     KVMI_EVENT_ACTION_CONTINUE, data,
					     1));
	assert_err(0, kvmi_event_reply(rig.vm, event,
				       KVMI_EVENT_ACTION_CONTINUE, NULL, 0));
	kvmi_event_free(event);
	rig_close(&rig);
}

static int report_unhook(int fd, void *arg)
{
	(void)arg;
	return script_event(fd, 1, KVMI_VM_EVENT_UNHOOK, NULL, 0);
}

static void event_of_the_vm_has_no_vcpu(void **state)
{
	struct kvmi_event *event;
	struct rig rig;

	(void)state;
	rig_open(&rig, report_unhook, NULL);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	assert_err(-ENOENT, kvmi_event_get_vcpu(event));
	assert_null(kvmi_event_get_state(event));
	assert_err(-EINVAL, kvmi_event_reply(rig.vm, event,
					     KVMI_EVENT_ACTION_CONTINUE, NULL,
					     0));
	kvmi_event_free(event);
	rig_close(&rig);
}

/* Sends a larger common part than this library knows, as a newer kernel. */
static int report_newer(int fd, void *arg)
{
	const uint16_t *claim = arg;
	struct {
		struct kvmi_vcpu_event state;
		uint64_t newer;
		struct kvmi_vcpu_event_cr cr;
	} body = { .newer = 5, .cr = { .cr = 4, .new_value = 6 } };

	script_state(&body.state, 2);
	body.state.size = *claim;
	return script_event(fd, 1, KVMI_VCPU_EVENT_CR, &body, sizeof(body));
}

static void newer_state_is_skipped(void **state)
{
	uint16_t claim = sizeof(struct kvmi_vcpu_event) + 8;
	const struct kvmi_vcpu_event_cr *cr;
	struct kvmi_event *event;
	struct rig rig;
	size_t size;

	(void)state;
	rig_open(&rig, report_newer, &claim);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	cr = kvmi_event_get_data(event, &size);
	assert_int_equal(size, sizeof(*cr));
	assert_int_equal(cr->cr, 4);
	assert_int_equal(cr->new_value, 6);
	kvmi_event_free(event);
	rig_close(&rig);
}

static void false_sizes_end_the_session(void **state)
{
	static const uint16_t claims[] = { 0, 1, 543, 545, 544 + 16, 584, 65535 };
	struct kvmi_event *event;
	struct rig rig;
	uint16_t claim;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		claim = claims[i];
		rig_open(&rig, report_newer, &claim);
		assert_err(-EPROTO, kvmi_vm_next_event(rig.vm, 5000, &event));
		rig_close(&rig);
	}
}

static int refuse_a_reply(int fd, void *arg)
{
	const struct {
		struct kvmi_msg_hdr hdr;
		struct kvmi_error_code code;
	} refusal = { { KVMI_VCPU_EVENT, 8, 1 }, { -KVM_EAGAIN, 0 } };

	(void)arg;
	return script_send(fd, &refusal, sizeof(refusal)) ||
	       report_unhook(fd, NULL) ? -EPIPE : 0;
}

static void refused_reply_is_only_logged(void **state)
{
	struct kvmi_event *event;
	struct rig rig;

	(void)state;
	rig_open(&rig, refuse_a_reply, NULL);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	assert_int_equal(kvmi_event_get_id(event), KVMI_VM_EVENT_UNHOOK);
	assert_true(rig.log_count >= 2);
	kvmi_event_free(event);
	rig_close(&rig);
}

static void unanswered_event_is_dropped(void **state)
{
	struct dialogue d = new_dialogue(KVMI_VCPU_EVENT_PAUSE, NULL, 0, 0);
	struct kvmi_event *event;
	struct rig rig;

	(void)state;
	d.expected_size = 0;
	rig_open(&rig, report, &d);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	kvmi_vm_shutdown(rig.vm);
	assert_err(-ECONNRESET, kvmi_event_reply(rig.vm, event,
						 KVMI_EVENT_ACTION_CONTINUE,
						 NULL, 0));
	kvmi_event_free(event);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reply_is_exact),
		cmocka_unit_test(cr_reply_carries_the_value),
		cmocka_unit_test(msr_reply_carries_the_value),
		cmocka_unit_test(step_tells_if_it_failed),
		cmocka_unit_test(wrong_replies_are_not_sent),
		cmocka_unit_test(event_of_the_vm_has_no_vcpu),
		cmocka_unit_test(newer_state_is_skipped),
		cmocka_unit_test(false_sizes_end_the_session),
		cmocka_unit_test(refused_reply_is_only_logged),
		cmocka_unit_test(unanswered_event_is_dropped),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
