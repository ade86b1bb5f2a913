// SPDX-License-Identifier: GPL-2.0-or-later
/* The old interface: how sessions begin and end, settings, what it lacks. */
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "compat.h"
#include "layout.h"

/* What clients resolve or link although no header declares it. */
int kvmi_pause_vcpu(void *dom, unsigned short vcpu);
int kvmi_set_event_cb(void *dom, void *cb, void *ctx);

/* SHA-1 of "secret", of six bytes. */
static const uint8_t secret_hash[20] = {
	0xe5, 0xe9, 0xfa, 0x1b, 0xa3, 0x1e, 0xcd, 0x1a, 0xe8, 0x4f,
	0x75, 0xca, 0xaa, 0x47, 0x4f, 0x3a, 0x66, 0x3f, 0x05, 0xf4,
};

static void callbacks_get_the_vm(void **state)
{
	struct compat c;
	char name[16], cut[3];
	unsigned int version = 0;

	(void)state;
	compat_init(&c, NULL);
	compat_open(&c);
	assert_int_equal(c.hellos, 1);
	assert_int_equal(c.hello.struct_size, 96);
	assert_string_equal(c.hello.name, "old");
	assert_int_equal(c.uuid[0], 0x5a);
	assert_int_equal(c.uuid[15], 0x5a);
	kvmi_domain_name(c.dom, name, sizeof(name));
	assert_string_equal(name, "old");
	kvmi_domain_name(c.dom, cut, sizeof(cut));
	assert_string_equal(cut, "ol");
	assert_int_equal(kvmi_get_starttime(c.dom), c.hello.start_time);
	assert_int_equal(kvmi_get_version(c.dom, &version), 0);
	assert_int_equal(version, 1);
	assert_true(kvmi_connection_fd(c.dom) >= 0);
	assert_true(kvmi_domain_is_connected(c.dom));
	compat_close(&c);
}

static void null_is_closed(void **state)
{
	(void)state;
	kvmi_uninit(NULL);
	kvmi_close(NULL);
	kvmi_domain_close(NULL, true);
	kvmi_domain_close(NULL, false);
	kvmi_batch_free(NULL);
	assert_false(kvmi_domain_is_connected(NULL));
	kvmi_set_log_cb(NULL, NULL);
}

static void init_needs_a_callback(void **state)
{
	(void)state;
	assert_fails(NULL, EINVAL,
		     kvmi_init_unix_socket("/tmp/none", NULL, NULL, NULL));
	assert_fails(NULL, EINVAL, kvmi_init_vsock(1234, NULL, NULL, NULL));
}

/* A domain outlives the context; a client gives the domain to kvmi_close(). */
static void close_takes_either(void **state)
{
	struct compat c;

	(void)state;
	compat_init(&c, NULL);
	compat_open(&c);
	kvmi_close(c.ctx);
	assert_int_equal(access(c.path, F_OK), -1);
	assert_true(kvmi_domain_is_connected(c.dom));
	kvmi_close(c.dom);
	compat_join(&c);
	assert_int_equal(c.result, 0);
	compat_finish(&c);
}

static void end_is_told(void **state)
{
	struct kvmi_dom_event *e;
	struct compat c;
	unsigned int count;

	(void)state;
	compat_init(&c, NULL);
	compat_open(&c);
	shutdown(c.fd, SHUT_RDWR);
	/* Without limit. */
	assert_errno(ENOTCONN, kvmi_wait_event(c.dom, -1));
	assert_errno(ENOTCONN, kvmi_pop_event(c.dom, &e));
	assert_errno(ENOTCONN, kvmi_get_vcpu_count(c.dom, &count));
	assert_false(kvmi_domain_is_connected(c.dom));
	assert_true(compat_said(&c, "session ended"));
	assert_int_equal(compat_said(&c, "kvmi_get_vcpu_count: "), 1);
	compat_close(&c);
}

static void callback_can_refuse(void **state)
{
	struct compat c;

	(void)state;
	compat_init(&c, NULL);
	c.guest_result = 1;
	compat_listen(&c);
	compat_connect(&c);
	compat_join(&c);
	assert_int_equal(c.result, 0);
	c.guest_result = 0;
	c.hello_result = -1;
	compat_connect(&c);
	compat_join(&c);
	assert_int_equal(c.result, -EPIPE);
	assert_int_equal(c.hellos, 2);
	assert_null(c.dom);
	compat_finish(&c);
}

/* One VM is enough for this client; its thread must not wait for itself. */
static void context_ends_in_its_callback(void **state)
{
	struct compat c;
	int i;

	(void)state;
	compat_init(&c, NULL);
	c.ends_in_callback = true;
	compat_open(&c);
	for (i = 0; i < 500 && !access(c.path, F_OK); i++)
		usleep(10000);
	assert_true(kvmi_domain_is_connected(c.dom));
	compat_close(&c);
}

/* How a VM fails behind its hello. */
struct refusal {
	enum { WRONG_KEY, LEAVES, IS_NEWER, IS_OLDER, GARBLES } fault;
	const char *reason;
};

static int begin_badly(int fd, const void *arg)
{
	static const uint8_t other[20] = { 9 };
	const struct refusal *r = arg;
	const uint32_t version = 1;
	struct frame frame;
	int err;

	err = peer_begin(fd, "old", 0x5a, r->fault == WRONG_KEY ? other : NULL);
	if (err || r->fault == LEAVES || script_command(fd, &frame))
		return -EACCES;
	if (r->fault == IS_OLDER)
		script_reply(fd, &frame, 0, &version, sizeof(version));
	if (r->fault == GARBLES)
		frame.hdr.seq ^= 0x5555;
	script_version(fd, &frame, r->fault == IS_NEWER ? 2 : 1);
	script_swallow(fd, NULL);
	return -EACCES;
}

static void reason_of_a_refusal_is_told(void **state)
{
	static const struct refusal refusals[] = {
		{ WRONG_KEY, "wrong key, or KVM refused the hook" },
		{ LEAVES, "wrong key, or KVM refused the hook" },
		{ IS_NEWER, "the kernel speaks version 2 of the protocol" },
		{ IS_OLDER, "the kernel speaks another, older protocol" },
		{ GARBLES, "the peer broke the protocol" },
	};
	struct compat c;
	size_t i;
	int wait;

	(void)state;
	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		compat_init(&c, NULL);
		c.begin = begin_badly;
		c.arg = (void *)&refusals[i];
		compat_listen(&c);
		compat_connect(&c);
		compat_join(&c);
		assert_int_equal(c.result, -EACCES);
		/* Its thread may not have seen it yet. */
		for (wait = 0; wait < 500 && !compat_said(&c, "vm 5a"); wait++)
			usleep(10000);
		compat_finish(&c);
		assert_int_equal(compat_said(&c, "vm 5a5a5a5a-"), 1);
		assert_true(compat_said(&c, refusals[i].reason));
		assert_null(c.dom);
	}
}

static void in_the_child(struct compat *c)
{
	unsigned int count;

	kvmi_uninit(c->ctx);
	_exit(kvmi_get_vcpu_count(c->dom, &count) || count != 7);
}

/* A daemon forks for each VM: the parent leaves without a hang-up. */
static void child_has_the_domain(void **state)
{
	const struct kvmi_vm_get_info_reply info = { .vcpu_count = 7 };
	const struct act acts[] = {
		{ ACT_COMMAND, KVMI_VM_GET_INFO, DATA(&info) },
		{ 0 }
	};
	struct compat c;
	int status;
	pid_t pid;

	(void)state;
	compat_init(&c, acts);
	compat_open(&c);
	pid = fork();
	if (!pid)
		in_the_child(&c);
	kvmi_domain_close(c.dom, false);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	compat_join(&c);
	assert_int_equal(c.result, 0);
	/* The child's kvmi_uninit() left the socket. */
	assert_int_equal(access(c.path, F_OK), 0);
	compat_finish(&c);
}

static void other_files_stay(void **state)
{
	struct compat c;
	int fd;

	(void)state;
	compat_init(&c, NULL);
	fd = open(c.path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_fails(NULL, EADDRINUSE,
		     kvmi_init_unix_socket(c.path, (void *)abort, NULL, NULL));
	assert_int_equal(compat_said(&c, "cannot listen on"), 1);
	assert_int_equal(unlink(c.path), 0);
	compat_finish(&c);
}

static unsigned int mode_with(const char *setting)
{
	struct compat c;
	struct stat st;

	if (setting)
		setenv("LIBKVMI_SOCKET_MODE", setting, 1);
	compat_init(&c, NULL);
	compat_listen(&c);
	assert_int_equal(stat(c.path, &st), 0);
	compat_finish(&c);
	unsetenv("LIBKVMI_SOCKET_MODE");
	return st.st_mode & 07777;
}

static void socket_has_its_mode(void **state)
{
	struct compat c;

	(void)state;
	assert_int_equal(mode_with(NULL), 0660);
	assert_int_equal(mode_with("0777"), 0777);
	setenv("LIBKVMI_SOCKET_MODE", "rwx", 1);
	compat_init(&c, NULL);
	assert_fails(NULL, EINVAL,
		     kvmi_init_unix_socket(c.path, (void *)abort, NULL, NULL));
	unsetenv("LIBKVMI_SOCKET_MODE");
	compat_finish(&c);
}

static void set_key_file(const struct compat *c, char *path, size_t size)
{
	FILE *file;

	snprintf(path, size, "%s.key", c->folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("secret", file);
	fclose(file);
	setenv("LIBKVMI_KEY_FILE", path, 1);
}

static void zero_cookie_is_the_key_file(void **state)
{
	struct compat c;
	char path[64];

	(void)state;
	/* A device manager that proves nothing gets nothing. */
	compat_init(&c, NULL);
	set_key_file(&c, path, sizeof(path));
	compat_listen(&c);
	compat_connect(&c);
	compat_join(&c);
	assert_int_equal(c.result, -EPIPE);
	compat_finish(&c);
	unlink(path);

	setenv("LIBKVMI_OLD_AUTH", "1", 1);
	compat_init(&c, NULL);
	set_key_file(&c, path, sizeof(path));
	c.hash = secret_hash;
	compat_open(&c);
	compat_close(&c);
	unlink(path);
	unsetenv("LIBKVMI_OLD_AUTH");

	/* It was asked for, and without it no VM would come. */
	compat_init(&c, NULL);
	assert_fails(NULL, ENOENT,
		     kvmi_init_unix_socket(c.path, (void *)abort, NULL, NULL));
	assert_int_equal(compat_said(&c, "cannot read the key"), 1);
	unsetenv("LIBKVMI_KEY_FILE");
	compat_finish(&c);
}

static void cookie_of_the_callback_counts(void **state)
{
	struct compat c;
	char path[64];

	(void)state;
	compat_init(&c, NULL);
	set_key_file(&c, path, sizeof(path));
	memset(c.fill, 0x77, sizeof(c.fill));
	c.hash = c.fill;
	compat_open(&c);
	compat_close(&c);
	unlink(path);
	unsetenv("LIBKVMI_KEY_FILE");
}

static void features_are_not_misread(void **state)
{
	bool has[4] = { true, true, true, true };
	struct compat c;

	(void)state;
	compat_init(&c, NULL);
	compat_open(&c);
	assert_int_equal(kvmi_spp_support(c.dom, &has[0]), 0);
	assert_int_equal(kvmi_ve_support(c.dom, &has[1]), 0);
	assert_int_equal(kvmi_vmfunc_support(c.dom, &has[2]), 0);
	assert_int_equal(kvmi_eptp_support(c.dom, &has[3]), 0);
	assert_false(has[0] || has[1] || has[2] || has[3]);
	assert_false(kvmi_remote_mapping_v2());
	compat_close(&c);
}

static void call_what_is_absent(void *dom, void *batch)
{
	unsigned long long gfn = 0;
	unsigned short view = 0;
	unsigned int bitmap = 0;
	bool sve;

	assert_errno(EOPNOTSUPP, kvmi_queue_spp_access(batch, &gfn, &bitmap, 0,
						       1));
	assert_errno(EOPNOTSUPP, kvmi_set_page_write_bitmap(dom, &gfn, &bitmap,
							    1));
	assert_errno(EOPNOTSUPP, kvmi_shutdown_guest(dom));
	assert_errno(EOPNOTSUPP, kvmi_get_next_available_gfn(dom, &gfn));
	assert_errno(EOPNOTSUPP, kvmi_set_ve_info_page(dom, 0, 0));
	assert_errno(EOPNOTSUPP, kvmi_set_ept_page_conv(dom, 0, 0, true));
	assert_errno(EOPNOTSUPP, kvmi_get_ept_page_conv(dom, 0, 0, &sve));
	assert_errno(EOPNOTSUPP, kvmi_switch_ept_view(dom, 0, 0));
	assert_errno(EOPNOTSUPP, kvmi_disable_ve(dom, 0));
	assert_errno(EOPNOTSUPP, kvmi_create_ept_view(dom, &view));
	assert_errno(EOPNOTSUPP, kvmi_destroy_ept_view(dom, 1));
	assert_errno(EOPNOTSUPP, kvmi_get_ept_view(dom, 0, &view));
	assert_errno(EOPNOTSUPP, kvmi_control_ept_view(dom, 0, 1, true));
	assert_errno(EOPNOTSUPP, kvmi_change_gfn(dom, 0, 0, 1, 2));
	assert_errno(EOPNOTSUPP, kvmi_alloc_gfn(dom, 1));
	assert_errno(EOPNOTSUPP, kvmi_free_gfn(dom, 1));
	assert_errno(EOPNOTSUPP, kvmi_pause_vcpu(dom, 0));
	assert_errno(EOPNOTSUPP, kvmi_set_event_cb(dom, NULL, NULL));
}

#define ABSENT_COUNT 18

static void absent_says_so_once(void **state)
{
	struct compat c;
	void *batch;

	(void)state;
	compat_init(&c, NULL);
	compat_open(&c);
	batch = kvmi_batch_alloc(c.dom);
	assert_non_null(batch);
	call_what_is_absent(c.dom, batch);
	call_what_is_absent(c.dom, batch);
	kvmi_batch_free(batch);
	assert_int_equal(compat_said(&c, "is not supported"), ABSENT_COUNT);
	compat_close(&c);
}

static void mapping_needs_shared_memory(void **state)
{
	struct compat c;
	char page;

	(void)state;
	compat_init(&c, NULL);
	compat_open(&c);
	assert_int_equal(kvmi_memory_mapping(c.dom, false), 0);
	assert_errno(EOPNOTSUPP, kvmi_memory_mapping(c.dom, true));
	assert_fails(MAP_FAILED, EOPNOTSUPP, kvmi_map_physical_page(c.dom, 0));
	assert_errno(EINVAL, kvmi_unmap_physical_page(c.dom, MAP_FAILED));
	assert_errno(EINVAL, kvmi_unmap_physical_page(c.dom, NULL));
	assert_int_equal(kvmi_unmap_physical_page(c.dom, &page), 0);
	compat_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(callbacks_get_the_vm),
		cmocka_unit_test(null_is_closed),
		cmocka_unit_test(init_needs_a_callback),
		cmocka_unit_test(close_takes_either),
		cmocka_unit_test(end_is_told),
		cmocka_unit_test(callback_can_refuse),
		cmocka_unit_test(context_ends_in_its_callback),
		cmocka_unit_test(reason_of_a_refusal_is_told),
		cmocka_unit_test(child_has_the_domain),
		cmocka_unit_test(other_files_stay),
		cmocka_unit_test(socket_has_its_mode),
		cmocka_unit_test(zero_cookie_is_the_key_file),
		cmocka_unit_test(cookie_of_the_callback_counts),
		cmocka_unit_test(features_are_not_misread),
		cmocka_unit_test(absent_says_so_once),
		cmocka_unit_test(mapping_needs_shared_memory),
	};

	return cmocka_run_group_tests_name("compat", tests, NULL, NULL);
}
