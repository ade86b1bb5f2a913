// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Errors that no command has: of options, of listeners, of device managers that
 * do not shake hands as they should, and of replies to events.
 */
#include <poll.h>
#include <sys/un.h>

#include <linux/vm_sockets.h>

#include "rig.h"

#define PORT	47115

/* Flags that make a function of the C library fail, which is linked so. */
static __thread bool is_memory_out;
static bool is_vsock_out;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);

void *__wrap_malloc(size_t size)
{
	return is_memory_out ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return is_memory_out ? NULL : __real_calloc(count, size);
}

int __wrap_socket(int domain, int type, int protocol)
{
	if (domain == AF_VSOCK && is_vsock_out) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return __real_socket(domain, type, protocol);
}

/* Options of a program that knows more than this library, and uses it. */
static const struct kvmi_options *newer_options(void)
{
	static struct {
		struct kvmi_options opts;
		int more;
	} newer = { .more = 1 };

	kvmi_options_init(&newer.opts);
	newer.opts.size = sizeof(newer);
	return &newer.opts;
}

static const struct kvmi_options *bad_options(void)
{
	static struct kvmi_options bad;

	kvmi_options_init(&bad);
	bad.backlog = -1;
	return &bad;
}

static int bound_socket(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void options_are_judged(void **state)
{
	char folder[] = "/tmp/kvmi-unit-XXXXXX";
	struct kvmi_listener *l;
	char path[64], other[64];
	struct kvmi_vm *vm;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a", folder);
	snprintf(other, sizeof(other), "%s/b", folder);
	fd = bound_socket(other);
	assert_err(-E2BIG, kvmi_listener_open_unix(&l, path, newer_options()));
	assert_err(-E2BIG, kvmi_listener_open_vsock(&l, PORT, newer_options()));
	assert_err(-E2BIG, kvmi_listener_open_fd(&l, fd, newer_options()));
	assert_err(-E2BIG, kvmi_vm_open_fd(&vm, fd, newer_options()));
	assert_err(-EINVAL, kvmi_listener_open_unix(&l, path, bad_options()));
	assert_err(-EINVAL, kvmi_listener_open_vsock(&l, PORT, bad_options()));
	assert_err(-EINVAL, kvmi_listener_open_fd(&l, fd, bad_options()));
	assert_err(-EINVAL, kvmi_vm_open_fd(&vm, fd, bad_options()));
	assert_err(-EADDRINUSE, kvmi_listener_open_unix(&l, other, NULL));
	close(fd);
	unlink(other);
	/* None of them has left anything. */
	assert_int_equal(rmdir(folder), 0);
}

static void vsock_that_is_taken(void **state)
{
	struct kvmi_listener *first, *second;
	int err;

	(void)state;
	is_vsock_out = true;
	assert_err(-EAFNOSUPPORT, kvmi_listener_open_vsock(&first, PORT, NULL));
	is_vsock_out = false;
	err = kvmi_listener_open_vsock(&first, PORT, NULL);
	if (err) {
		rig_excuse("kvmi_listener_open_vsock", -EADDRINUSE);
		skip();
	}
	assert_err(-EADDRINUSE, kvmi_listener_open_vsock(&second, PORT, NULL));
	kvmi_listener_close(first);
}

/* A device manager, and how it fails. */
struct manager {
	enum { LEAVES, GARBLES, IS_OLD, NEEDS_KEY, HAS_NO_KEY, IS_OTHER } fault;
	int fd;
	pthread_t thread;
};

static int say_hello(const struct manager *m)
{
	uint8_t nonce[32] = { 1 }, msg[KVMI_HANDSHAKE_MAX];
	struct kvmi_qemu2introspector hello;
	size_t size;

	if (m->fault != NEEDS_KEY) {
		peer_hello(&hello, "failing", 1);
		return script_send(m->fd, &hello, hello.struct_size);
	}
	size = peer_long_hello(msg, "failing", 1, KVMI_FEATURE_READY |
			       KVMI_FEATURE_HMAC);
	size = peer_append(msg, size, KVMI_RECORD_NONCE, nonce, sizeof(nonce));
	return script_send(m->fd, msg, size);
}

static void *fail_so(void *arg)
{
	struct kvmi_introspector2qemu answer;
	struct manager *m = arg;
	struct frame frame;

	if (say_hello(m) || script_receive(m->fd, &answer, sizeof(answer)))
		goto out;
	if (m->fault == LEAVES || script_command(m->fd, &frame))
		goto out;
	if (m->fault == GARBLES)
		frame.hdr.seq ^= 0x5555;
	script_version(m->fd, &frame, m->fault == IS_OTHER ? 2 : KVMI_VERSION);
out:
	close(m->fd);
	return NULL;
}

static void begin(struct manager *m, int fault, int fd)
{
	*m = (struct manager){ .fault = fault, .fd = fd };
	assert_int_equal(pthread_create(&m->thread, NULL, fail_so, m), 0);
}

static void manager_options(struct kvmi_options *opts, int fault)
{
	rig_options(opts);
	if (fault == HAS_NO_KEY) {
		opts->key = "k";
		opts->key_size = 1;
	}
	if (fault == IS_OLD)
		opts->share_memory = KVMI_SHARE_MUST;
}

static int try_open(int fault)
{
	struct kvmi_options opts;
	struct manager manager;
	struct kvmi_vm *vm;
	int fds[2], err;

	manager_options(&opts, fault);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	begin(&manager, fault, fds[1]);
	err = kvmi_vm_open_fd(&vm, fds[0], &opts);
	close(fds[0]);
	pthread_join(manager.thread, NULL);
	return err;
}

static int dial(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

static int try_accept(int fault)
{
	char path[] = "/tmp/kvmi-unit-XXXXXX";
	struct kvmi_listener *listener;
	struct kvmi_options opts;
	struct manager manager;
	struct kvmi_vm *vm;
	int err;

	manager_options(&opts, fault);
	assert_non_null(mkdtemp(path));
	rmdir(path);
	assert_err(0, kvmi_listener_open_unix(&listener, path, &opts));
	begin(&manager, fault, dial(path));
	err = kvmi_listener_accept(listener, NULL, 5000, &vm);
	kvmi_listener_close(listener);
	pthread_join(manager.thread, NULL);
	return err;
}

static void device_managers_that_fail(void **state)
{
	static const struct {
		int fault, err;
	} cases[] = {
		{ LEAVES, -ECONNREFUSED }, { GARBLES, -EPROTO },
		{ IS_OLD, -EOPNOTSUPP }, { NEEDS_KEY, -ENOKEY },
		{ HAS_NO_KEY, -EKEYREJECTED }, { IS_OTHER, -EOPNOTSUPP },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_err_of(kvmi_vm_open_fd, cases[i].err,
			      try_open(cases[i].fault));
		assert_err_of(kvmi_listener_accept, cases[i].err,
			      try_accept(cases[i].fault));
	}
}

static void peers_without_a_hello(void **state)
{
	struct kvmi_options opts;
	struct kvmi_vm *vm;
	int fds[2];

	(void)state;
	rig_options(&opts);
	opts.handshake_timeout = 10;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_err(-ETIMEDOUT, kvmi_vm_open_fd(&vm, fds[0], &opts));
	close(fds[1]);
	assert_err(-ECONNRESET, kvmi_vm_open_fd(&vm, fds[0], &opts));
	close(fds[0]);
}

static void submissions(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, script_swallow, NULL);
	is_memory_out = true;
	assert_err(-ENOMEM, kvmi_vm_submit(rig.vm, KVMI_VM_GET_INFO, NULL, 0,
					   NULL));
	is_memory_out = false;
	rig_close(&rig);
}

static void areas(void **state)
{
	struct kvmi_memory_area area = { .size = 0 };
	struct rig rig;

	(void)state;
	rig_open(&rig, script_swallow, NULL);
	assert_err(-EINVAL, kvmi_vm_get_memory_area(rig.vm, 0, &area));
	area.size = sizeof(area);
	assert_err(-ENOENT, kvmi_vm_get_memory_area(rig.vm, 0, &area));
	rig_close(&rig);
}

static int garble(int fd, void *arg)
{
	const struct kvmi_msg_hdr hdr = { .id = 4, .size = 8, .seq = 99 };
	const uint64_t body = 0;

	(void)arg;
	if (script_send(fd, &hdr, sizeof(hdr)) ||
	    script_send(fd, &body, sizeof(body)))
		return -EPIPE;
	return script_swallow(fd, NULL);
}

static int garble_later(int fd, void *arg)
{
	struct frame frame;

	return script_command(fd, &frame) ? -EPIPE : garble(fd, arg);
}

/* What is submitted, pumped and taken in a session that was garbled. */
static void garbled_sessions(void **state)
{
	struct kvmi_event *event;
	struct kvmi_reply *reply;
	struct rig rig;

	(void)state;
	rig_open(&rig, garble_later, NULL);
	assert_err(0, kvmi_vm_submit(rig.vm, KVMI_VM_GET_INFO, NULL, 0, NULL));
	assert_err(0, kvmi_vm_next_reply(rig.vm, 5000, &reply));
	assert_err(-EPROTO, kvmi_reply_get_error(reply, NULL));
	kvmi_reply_free(reply);
	assert_err(-EPROTO, kvmi_vm_next_reply(rig.vm, 5000, &reply));
	assert_err(-EPROTO, kvmi_vm_next_event(rig.vm, 5000, &event));
	assert_err(-EPROTO, kvmi_vm_pump(rig.vm));
	assert_err(-EPROTO, kvmi_vm_submit(rig.vm, KVMI_VM_GET_INFO, NULL, 0,
					   NULL));
	rig_close(&rig);
}

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
		return garble(fd, NULL);
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
		is_memory_out = true;
		err = s.about->call(rig.vm, event);
		is_memory_out = false;
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
		cmocka_unit_test(options_are_judged),
		cmocka_unit_test(vsock_that_is_taken),
		cmocka_unit_test(device_managers_that_fail),
		cmocka_unit_test(peers_without_a_hello),
		cmocka_unit_test(submissions),
		cmocka_unit_test(areas),
		cmocka_unit_test(garbled_sessions),
		cmocka_unit_test(events_in_sessions_that_fail),
		cmocka_unit_test(instructions_that_cannot_be_read),
		cmocka_unit_test(replies_that_are_there),
		cmocka_unit_test(replies_without_memory),
		cmocka_unit_test(event_of_no_vcpu),
	};

	return cmocka_run_group_tests_name("refusals", tests, NULL, NULL);
}
