// SPDX-License-Identifier: GPL-2.0-or-later
/* The channel: threads, events, timeouts, and peers that misbehave. */
#include <poll.h>
#include <time.h>

#include "rig.h"

static int check(struct kvmi_vm *vm)
{
	return kvmi_vm_control_cleanup(vm, true);
}

/* Answers in single bytes, an event before each answer. */
static int answer_in_bytes(int fd, void *arg)
{
	struct {
		struct kvmi_msg_hdr event;
		struct kvmi_event_hdr event_head;
		struct kvmi_msg_hdr hdr;
		struct kvmi_error_code code;
	} out = { .event = { KVMI_VM_EVENT, 8, 1 } };
	struct frame frame;
	size_t i;

	(void)arg;
	if (script_command(fd, &frame))
		return -EPIPE;
	out.hdr = frame.hdr;
	out.hdr.size = sizeof(out.code);
	for (i = 0; i < sizeof(out); i++)
		if (script_send(fd, (uint8_t *)&out + i, 1))
			return -EPIPE;
	return 0;
}

static void answer_in_single_bytes(void **state)
{
	struct kvmi_event *event;
	struct rig rig;
	size_t size;

	(void)state;
	rig_open(&rig, answer_in_bytes, NULL);
	assert_err(0, check(rig.vm));
	assert_err(0, kvmi_vm_next_event(rig.vm, 1000, &event));
	assert_int_equal(kvmi_event_get_id(event), KVMI_VM_EVENT_UNHOOK);
	assert_int_equal(kvmi_event_get_seq(event), 1);
	assert_non_null(kvmi_event_get_data(event, &size));
	assert_int_equal(size, 0);
	kvmi_event_free(event);
	assert_err(-ECONNRESET, kvmi_vm_next_event(rig.vm, 1000, &event));
	rig_close(&rig);
}

static int glue_events(int fd, void *arg)
{
	const struct kvmi_vcpu_event_cr cr = { .cr = 3, .new_value = 7 };
	struct frame frame;
	uint32_t seq;

	(void)arg;
	if (script_command(fd, &frame))
		return -EPIPE;
	for (seq = 1; seq <= 100; seq++)
		if (script_vcpu_event(fd, seq, 0, KVMI_VCPU_EVENT_CR, &cr,
				      sizeof(cr)))
			return -EPIPE;
	return script_reply(fd, &frame, 0, NULL, 0);
}

static void events_are_kept_in_order(void **state)
{
	const struct kvmi_vcpu_event_cr *cr;
	struct kvmi_event *event;
	struct pollfd pfd;
	struct rig rig;
	uint32_t seq;
	size_t size;

	(void)state;
	rig_open(&rig, glue_events, NULL);
	assert_err(-EAGAIN, kvmi_vm_next_event(rig.vm, 0, &event));
	assert_err(0, check(rig.vm));
	pfd = (struct pollfd){ kvmi_vm_get_fd(rig.vm), POLLIN, 0 };
	assert_int_equal(poll(&pfd, 1, 0), 1);
	for (seq = 1; seq <= 99; seq++) {
		assert_err(0, kvmi_vm_next_event(rig.vm, 0, &event));
		assert_int_equal(kvmi_event_get_seq(event), seq);
		assert_int_equal(kvmi_event_get_id(event), KVMI_VCPU_EVENT_CR);
		cr = kvmi_event_get_data(event, &size);
		assert_int_equal(size, sizeof(*cr));
		assert_int_equal(cr->new_value, 7);
		kvmi_event_free(event);
	}
	kvmi_event_free(NULL);
	/* The last one is freed with the session. */
	rig_close(&rig);
}

#define GROUP 8

/* Takes GROUP commands, answers them backwards in one write. */
static int answer_backwards(int fd, void *arg)
{
	struct {
		struct kvmi_msg_hdr hdr;
		struct kvmi_error_code code;
		uint64_t value;
	} out[GROUP] = { 0 };
	struct frame frame;
	int *rounds = arg;
	int round, i;

	for (round = 0; round < *rounds; round++) {
		for (i = GROUP - 1; i >= 0; i--) {
			if (script_command(fd, &frame))
				return -EPIPE;
			out[i].hdr = frame.hdr;
			out[i].hdr.size = 16;
			memcpy(&out[i].value, frame.body, 8);
		}
		if (script_send(fd, out, sizeof(out)))
			return -EPIPE;
	}
	return 0;
}

struct worker {
	struct kvmi_vm *vm;
	uint64_t base;
	int rounds;
	int err;
};

static void *ask_echo(void *arg)
{
	struct worker *w = arg;
	uint64_t value, got;
	size_t size;
	int i;

	for (i = 0; i < w->rounds && !w->err; i++) {
		value = w->base + (uint64_t)i;
		size = sizeof(got);
		w->err = kvmi_vm_command(w->vm, 0x9000, &value, sizeof(value),
					 &got, &size);
		if (!w->err && (size != 8 || got != value))
			w->err = -EBADMSG;
	}
	return NULL;
}

static void eight_threads_out_of_order(void **state)
{
	struct worker workers[GROUP];
	pthread_t threads[GROUP];
	int rounds = 500, i;
	struct rig rig;

	(void)state;
	rig_open(&rig, answer_backwards, &rounds);
	for (i = 0; i < GROUP; i++) {
		workers[i] = (struct worker){ rig.vm, (uint64_t)i << 32, rounds,
					      0 };
		pthread_create(&threads[i], NULL, ask_echo, &workers[i]);
	}
	for (i = 0; i < GROUP; i++) {
		pthread_join(threads[i], NULL);
		assert_err(0, workers[i].err);
	}
	rig_close(&rig);
}

static void *wait_for_event(void *arg)
{
	struct worker *w = arg;
	struct kvmi_event *event;

	w->err = kvmi_vm_next_event(w->vm, -1, &event);
	return NULL;
}

static void shutdown_wakes_all(void **state)
{
	struct worker workers[GROUP];
	pthread_t threads[GROUP];
	struct rig rig;
	int i;

	(void)state;
	rig_open(&rig, script_swallow, NULL);
	kvmi_vm_set_timeout(rig.vm, -1);
	for (i = 0; i < GROUP; i++) {
		workers[i] = (struct worker){ rig.vm, 0, 1, 0 };
		pthread_create(&threads[i], NULL,
			       i & 1 ? ask_echo : wait_for_event, &workers[i]);
	}
	usleep(20000);
	kvmi_vm_shutdown(rig.vm);
	for (i = 0; i < GROUP; i++) {
		pthread_join(threads[i], NULL);
		assert_err(-ECONNRESET, workers[i].err);
	}
	assert_err(-ECONNRESET, check(rig.vm));
	rig_close(&rig);
}

static int answer_late(int fd, void *arg)
{
	struct frame first, second;

	(void)arg;
	if (script_command(fd, &first) || script_command(fd, &second))
		return -EPIPE;
	if (script_reply(fd, &first, 0, NULL, 0))
		return -EPIPE;
	return script_reply(fd, &second, 0, NULL, 0);
}

static void late_answer_is_swallowed(void **state)
{
	struct kvmi_event *event;
	struct rig rig;

	(void)state;
	rig_open(&rig, answer_late, NULL);
	kvmi_vm_set_timeout(rig.vm, 20);
	assert_err(-ETIMEDOUT, check(rig.vm));
	kvmi_vm_set_timeout(rig.vm, 0);
	assert_err(0, check(rig.vm));
	assert_err(-ECONNRESET, kvmi_vm_next_event(rig.vm, -1, &event));
	rig_close(&rig);
}

static void lost_commands_are_bounded(void **state)
{
	struct rig rig;
	int i, err = 0;

	(void)state;
	rig_open(&rig, script_swallow, NULL);
	kvmi_vm_set_timeout(rig.vm, 1);
	for (i = 0; i < 1100; i++) {
		err = check(rig.vm);
		if (err != -ETIMEDOUT)
			break;
	}
	assert_err(-EPROTO, err);
	assert_in_range(i, 1024, 1026);
	rig_close(&rig);
}

static void no_event_in_time(void **state)
{
	struct kvmi_event *event;
	struct rig rig;

	(void)state;
	rig_open(&rig, script_swallow, NULL);
	assert_err(-ETIMEDOUT, kvmi_vm_next_event(rig.vm, 10, &event));
	assert_err(-EAGAIN, kvmi_vm_next_event(rig.vm, 0, &event));
	rig_close(&rig);
}

/* What a hostile peer answers to the first command. */
struct breach {
	int id;			/* -1: that of the command */
	int size;		/* of the body, as the header says */
	int seq_offset;
	int32_t err;
};

static int commit_breach(int fd, void *arg)
{
	const struct breach *b = arg;
	struct {
		struct kvmi_msg_hdr hdr;
		struct kvmi_error_code code;
		uint8_t rest[65536];
	} *out = calloc(1, sizeof(*out));
	struct frame frame;
	int err = -EPIPE;

	if (!out || script_command(fd, &frame))
		goto out;
	out->hdr = frame.hdr;
	if (b->id >= 0)
		out->hdr.id = (uint16_t)b->id;
	out->hdr.size = (uint16_t)b->size;
	out->hdr.seq += (uint32_t)b->seq_offset;
	out->code.err = b->err;
	script_send(fd, out, sizeof(out->hdr) + (size_t)b->size);
	err = 0;
out:
	free(out);
	return err;
}

static void breaches_end_the_session(void **state)
{
	static const struct breach breaches[] = {
		{ -1, 8, 1, 0 },	/* seq of no command */
		{ -1, 8, -1, 0 },	/* one that was answered */
		{ -1, 8, 1 << 30, 0 },
		{ KVMI_VM_GET_INFO, 8, 0, 0 },	/* another id */
		{ 0xffff, 8, 0, 0 },
		{ -1, 0, 0, 0 },	/* no error code */
		{ -1, 7, 0, 0 },
		{ -1, 8, 0, 1 },	/* a positive error */
		{ -1, 16, 0, -KVM_EPERM },	/* data beside an error */
		{ -1, KVMI_MAX_MSG_SIZE + 1, 0, 0 },
		{ -1, 65535, 0, 0 },
		{ KVMI_VM_EVENT, 0, 0, 0 },	/* event without a number */
		{ KVMI_VCPU_EVENT, 7, 0, 0 },
		{ KVMI_VCPU_EVENT, 8, 0, 0 },	/* no refusal, no state */
		{ KVMI_VCPU_EVENT, 8, 0, KVMI_VCPU_EVENT_PAUSE },
		{ KVMI_VCPU_EVENT, 8 + 544, 0, KVMI_VCPU_EVENT_PAUSE },
		{ KVMI_VM_EVENT, 65535, 0, 0 },
	};
	struct kvmi_event *event;
	struct breach breach;
	struct rig rig;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(breaches) / sizeof(breaches[0]); i++) {
		breach = breaches[i];
		rig_open(&rig, commit_breach, &breach);
		assert_err(-EPROTO, check(rig.vm));
		assert_err(-EPROTO, check(rig.vm));
		assert_err(-EPROTO, kvmi_vm_next_event(rig.vm, -1, &event));
		assert_true(rig.log_count >= 2);
		rig_close(&rig);
	}
}

static int answer_short(int fd, void *arg)
{
	const size_t *size = arg;
	uint8_t data[64] = { 0 };
	struct frame frame;

	if (script_command(fd, &frame))
		return -EPIPE;
	return script_reply(fd, &frame, 0, data, *size);
}

static void short_answers_end_the_session(void **state)
{
	struct kvmi_get_version_reply version;
	uint8_t data[64];
	struct rig rig;
	size_t size;

	(void)state;
	for (size = 0; size < sizeof(version); size++) {
		rig_open(&rig, answer_short, &size);
		assert_err(-EPROTO, kvmi_get_version(rig.vm, &version));
		rig_close(&rig);
	}
	for (size = 0; size < 64; size += 31) {
		rig_open(&rig, answer_short, &size);
		assert_err(-EPROTO, kvmi_vm_read_physical(rig.vm, 0, data, 32));
		rig_close(&rig);
	}
}

static int die_after(int fd, void *arg)
{
	const size_t *bytes = arg;
	struct {
		struct kvmi_msg_hdr hdr;
		struct kvmi_error_code code;
		struct kvmi_vm_get_info_reply info;
	} out = { 0 };
	struct frame frame;

	if (script_command(fd, &frame))
		return -EPIPE;
	out.hdr = frame.hdr;
	out.hdr.size = sizeof(out) - sizeof(out.hdr);
	return script_send(fd, &out, *bytes);
}

static void death_at_each_byte_of_an_answer(void **state)
{
	struct kvmi_vm_get_info_reply info;
	struct rig rig;
	size_t bytes;

	(void)state;
	for (bytes = 0; bytes < 32; bytes++) {
		rig_open(&rig, die_after, &bytes);
		assert_err(-ECONNRESET, kvmi_vm_get_info(rig.vm, &info));
		rig_close(&rig);
	}
	rig_open(&rig, die_after, &bytes);
	assert_err(0, kvmi_vm_get_info(rig.vm, &info));
	rig_close(&rig);
}

static int flood(int fd, void *arg)
{
	uint32_t seq = 0;

	(void)arg;
	while (!script_event(fd, ++seq, 0, NULL, 0))
		;
	return 0;
}

static void flood_of_events_is_bounded(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, flood, NULL);
	assert_err(-EPROTO, check(rig.vm));
	rig_close(&rig);
}

static int never_read(int fd, void *arg)
{
	struct timespec ms = { 0, 1000000 };
	const int *stop = arg;

	(void)fd;
	while (!__atomic_load_n(stop, __ATOMIC_RELAXED))
		nanosleep(&ms, NULL);
	return 0;
}

static void peer_that_does_not_read(void **state)
{
	static uint8_t data[1 << 20];
	struct rig rig;
	int stop = 0;

	(void)state;
	rig_open(&rig, never_read, &stop);
	kvmi_vm_set_timeout(rig.vm, 50);
	assert_err(-ETIMEDOUT, kvmi_vm_write_physical(rig.vm, 0, data,
						      sizeof(data)));
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answer_in_single_bytes),
		cmocka_unit_test(events_are_kept_in_order),
		cmocka_unit_test(eight_threads_out_of_order),
		cmocka_unit_test(shutdown_wakes_all),
		cmocka_unit_test(late_answer_is_swallowed),
		cmocka_unit_test(lost_commands_are_bounded),
		cmocka_unit_test(no_event_in_time),
		cmocka_unit_test(breaches_end_the_session),
		cmocka_unit_test(short_answers_end_the_session),
		cmocka_unit_test(death_at_each_byte_of_an_answer),
		cmocka_unit_test(flood_of_events_is_bounded),
		cmocka_unit_test(peer_that_does_not_read),
	};

	return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
