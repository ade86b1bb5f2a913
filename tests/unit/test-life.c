// SPDX-License-Identifier: GPL-2.0-or-later
/* Events of the library itself: how a session ended, what became of the VM. */
#include <poll.h>
#include <sys/un.h>

#include "rig.h"

static char path[64];

/* A device manager: each session is one act of it. */
struct act {
	uint8_t uuid;
	int64_t start_time;
	bool is_unhooked;
};

static int dial(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

static void *play(void *arg)
{
	const struct act *act = arg;
	struct kvmi_qemu2introspector hello;
	struct frame frame;
	int fd = dial();

	peer_hello(&hello, "guest", act->uuid);
	hello.start_time = act->start_time;
	if (!peer_handshake(fd, &hello, NULL) && !script_command(fd, &frame) &&
	    !script_version(fd, &frame, KVMI_VERSION) && act->is_unhooked)
		script_event(fd, 1, KVMI_VM_EVENT_UNHOOK, NULL, 0);
	close(fd);
	return NULL;
}

static struct kvmi_event *next_event(struct kvmi_vm *vm)
{
	struct pollfd pfd = { kvmi_vm_get_fd(vm), POLLIN, 0 };
	struct kvmi_event *event;

	while (kvmi_vm_next_event(vm, 0, &event)) {
		assert_int_equal(poll(&pfd, 1, 5000), 1);
		assert_true(kvmi_vm_pump(vm) >= 0);
	}
	return event;
}

static void expect_return(struct kvmi_vm *vm, enum kvmi_run run, int64_t before,
			  int64_t now)
{
	struct kvmi_event *event = next_event(vm);
	struct kvmi_own_event_return told;
	size_t size;

	assert_int_equal(kvmi_event_get_id(event), KVMI_OWN_EVENT_RETURN);
	assert_int_equal(kvmi_event_get_seq(event), 0);
	assert_err(-ENOENT, kvmi_event_get_vcpu(event));
	assert_null(kvmi_event_get_state(event));
	memcpy(&told, kvmi_event_get_data(event, &size), sizeof(told));
	assert_int_equal(size, sizeof(told));
	assert_int_equal(told.run, run);
	assert_int_equal(told.before, before);
	assert_int_equal(told.now, now);
	assert_err(-EINVAL, kvmi_event_reply(vm, event,
					     KVMI_EVENT_ACTION_CONTINUE, NULL,
					     0));
	kvmi_event_free(event);
}

static void expect_end(struct kvmi_vm *vm, enum kvmi_end end)
{
	struct kvmi_event *event = next_event(vm);
	struct kvmi_own_event_end told;
	size_t size;

	assert_int_equal(kvmi_event_get_id(event), KVMI_OWN_EVENT_END);
	memcpy(&told, kvmi_event_get_data(event, &size), sizeof(told));
	assert_int_equal(size, sizeof(told));
	assert_int_equal(told.end, end);
	assert_int_equal(kvmi_vm_get_end(vm), end);
	kvmi_event_free(event);
	assert_err(-ECONNRESET, kvmi_vm_next_event(vm, 5000, &event));
	assert_err(-ECONNRESET, kvmi_vm_pump(vm));
}

static void expect_unhook(struct kvmi_vm *vm)
{
	struct kvmi_event *event = next_event(vm);

	assert_int_equal(kvmi_event_get_id(event), KVMI_VM_EVENT_UNHOOK);
	kvmi_event_free(event);
}

static struct kvmi_listener *open_listener(int own_events)
{
	struct kvmi_listener *listener;
	struct kvmi_options opts;

	rig_options(&opts);
	opts.own_events = own_events;
	snprintf(path, sizeof(path), "/tmp/kvmi-unit-life-%d", getpid());
	assert_err(0, kvmi_listener_open_unix(&listener, path, &opts));
	return listener;
}

/* One session; @run is KVMI_RUN_OTHER if nothing is to be told. */
static void session(struct kvmi_listener *listener, struct act act,
		    enum kvmi_run run, int64_t before)
{
	struct kvmi_vm *vm;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, play, &act), 0);
	assert_err(0, kvmi_listener_accept(listener, NULL, 5000, &vm));
	if (run != KVMI_RUN_OTHER)
		expect_return(vm, run, before, act.start_time);
	if (act.is_unhooked)
		expect_unhook(vm);
	expect_end(vm, act.is_unhooked ? KVMI_END_UNHOOKED : KVMI_END_LOST);
	kvmi_vm_close(vm);
	pthread_join(thread, NULL);
}

static void life_of_a_vm(void **state)
{
	struct kvmi_listener *listener = open_listener(1);

	(void)state;
	session(listener, (struct act){ 1, 1000, true }, KVMI_RUN_OTHER, 0);
	/* A migration, a stop. */
	session(listener, (struct act){ 1, 1000, false }, KVMI_RUN_SAME, 1000);
	/* Another one in between. */
	session(listener, (struct act){ 2, 1, true }, KVMI_RUN_OTHER, 0);
	/* A reset; a snapshot of before. */
	session(listener, (struct act){ 1, 1002, true }, KVMI_RUN_NEWER, 1000);
	session(listener, (struct act){ 1, 1001, true }, KVMI_RUN_OLDER, 1002);
	session(listener, (struct act){ 1, 0, true }, KVMI_RUN_UNKNOWN, 1001);
	session(listener, (struct act){ 2, 2, true }, KVMI_RUN_NEWER, 1);
	kvmi_listener_close(listener);
}

/* The one that came last of so many is known, and the first one is not. */
static void memory_is_bounded(void **state)
{
	struct kvmi_listener *listener = open_listener(1);
	struct act act = { 0, 1, false };
	int i;

	(void)state;
	for (i = 1; i <= 255; i++) {
		act.uuid = (uint8_t)i;
		session(listener, act, KVMI_RUN_OTHER, 0);
	}
	/* Without a UUID it is its name that tells. */
	act.uuid = 0;
	session(listener, act, KVMI_RUN_OTHER, 0);
	session(listener, act, KVMI_RUN_SAME, 1);
	act.uuid = 1;
	session(listener, act, KVMI_RUN_SAME, 1);
	kvmi_listener_close(listener);
}

static void session_that_is_shut_down(void **state)
{
	struct kvmi_options opts;
	struct rig rig;

	(void)state;
	rig_options(&opts);
	opts.own_events = 1;
	rig_open_with(&rig, script_nothing, NULL, &opts);
	assert_err(0, kvmi_vm_pump(rig.vm));
	kvmi_vm_shutdown(rig.vm);
	assert_int_equal(kvmi_vm_pump(rig.vm), KVMI_PUMP_EVENT);
	expect_end(rig.vm, KVMI_END_CLOSED);
	rig_close(&rig);

	/* Nobody takes it. */
	rig_open_with(&rig, script_nothing, NULL, &opts);
	rig_close(&rig);
}

static void nothing_is_told_unasked(void **state)
{
	struct kvmi_listener *listener = open_listener(0);
	struct act act = { 1, 1000, false };
	struct kvmi_event *event;
	struct kvmi_vm *vm;
	pthread_t thread;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(pthread_create(&thread, NULL, play, &act), 0);
		assert_err(0, kvmi_listener_accept(listener, NULL, 5000, &vm));
		assert_err(-ECONNRESET, kvmi_vm_next_event(vm, 5000, &event));
		kvmi_vm_close(vm);
		pthread_join(thread, NULL);
	}
	kvmi_listener_close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(life_of_a_vm),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(session_that_is_shut_down),
		cmocka_unit_test(nothing_is_told_unasked),
	};

	return cmocka_run_group_tests_name("life", tests, NULL, NULL);
}
