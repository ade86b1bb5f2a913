// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The old interface at its limits: memory, threads and addresses that run out,
 * and what is shared of a guest. The library's parts are linked, so that they
 * get the functions below.
 */
#include <sys/mman.h>

#include "compat.h"
#include "scarce.h"
#include "sharer.h"

#define PORT	47116

/* Beside what is scarce: no thread for this one. */
static __thread bool is_thread_out;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*run)(void *), void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*run)(void *), void *arg)
{
	return is_thread_out ? EAGAIN :
			       __real_pthread_create(thread, attr, run, arg);
}

static void open_with(struct compat *c, int (*script)(int fd, void *arg))
{
	compat_init(c, NULL);
	c->script = script;
	compat_open(c);
}

static int garble_at_once(int fd, void *arg)
{
	const struct kvmi_msg_hdr hdr = { .id = 4, .size = 8, .seq = 99 };
	const uint64_t body = 0;

	(void)arg;
	script_send(fd, &hdr, sizeof(hdr));
	script_send(fd, &body, sizeof(body));
	return script_swallow(fd, NULL);
}

static void queues_that_are_empty(void **state)
{
	struct kvmi_dom_event *e;
	struct compat c;

	(void)state;
	open_with(&c, script_swallow);
	is_thread_out = true;
	assert_errno(ENOMEM, kvmi_wait_event(c.dom, KVMI_NOWAIT));
	is_thread_out = false;
	assert_errno(ETIMEDOUT, kvmi_wait_event(c.dom, KVMI_NOWAIT));
	assert_errno(ETIMEDOUT, kvmi_pop_event(c.dom, &e));
	assert_null(e);
	compat_close(&c);

	open_with(&c, garble_at_once);
	assert_errno(EPROTO, kvmi_wait_event(c.dom, -1));
	assert_errno(EPROTO, kvmi_pop_event(c.dom, &e));
	assert_null(e);
	assert_false(kvmi_domain_is_connected(c.dom));
	compat_close(&c);
}

static void batches_without_memory(void **state)
{
	static const struct kvm_regs regs;
	unsigned long long gpa = 0;
	unsigned char access = 0;
	struct compat c;
	void *batch;

	(void)state;
	open_with(&c, script_swallow);
	batch = kvmi_batch_alloc(c.dom);
	scarce_memory = true;
	assert_fails(NULL, ENOMEM, kvmi_batch_alloc(c.dom));
	assert_errno(ENOMEM, kvmi_queue_registers(batch, 0, &regs));
	assert_errno(ENOMEM, kvmi_queue_reply_event(batch, 1, &gpa, 8));
	assert_errno(ENOMEM, kvmi_queue_page_access(batch, &gpa, &access, 1, 0));
	assert_errno(ENOMEM, kvmi_queue_pause_vcpu(batch, 0));
	scarce_memory = false;
	/* What was not queued is not sent. */
	assert_int_equal(kvmi_batch_commit(batch), 0);
	kvmi_batch_free(batch);
	compat_close(&c);
}

static void reply_without_memory(void **state)
{
	const struct kvmi_vcpu_event_reply sent = {
		.event = KVMI_VCPU_EVENT_PAUSE,
	};
	const struct act acts[] = {
		{ ACT_EVENT, KVMI_VCPU_EVENT_PAUSE, .vcpu = 1, .seq = 1 },
		{ ACT_REPLY, .vcpu = 1, .seq = 1, BODY(&sent) },
		{ 0 }
	};
	const struct {
		struct kvmi_v1_vcpu_hdr vcpu;
		struct kvmi_event_reply reply;
	} r = { { .vcpu = 1 }, { .event = KVMI_EVENT_PAUSE_VCPU } };
	struct compat c;

	(void)state;
	compat_init(&c, acts);
	compat_open(&c);
	free(compat_event(&c, KVMI_EVENT_PAUSE_VCPU, 1));
	scarce_memory = true;
	assert_errno(ENOMEM, kvmi_reply_event(c.dom, 1, &r, sizeof(r)));
	scarce_memory = false;
	assert_int_equal(kvmi_reply_event(c.dom, 1, &r, sizeof(r)), 0);
	compat_close(&c);
}

static int guest(void *dom, unsigned char (*uuid)[16], void *ctx)
{
	(void)dom;
	(void)uuid;
	(void)ctx;
	return 0;
}

static void listening_that_fails(void **state)
{
	char path[] = "/tmp/kvmi-unit-XXXXXX", name[110];

	(void)state;
	assert_non_null(mkdtemp(path));
	rmdir(path);
	memset(name, 'a', sizeof(name));
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	assert_fails(NULL, ENAMETOOLONG,
		     kvmi_init_unix_socket(name, guest, NULL, NULL));
	assert_fails(NULL, EINVAL,
		     kvmi_init_unix_socket(NULL, guest, NULL, NULL));
	scarce_memory = true;
	assert_fails(NULL, ENOMEM,
		     kvmi_init_unix_socket(path, guest, NULL, NULL));
	assert_fails(NULL, ENOMEM, kvmi_init_vsock(PORT, guest, NULL, NULL));
	scarce_memory = false;
	is_thread_out = true;
	assert_fails(NULL, ENOMEM,
		     kvmi_init_unix_socket(path, guest, NULL, NULL));
	is_thread_out = false;
	/* It left nothing. */
	assert_int_equal(access(path, F_OK), -1);
}

static void vsock_that_is_taken(void **state)
{
	void *first;

	(void)state;
	scarce_vsock = true;
	assert_fails(NULL, EAFNOSUPPORT,
		     kvmi_init_vsock(PORT, guest, NULL, NULL));
	scarce_vsock = false;
	first = kvmi_init_vsock(PORT, guest, NULL, NULL);
	if (!first) {
		compat_excuse("kvmi_init_vsock", EADDRINUSE);
		skip();
	}
	assert_fails(NULL, EADDRINUSE,
		     kvmi_init_vsock(PORT, guest, NULL, NULL));
	kvmi_uninit(first);
}

static int begin_sharing(int fd, const void *arg)
{
	return sharer_begin(fd, arg);
}

/* From 1 MiB on it is shared. */
static void mapping_of_a_page(void **state)
{
	struct sharer s;
	struct compat c;
	uint8_t *page;

	(void)state;
	sharer_init(&s);
	assert_int_equal(pwrite(s.fds[0], "at 1 MiB", 8, MIB), 8);
	compat_init(&c, NULL);
	c.begin = begin_sharing;
	c.script = script_nothing;
	c.arg = &s;
	compat_open(&c);
	assert_int_equal(kvmi_memory_mapping(c.dom, true), 0);
	assert_fails(MAP_FAILED, ENOENT, kvmi_map_physical_page(c.dom, 0));
	page = kvmi_map_physical_page(c.dom, MIB + 5);
	assert_memory_equal(page, "at 1 MiB", 8);
	assert_int_equal(kvmi_unmap_physical_page(c.dom, page), 0);
	compat_close(&c);
	sharer_uninit(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queues_that_are_empty),
		cmocka_unit_test(batches_without_memory),
		cmocka_unit_test(reply_without_memory),
		cmocka_unit_test(listening_that_fails),
		cmocka_unit_test(vsock_that_is_taken),
		cmocka_unit_test(mapping_of_a_page),
	};

	return cmocka_run_group_tests_name("compat-limits", tests, NULL, NULL);
}
