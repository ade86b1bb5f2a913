// SPDX-License-Identifier: GPL-2.0-or-later
/* Errors of the functions that answer an event or tell of its instruction. */
#include <poll.h>

#include "rig.h"
#include "scarce.h"

static int any(struct kvmi_vm *vm, struct kvmi_event *event)
{
	return kvmi_event_reply(vm, event, KVMI_EVENT_ACTION_CRASH, NULL, 0);
}

static int cr(struct kvmi_vm *vm, struct kvmi_event *event)
{
	return kvmi_event_reply_cr(vm, event, 0);
}

static int msr(struct kvmi_vm *vm, struct kvmi_event *event)
{
	return kvmi_event_reply_msr(vm, event, 0);
}

static int skip_it(struct kvmi_vm *vm, struct kvmi_event *event)
{
	return kvmi_event_reply_skip(vm, event);
}

static int read_it(struct kvmi_vm *vm, struct kvmi_event *event)
{
	uint8_t code[KVMI_INSTRUCTION_MAX];

	return kvmi_event_read_instruction(vm, event, code);
}

/* The functions that are about an event, and an event for each. */
static const struct about {
	const char *name;
	int (*call)(struct kvmi_vm *vm, struct kvmi_event *event);
	uint16_t event;
	bool asks;		/* sends commands, and waits */
} abouts[] = {
	{ "kvmi_event_reply", any, KVMI_VCPU_EVENT_CR, false },
	{ "kvmi_event_reply_cr", cr, KVMI_VCPU_EVENT_CR, false },
	{ "kvmi_event_reply_msr", msr, KVMI_VCPU_EVENT_MSR, false },
	{ "kvmi_event_reply_skip", skip_it, KVMI_VCPU_EVENT_PF, true },
	{ "kvmi_event_read_instruction", read_it, KVMI_VCPU_EVENT_PF, true },
};

#define SKIP		(&abouts[3])
#define READ		(&abouts[4])
#define ABOUT_COUNT	(sizeof(abouts) / sizeof(abouts[0]))

/* How the kernel goes on after the event. */
struct scene {
	const struct about *about;
	enum { ANSWERS, GOES, JAMS, GARBLES_IT } then;
	int wire;		/* the answer to commands */
	unsigned int spared;	/* commands that get a good answer before */
	uint8_t code;		/* all bytes of memory */
};

static int good_answer(int fd, const struct frame *frame, uint8_t code)
{
	const struct kvmi_vm_read_physical *req = (const void *)frame->body;
	const uint64_t gpa = 0x1000;
	uint8_t memory[4096];

	switch (frame->hdr.id) {
	case KVMI_VCPU_TRANSLATE_GVA:
		return script_reply(fd, frame, 0, &gpa, sizeof(gpa));
	case KVMI_VM_READ_PHYSICAL:
		memset(memory, code, sizeof(memory));
		return script_reply(fd, frame, 0, memory, req->size);
	default:
		return script_reply(fd, frame, 0, NULL, 0);
	}
}

static int answer_all(int fd, struct scene *s)
{
	struct frame frame;
	int err = 0;

	while (!err && !script_command(fd, &frame)) {
		if (frame.hdr.id == KVMI_VCPU_EVENT)
			continue;
		if (!s->spared || !s->spared--) {
			err = script_reply(fd, &frame, s->wire, NULL, 0);
			s->spared = 0;
		} else {
			err = good_answer(fd, &frame, s->code);
		}
	}
	return err;
}

static int play(int fd, void *arg)
{
	struct pollfd hangup = { fd, POLLRDHUP, 0 };
	const uint8_t data[64] = { 0 };
	struct scene *s = arg;

	if (script_vcpu_event(fd, 1, 0, s->about->event, data, sizeof(data)))
		return -EPIPE;
	switch (s->then) {
	case ANSWERS:
		return answer_all(fd, s);
	case GARBLES_IT:
		return script_garble(fd, NULL);
	case JAMS:
		/* Not a byte is read. */
		return poll(&hangup, 1, 10000) == 1 ? 0 : -ETIMEDOUT;
	case GOES:
		break;
	}
	return 0;
}

/* More than the socket takes. */
static void jam(struct kvmi_vm *vm)
{
	static const uint8_t data[KVMI_MAX_MSG_SIZE];
	int i;

	for (i = 0; i < KVMI_SUBMITTED_MAX; i++)
		assert_err(0, kvmi_vm_submit(vm, KVMI_VM_WRITE_PHYSICAL, data,
					     sizeof(data), NULL));
}

static void assert_about(struct scene s, int expected)
{
	struct kvmi_event *event, *none;
	struct rig rig;

	rig_open(&rig, play, &s);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	kvmi_vm_set_timeout(rig.vm, s.then == JAMS ? 20 : 5000);
	if (s.then == JAMS)
		jam(rig.vm);
	else if (s.then != ANSWERS)
		assert_err(expected, kvmi_vm_next_event(rig.vm, 5000, &none));
	rig_assert_err(s.about->name, expected, s.about->call(rig.vm, event),
		       __FILE__, __LINE__);
	kvmi_event_free(event);
	rig_close(&rig);
}

static void events_in_sessions_that_fail(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ABOUT_COUNT; i++) {
		struct scene s = { .about = &abouts[i] };

		s.then = JAMS;
		assert_about(s, s.about->asks ? -ETIMEDOUT : 0);
		s.then = GOES;
		assert_about(s, -ECONNRESET);
		s.then = GARBLES_IT;
		assert_about(s, -EPROTO);
	}
}

static void assert_refused(int wire, int expected)
{
	struct scene s = { .about = SKIP, .wire = wire };

	assert_about(s, expected);
	s.about = READ;
	assert_about(s, expected);
}

/* What the commands behind the function are refused with. */
static void instructions_that_cannot_be_read(void **state)
{
	struct scene s = { .about = SKIP, .code = 0x90 };

	(void)state;
	assert_refused(-KVM_EPERM, -EPERM);
	assert_refused(-KVM_ENOSYS, -ENOSYS);
	assert_refused(-KVM_ENOMEM, -ENOMEM);
	assert_refused(-KVM_EINVAL, -EINVAL);
	assert_refused(-KVM_EAGAIN, -EAGAIN);

	/* Where it is, and what, is known: its vCPU does not wait. */
	s.spared = 2;
	s.wire = -KVM_EOPNOTSUPP;
	assert_about(s, -EOPNOTSUPP);
	s.about = READ;
	s.spared = 1;
	s.wire = -KVM_ENOENT;
	assert_about(s, -EFAULT);
	s.spared = 2;
	s.code = 0x06;
	assert_about(s, -EILSEQ);
}

static void replies_that_are_there(void **state)
{
	struct kvmi_event *event;
	struct rig rig;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		struct scene s = { .about = &abouts[i], .spared = 9,
				   .code = 0x90 };

		rig_open(&rig, play, &s);
		assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
		assert_err(0, s.about->call(rig.vm, event));
		rig_assert_err(s.about->name, -EALREADY,
			       s.about->call(rig.vm, event), __FILE__,
			       __LINE__);
		kvmi_event_free(event);
		rig_close(&rig);
	}
}

static void replies_without_memory(void **state)
{
	struct kvmi_event *event;
	struct rig rig;
	size_t i;
	int err;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct scene s = { .about = &abouts[i] };

		rig_open(&rig, play, &s);
		assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
		scarce_memory = true;
		err = s.about->call(rig.vm, event);
		scarce_memory = false;
		rig_assert_err(s.about->name, -ENOMEM, err, __FILE__, __LINE__);
		assert_err(0, s.about->call(rig.vm, event));
		kvmi_event_free(event);
		rig_close(&rig);
	}
}

static int unhook(int fd, void *arg)
{
	(void)arg;
	if (script_event(fd, 1, KVMI_VM_EVENT_UNHOOK, NULL, 0))
		return -EPIPE;
	return script_nothing(fd, NULL);
}

static void event_of_no_vcpu(void **state)
{
	struct kvmi_event *event;
	struct rig rig;
	size_t i;

	(void)state;
	rig_open(&rig, unhook, NULL);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	for (i = 0; i < ABOUT_COUNT; i++)
		rig_assert_err(abouts[i].name, -EINVAL,
			       abouts[i].call(rig.vm, event), __FILE__,
			       __LINE__);
	kvmi_event_free(event);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_in_sessions_that_fail),
		cmocka_unit_test(instructions_that_cannot_be_read),
		cmocka_unit_test(replies_that_are_there),
		cmocka_unit_test(replies_without_memory),
		cmocka_unit_test(event_of_no_vcpu),
	};

	return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
