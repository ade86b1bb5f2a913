// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands that nobody waits for: submitted, answered later, never blocking. */
#include <poll.h>

#include "rig.h"

#define COUNT 8

static bool is_readable(struct kvmi_vm *vm, int timeout)
{
	struct pollfd pfd = { kvmi_vm_get_fd(vm), POLLIN, 0 };

	return poll(&pfd, 1, timeout) == 1;
}

static uint64_t value_of(const struct kvmi_reply *reply)
{
	uint64_t value;
	const void *data;
	size_t size;

	data = kvmi_reply_get_data(reply, &size);
	assert_int_equal(size, sizeof(value));
	memcpy(&value, data, sizeof(value));
	return value;
}

/* Takes COUNT commands, echoes them backwards. */
static int echo_backwards(int fd, void *arg)
{
	struct frame frames[COUNT];
	int i;

	(void)arg;
	for (i = 0; i < COUNT; i++)
		if (script_command(fd, &frames[i]))
			return -EPIPE;
	while (i--)
		if (script_reply(fd, &frames[i], 0, frames[i].body,
				 frames[i].hdr.size))
			return -EPIPE;
	return script_swallow(fd, NULL);
}

static void replies_come_out_of_order(void **state)
{
	struct kvmi_reply *reply;
	uint32_t seqs[COUNT];
	struct rig rig;
	uint64_t i;

	(void)state;
	rig_open(&rig, echo_backwards, NULL);
	assert_err(-EAGAIN, kvmi_vm_next_reply(rig.vm, 0, &reply));
	assert_err(-ETIMEDOUT, kvmi_vm_next_reply(rig.vm, 1, &reply));
	for (i = 0; i < COUNT; i++)
		assert_err(0, kvmi_vm_submit(rig.vm, 0x9000, &i, sizeof(i),
					     &seqs[i]));
	while (i--) {
		assert_err(0, kvmi_vm_next_reply(rig.vm, 5000, &reply));
		assert_int_equal(kvmi_reply_get_seq(reply), seqs[i]);
		assert_err(0, kvmi_reply_get_error(reply, NULL));
		assert_int_equal(value_of(reply), i);
		kvmi_reply_free(reply);
	}
	assert_err(-EAGAIN, kvmi_vm_next_reply(rig.vm, 0, &reply));
	kvmi_reply_free(NULL);
	rig_close(&rig);
}

/* An event, then an answer, and one more of each for the last command. */
static int event_and_answer(int fd, void *arg)
{
	struct frame frame;
	uint32_t seq;

	(void)arg;
	for (seq = 1; seq <= 2; seq++)
		if (script_command(fd, &frame) ||
		    script_event(fd, seq, KVMI_VM_EVENT_UNHOOK, NULL, 0) ||
		    script_reply(fd, &frame, 0, &frame.body, 8))
			return -EPIPE;
	return 0;
}

static int pump_until(struct kvmi_vm *vm, int wanted)
{
	int r = 0;

	while (r >= 0 && (r & wanted) != wanted && is_readable(vm, 5000))
		r = kvmi_vm_pump(vm);
	return r;
}

static void one_descriptor_tells_all(void **state)
{
	const int both = KVMI_PUMP_EVENT | KVMI_PUMP_REPLY;
	struct kvmi_event *event;
	struct kvmi_reply *reply;
	struct rig rig;
	uint64_t i = 7;

	(void)state;
	rig_open(&rig, event_and_answer, NULL);
	assert_false(is_readable(rig.vm, 0));
	assert_err(0, kvmi_vm_pump(rig.vm));
	assert_err(0, kvmi_vm_submit(rig.vm, 0x9000, &i, sizeof(i), NULL));
	assert_int_equal(pump_until(rig.vm, both), both);
	assert_true(is_readable(rig.vm, 0));
	assert_err(0, kvmi_vm_next_event(rig.vm, 0, &event));
	kvmi_event_free(event);
	assert_int_equal(kvmi_vm_pump(rig.vm), KVMI_PUMP_REPLY);
	assert_true(is_readable(rig.vm, 0));
	assert_err(0, kvmi_vm_next_reply(rig.vm, 0, &reply));
	kvmi_reply_free(reply);
	assert_err(0, kvmi_vm_pump(rig.vm));
	assert_false(is_readable(rig.vm, 0));

	/* What came before the end is there after it. */
	assert_err(0, kvmi_vm_submit(rig.vm, 0x9000, &i, sizeof(i), NULL));
	while (kvmi_vm_get_end(rig.vm) == KVMI_END_NONE &&
	       is_readable(rig.vm, 5000))
		kvmi_vm_pump(rig.vm);
	assert_int_equal(kvmi_vm_pump(rig.vm), both);
	assert_err(0, kvmi_vm_next_reply(rig.vm, 0, &reply));
	assert_int_equal(value_of(reply), 7);
	kvmi_reply_free(reply);
	assert_int_equal(kvmi_vm_pump(rig.vm), KVMI_PUMP_EVENT);
	assert_err(0, kvmi_vm_next_event(rig.vm, 0, &event));
	kvmi_event_free(event);
	assert_err(-ECONNRESET, kvmi_vm_pump(rig.vm));
	rig_close(&rig);
}

/* Reads nothing until it is told, then echoes all. */
static int echo_late(int fd, void *arg)
{
	struct frame frame;
	char go;

	if (read(*(int *)arg, &go, 1) != 1)
		return -EPIPE;
	while (!script_command(fd, &frame))
		if (script_reply(fd, &frame, 0, frame.body, 8))
			return -EPIPE;
	return 0;
}

/* Much more than a socket holds, and nobody reads. */
static void submit_never_waits(void **state)
{
	static uint8_t request[4096];
	struct kvmi_reply *reply;
	uint64_t i, taken = 0;
	struct rig rig;
	int go[2];

	(void)state;
	assert_int_equal(pipe(go), 0);
	rig_open(&rig, echo_late, &go[0]);
	for (i = 0; i < KVMI_SUBMITTED_MAX; i++) {
		memcpy(request, &i, sizeof(i));
		assert_err(0, kvmi_vm_submit(rig.vm, 0x9000, request,
					     sizeof(request), NULL));
	}
	assert_err(-EAGAIN, kvmi_vm_submit(rig.vm, 0x9000, NULL, 0, NULL));
	assert_false(is_readable(rig.vm, 0));
	assert_int_equal(write(go[1], "", 1), 1);

	/* Only the descriptor says when to go on. */
	while (taken < KVMI_SUBMITTED_MAX && is_readable(rig.vm, 5000)) {
		assert_true(kvmi_vm_pump(rig.vm) >= 0);
		while (!kvmi_vm_next_reply(rig.vm, 0, &reply)) {
			assert_int_equal(value_of(reply), taken++);
			kvmi_reply_free(reply);
		}
	}
	assert_int_equal(taken, KVMI_SUBMITTED_MAX);
	assert_false(is_readable(rig.vm, 0));
	rig_close(&rig);
	close(go[0]);
	close(go[1]);
}

/* Reads all, and says something only then. */
static int answer_at_last(int fd, void *arg)
{
	static struct frame frames[KVMI_SUBMITTED_MAX];
	char go;
	int i;

	if (read(*(int *)arg, &go, 1) != 1)
		return -EPIPE;
	for (i = 0; i < KVMI_SUBMITTED_MAX; i++)
		if (script_command(fd, &frames[i]))
			return -EPIPE;
	for (i = 0; i < KVMI_SUBMITTED_MAX; i++)
		if (script_reply(fd, &frames[i], 0, frames[i].body, 8))
			return -EPIPE;
	return 0;
}

/* No answer tells that there is room in the socket again. */
static void descriptor_tells_of_room(void **state)
{
	static uint8_t request[4096];
	struct kvmi_reply *reply;
	struct rig rig;
	int go[2], i;

	(void)state;
	assert_int_equal(pipe(go), 0);
	rig_open(&rig, answer_at_last, &go[0]);
	for (i = 0; i < KVMI_SUBMITTED_MAX; i++)
		assert_err(0, kvmi_vm_submit(rig.vm, 0x9000, request,
					     sizeof(request), NULL));
	assert_int_equal(write(go[1], "", 1), 1);
	assert_int_equal(pump_until(rig.vm, KVMI_PUMP_REPLY), KVMI_PUMP_REPLY);
	for (i = 0; i < KVMI_SUBMITTED_MAX; i++) {
		assert_err(0, kvmi_vm_next_reply(rig.vm, 5000, &reply));
		assert_err(0, kvmi_reply_get_error(reply, NULL));
		kvmi_reply_free(reply);
	}
	rig_close(&rig);
	close(go[0]);
	close(go[1]);
}

/* A command that waits sends what was submitted before, and in that order. */
static void waiting_command_comes_after(void **state)
{
	static uint8_t request[4096];
	struct kvmi_reply *reply;
	size_t size = 8;
	uint64_t got, i;
	struct rig rig;
	int go[2];

	(void)state;
	assert_int_equal(pipe(go), 0);
	rig_open(&rig, echo_late, &go[0]);
	for (i = 0; i < 200; i++)
		assert_err(0, kvmi_vm_submit(rig.vm, 0x9000, request,
					     sizeof(request), NULL));
	assert_int_equal(write(go[1], "", 1), 1);
	assert_err(0, kvmi_vm_command(rig.vm, 0x9002, &i, sizeof(i), &got,
				      &size));
	assert_int_equal(got, 200);
	for (i = 0; i < 200; i++) {
		assert_err(0, kvmi_vm_next_reply(rig.vm, 0, &reply));
		kvmi_reply_free(reply);
	}
	rig_close(&rig);
	close(go[0]);
	close(go[1]);
}

static int refuse(int fd, void *arg)
{
	struct frame frame;

	(void)arg;
	if (script_command(fd, &frame) ||
	    script_reply(fd, &frame, -KVM_EPERM, NULL, 0) ||
	    script_command(fd, &frame))
		return -EPIPE;
	return 0;
}

static void each_command_gets_a_reply(void **state)
{
	const struct kvmi_vcpu_hdr vcpu = { .vcpu = 3 };
	struct kvmi_error error = { .size = sizeof(error) };
	struct kvmi_reply *reply;
	struct rig rig;
	size_t size;

	(void)state;
	rig_open(&rig, refuse, NULL);
	assert_err(0, kvmi_vm_submit(rig.vm, KVMI_VCPU_GET_INFO, &vcpu,
				     sizeof(vcpu), NULL));
	assert_err(0, kvmi_vm_next_reply(rig.vm, 5000, &reply));
	assert_err(-EPERM, kvmi_reply_get_error(reply, &error));
	assert_int_equal(error.command, KVMI_VCPU_GET_INFO);
	assert_int_equal(error.vcpu, 3);
	assert_err(-EPERM, error.err);
	kvmi_reply_free(reply);

	/* The peer goes without an answer to it. */
	assert_err(0, kvmi_vm_submit(rig.vm, KVMI_VM_GET_INFO, NULL, 0, NULL));
	assert_err(0, kvmi_vm_next_reply(rig.vm, 5000, &reply));
	assert_err(-ECONNRESET, kvmi_reply_get_error(reply, &error));
	assert_int_equal(error.vcpu, -1);
	assert_null(kvmi_reply_get_data(reply, &size));
	assert_int_equal(size, 0);
	kvmi_reply_free(reply);
	assert_err(-ECONNRESET, kvmi_vm_next_reply(rig.vm, 5000, &reply));
	assert_err(-ECONNRESET, kvmi_vm_submit(rig.vm, KVMI_VM_GET_INFO, NULL,
					       0, NULL));
	rig_close(&rig);
}

/* The session may end before all is said. */
static int echo_in_vain(int fd, void *arg)
{
	echo_backwards(fd, arg);
	return 0;
}

static void nothing_leaks_with_the_session(void **state)
{
	struct rig rig;
	uint64_t i;

	(void)state;
	rig_open(&rig, echo_in_vain, NULL);
	for (i = 0; i < COUNT; i++)
		assert_err(0, kvmi_vm_submit(rig.vm, 0x9000, &i, sizeof(i),
					     NULL));
	assert_true(pump_until(rig.vm, KVMI_PUMP_REPLY) & KVMI_PUMP_REPLY);
	assert_err(0, kvmi_vm_submit(rig.vm, 0x9000, &i, sizeof(i), NULL));
	rig_close(&rig);
}

static void arguments_are_judged(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, script_nothing, NULL);
	assert_err(-EINVAL, kvmi_vm_submit(rig.vm, 1, NULL, 0, NULL));
	assert_err(-EINVAL, kvmi_vm_submit(rig.vm, 65536, NULL, 0, NULL));
	assert_err(-EINVAL, kvmi_vm_submit(rig.vm, 2, NULL,
					   KVMI_MAX_MSG_SIZE + 1, NULL));
	rig_close(&rig);
}

/* Reports an event, reads nothing for a while, then all up to the reply. */
static int read_late(int fd, void *arg)
{
	const struct kvmi_vcpu_event_cr cr = { .cr = 3 };
	struct frame frame;

	if (script_vcpu_event(fd, 1, 1, KVMI_VCPU_EVENT_CR, &cr, sizeof(cr)))
		return -EPIPE;
	while (!__atomic_load_n((int *)arg, __ATOMIC_RELAXED))
		usleep(1000);
	do {
		if (script_command(fd, &frame))
			return -EPIPE;
	} while (frame.hdr.id != KVMI_VCPU_EVENT);
	if (script_event(fd, 2, KVMI_VM_EVENT_UNHOOK, NULL, 0))
		return -EPIPE;
	return script_swallow(fd, NULL);
}

static void reply_to_an_event_never_waits(void **state)
{
	static const uint8_t data[KVMI_MAX_MSG_SIZE];
	struct kvmi_event *event;
	int i, may_read = 0;
	struct rig rig;

	(void)state;
	rig_open(&rig, read_late, &may_read);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	for (i = 0; i < KVMI_SUBMITTED_MAX; i++)
		assert_err(0, kvmi_vm_submit(rig.vm, 0x9000, data, sizeof(data),
					     NULL));
	kvmi_vm_set_timeout(rig.vm, -1);
	assert_err(0, kvmi_event_reply_cr(rig.vm, event, 0));
	assert_err(-EALREADY, kvmi_event_reply_cr(rig.vm, event, 0));
	kvmi_event_free(event);
	__atomic_store_n(&may_read, 1, __ATOMIC_RELAXED);
	assert_true(pump_until(rig.vm, KVMI_PUMP_EVENT) >= 0);
	assert_err(0, kvmi_vm_next_event(rig.vm, 0, &event));
	assert_int_equal(kvmi_event_get_id(event), KVMI_VM_EVENT_UNHOOK);
	kvmi_event_free(event);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_come_out_of_order),
		cmocka_unit_test(one_descriptor_tells_all),
		cmocka_unit_test(submit_never_waits),
		cmocka_unit_test(descriptor_tells_of_room),
		cmocka_unit_test(waiting_command_comes_after),
		cmocka_unit_test(each_command_gets_a_reply),
		cmocka_unit_test(nothing_leaks_with_the_session),
		cmocka_unit_test(arguments_are_judged),
		cmocka_unit_test(reply_to_an_event_never_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
