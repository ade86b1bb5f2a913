// SPDX-License-Identifier: GPL-2.0-or-later
/* Errors in full, how a session ended, and which run of a guest comes next. */
#include "rig.h"

static uint8_t guest[16 * 4096];

static struct peer_memory memory = {
	.bytes = guest,
	.size = sizeof(guest),
	.hole = 5 * 4096,
	.hole_end = 6 * 4096,
};

static int serve(int fd, void *arg)
{
	peer_serve(fd, arg);
	return 0;
}

static void assert_text(struct kvmi_vm *vm, const char *expected)
{
	struct kvmi_error error = { .size = sizeof(error) };
	char text[256];
	size_t length;

	assert_err(0, kvmi_vm_get_error(vm, &error));
	length = kvmi_error_format(&error, text, sizeof(text));
	assert_int_equal(length, strlen(text));
	assert_string_equal(text, expected);
}

static void error_says_what_failed(void **state)
{
	struct kvmi_error error = { .size = sizeof(error) };
	struct kvmi_vcpu_get_info_reply info;
	struct rig rig;

	(void)state;
	rig_open(&rig, serve, &memory);
	assert_err(-ENOENT, kvmi_vm_get_error(rig.vm, &error));
	assert_err(-EINVAL, kvmi_vcpu_get_info(rig.vm, 7, &info));
	assert_text(rig.vm, "vcpu-get-info of vCPU 7: an argument is not valid");
	assert_err(-ENOSYS, kvmi_vcpu_get_info(rig.vm, 1, &info));
	assert_err(0, kvmi_vm_control_cleanup(rig.vm, true));
	assert_text(rig.vm,
		    "vcpu-get-info of vCPU 1: this kernel does not know the command");
	assert_err(-EINVAL, kvmi_vm_pause_vcpu(rig.vm, 2, false));
	assert_text(rig.vm, "vm-pause-vcpu of vCPU 2: an argument is not valid");
	assert_err(-EINVAL, kvmi_vcpu_get_info(rig.vm, 70000, &info));
	assert_err(0, kvmi_vm_get_error(rig.vm, &error));
	assert_int_equal(error.vcpu, 70000);
	assert_err(-ENOSYS, kvmi_vm_command(rig.vm, 0x9000, NULL, 0, NULL,
					    NULL));
	assert_text(rig.vm,
		    "command 36864: this kernel does not know the command");
	rig_close(&rig);
}

static void memory_error_has_the_address(void **state)
{
	static uint8_t data[40 * 4096];
	struct rig rig;

	(void)state;
	rig_open(&rig, serve, &memory);
	/* The first one of many. */
	assert_err(-ENOENT, kvmi_vm_read_physical(rig.vm, 8, data,
						  sizeof(data)));
	assert_text(rig.vm,
		    "vm-read-physical at 0x5000: no such thing, or no memory at this address");
	assert_err(-EINVAL, kvmi_vm_write_physical(rig.vm, UINT64_MAX - 1, data, 3));
	assert_text(rig.vm,
		    "vm-write-physical at 0xfffffffffffffffe: an argument is not valid");
	rig_close(&rig);
}

static void text_is_cut_to_its_room(void **state)
{
	const struct kvmi_error error = {
		.size = sizeof(error), .err = -EPERM,
		.command = KVMI_VM_GET_INFO, .vcpu = -1, .event = -1,
		.gpa = UINT64_MAX,
	};
	const struct kvmi_error old = {
		.size = offsetof(struct kvmi_error, vcpu), .err = -EPERM,
		.command = KVMI_VM_GET_INFO,
	};
	char text[6], whole[128];
	size_t length;

	(void)state;
	length = kvmi_error_format(&error, whole, sizeof(whole));
	assert_int_equal(kvmi_error_format(&error, NULL, 0), length);
	assert_true(kvmi_error_format(&error, text, sizeof(text)) > 6);
	assert_string_equal(text, "vm-ge");
	/* What a program of an older library leaves out is none. */
	assert_int_equal(kvmi_error_format(&old, NULL, 0), strlen(whole));
}

static int report_cr(int fd, void *arg)
{
	const struct kvmi_vcpu_event_cr cr = { .cr = 3 };

	(void)arg;
	if (script_vcpu_event(fd, 1, 1, KVMI_VCPU_EVENT_CR, &cr, sizeof(cr)))
		return -EPIPE;
	return script_swallow(fd, NULL);
}

static void reply_error_names_the_event(void **state)
{
	struct kvmi_error error = { .size = offsetof(struct kvmi_error, vcpu) };
	struct kvmi_event *event;
	struct rig rig;

	(void)state;
	rig_open(&rig, report_cr, NULL);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	assert_err(-EINVAL, kvmi_event_reply_msr(rig.vm, event, 0));
	assert_text(rig.vm, "reply to cr of vCPU 1: an argument is not valid");
	assert_err(0, kvmi_event_reply_cr(rig.vm, event, 0));
	assert_err(-EALREADY, kvmi_event_reply_cr(rig.vm, event, 0));
	assert_text(rig.vm, "reply to cr of vCPU 1: this event has its reply");

	/* No more than its size is written. */
	error.vcpu = 77;
	assert_err(0, kvmi_vm_get_error(rig.vm, &error));
	assert_int_equal(error.vcpu, 77);
	error.size = 0;
	assert_err(-EINVAL, kvmi_vm_get_error(rig.vm, &error));
	kvmi_event_free(event);
	rig_close(&rig);
}

struct worker {
	struct kvmi_vm *vm;
	pthread_barrier_t *all;
	unsigned int vcpu;
	int wrong;
};

/* All fail, each for another vCPU, before any asks. */
static void *fail_often(void *arg)
{
	struct kvmi_error error = { .size = sizeof(error) };
	struct worker *w = arg;
	uint64_t gpa;
	int i;

	for (i = 0; i < 100; i++) {
		if (kvmi_vcpu_translate_gva(w->vm, w->vcpu, 0, &gpa) != -EINVAL)
			w->wrong++;
		pthread_barrier_wait(w->all);
		if (kvmi_vm_get_error(w->vm, &error) ||
		    error.vcpu != (int)w->vcpu)
			w->wrong++;
		pthread_barrier_wait(w->all);
	}
	return NULL;
}

static void each_thread_has_its_error(void **state)
{
	struct worker workers[8];
	pthread_barrier_t all;
	pthread_t threads[8];
	struct rig rig;
	unsigned int i;

	(void)state;
	pthread_barrier_init(&all, NULL, 8);
	rig_open(&rig, serve, &memory);
	for (i = 0; i < 8; i++) {
		workers[i] = (struct worker){ rig.vm, &all, 10 + i, 0 };
		pthread_create(&threads[i], NULL, fail_often, &workers[i]);
	}
	for (i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(workers[i].wrong, 0);
	}
	rig_close(&rig);
	pthread_barrier_destroy(&all);
}

static int leave_after_unhook(int fd, void *arg)
{
	(void)arg;
	return script_event(fd, 1, KVMI_VM_EVENT_UNHOOK, NULL, 0);
}

static int leave(int fd, void *arg)
{
	(void)fd;
	(void)arg;
	return 0;
}

static int send_nonsense(int fd, void *arg)
{
	const struct kvmi_msg_hdr hdr = { .id = 4, .size = 8, .seq = 99 };
	uint64_t body = 0;

	(void)arg;
	return script_send(fd, &hdr, sizeof(hdr)) ||
	       script_send(fd, &body, sizeof(body)) ? -EPIPE : 0;
}

static enum kvmi_end end_of(script_fn script)
{
	struct kvmi_event *event;
	enum kvmi_end end;
	struct rig rig;

	rig_open(&rig, script, NULL);
	while (!kvmi_vm_next_event(rig.vm, 5000, &event))
		kvmi_event_free(event);
	kvmi_vm_shutdown(rig.vm);
	end = kvmi_vm_get_end(rig.vm);
	rig_close(&rig);
	return end;
}

static void end_has_a_reason(void **state)
{
	struct rig rig;

	(void)state;
	assert_int_equal(end_of(leave), KVMI_END_LOST);
	assert_int_equal(end_of(leave_after_unhook), KVMI_END_UNHOOKED);
	assert_int_equal(end_of(send_nonsense), KVMI_END_BROKEN);
	rig_open(&rig, script_nothing, NULL);
	assert_int_equal(kvmi_vm_get_end(rig.vm), KVMI_END_NONE);
	kvmi_vm_shutdown(rig.vm);
	assert_int_equal(kvmi_vm_get_end(rig.vm), KVMI_END_CLOSED);
	assert_false(kvmi_vm_is_unhooking(rig.vm));
	rig_close(&rig);
}

/* Also to who has not taken the event, and before the end. */
static void wish_to_leave_is_told(void **state)
{
	struct kvmi_event *event;
	struct rig rig;

	(void)state;
	rig_open(&rig, leave_after_unhook, NULL);
	while (kvmi_vm_pump(rig.vm) == 0)
		;
	assert_true(kvmi_vm_is_unhooking(rig.vm));
	assert_int_equal(kvmi_vm_next_event(rig.vm, 0, &event), 0);
	kvmi_event_free(event);
	assert_true(kvmi_vm_is_unhooking(rig.vm));
	rig_close(&rig);
}

static void start_time_tells_the_run(void **state)
{
	struct kvmi_identity a = {
		.size = sizeof(a), .uuid = { 1 }, .name = "a",
		.start_time = 1000,
	};
	struct kvmi_identity b = a;

	(void)state;
	assert_int_equal(kvmi_identity_compare(&a, &b), KVMI_RUN_SAME);
	b.start_time++;
	assert_int_equal(kvmi_identity_compare(&a, &b), KVMI_RUN_NEWER);
	assert_int_equal(kvmi_identity_compare(&b, &a), KVMI_RUN_OLDER);
	/* It may have got another name meanwhile. */
	b.name[0] = 'b';
	assert_int_equal(kvmi_identity_compare(&a, &b), KVMI_RUN_NEWER);
	b.start_time = 0;
	assert_int_equal(kvmi_identity_compare(&a, &b), KVMI_RUN_UNKNOWN);
	b.uuid[0] = 2;
	assert_int_equal(kvmi_identity_compare(&a, &b), KVMI_RUN_OTHER);
	a.uuid[0] = 0;
	b = a;
	assert_int_equal(kvmi_identity_compare(&a, &b), KVMI_RUN_SAME);
	b.name[0] = 'b';
	assert_int_equal(kvmi_identity_compare(&a, &b), KVMI_RUN_OTHER);
	a.size = offsetof(struct kvmi_identity, start_time);
	a.uuid[0] = 1;
	b.uuid[0] = 1;
	assert_int_equal(kvmi_identity_compare(&a, &b), KVMI_RUN_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_says_what_failed),
		cmocka_unit_test(memory_error_has_the_address),
		cmocka_unit_test(text_is_cut_to_its_room),
		cmocka_unit_test(reply_error_names_the_event),
		cmocka_unit_test(each_thread_has_its_error),
		cmocka_unit_test(end_has_a_reason),
		cmocka_unit_test(wish_to_leave_is_told),
		cmocka_unit_test(start_time_tells_the_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
