// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every function of the old interface that sends a command, and every error that
 * its header gives it: those that the kernel answers with, and those of a session
 * that is silent, ends or is garbled. The library's parts are linked, so that the
 * test need not wait as long as a program does.
 */
#include "domain.h"

#include "compat.h"

static uint8_t bytes[4096];
static unsigned long long value;
static unsigned int word;

static int get_registers(void *dom)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	return kvmi_get_registers(dom, 0, &regs, &sregs, NULL, NULL);
}

static int set_registers(void *dom)
{
	static const struct kvm_regs regs;

	return kvmi_set_registers(dom, 0, &regs);
}

static int set_page_access(void *dom)
{
	unsigned char access = KVMI_PAGE_ACCESS_R;
	unsigned long long gpa = 0x1000;

	return kvmi_set_page_access(dom, &gpa, &access, 1, 0);
}

/* Whose commands are sent by the commit; sets errno last. */
static int commit(void *batch, int err)
{
	assert_int_equal(err, 0);
	err = kvmi_batch_commit(batch) ? errno : 0;
	kvmi_batch_free(batch);
	errno = err;
	return err ? -1 : 0;
}

static int commit_registers(void *dom)
{
	static const struct kvm_regs regs;
	void *batch = kvmi_batch_alloc(dom);

	return commit(batch, kvmi_queue_registers(batch, 0, &regs));
}

/* Of a page fault, with a step, which is a command. */
static int reply(void *dom)
{
	struct {
		struct kvmi_v1_vcpu_hdr vcpu;
		struct kvmi_event_reply reply;
		struct kvmi_event_pf_reply pf;
	} r = { .pf.singlestep = 1 };
	struct kvmi_dom_event *e = NULL;
	int err;

	assert_int_equal(kvmi_wait_event(dom, 5000), 0);
	assert_int_equal(kvmi_pop_event(dom, &e), 0);
	r.reply.event = e->event.common.event;
	err = kvmi_reply_event(dom, e->seq, &r, sizeof(r)) ? errno : 0;
	free(e);
	errno = err;
	return err ? -1 : 0;
}

#define WITH(function, ...) \
	static int call_##function(void *dom) \
	{ \
		return function(dom, __VA_ARGS__); \
	}

WITH(kvmi_check_command, 17)
WITH(kvmi_check_event, KVMI_EVENT_CR)
WITH(kvmi_get_vcpu_count, &word)
WITH(kvmi_get_maximum_gfn, &value)
WITH(kvmi_control_vm_events, KVMI_EVENT_UNHOOK, true)
WITH(kvmi_pause_all_vcpus, 1)
WITH(kvmi_read_physical, 0, bytes, sizeof(bytes))
WITH(kvmi_write_physical, 0, bytes, sizeof(bytes))
WITH(kvmi_get_tsc_speed, &value)
WITH(kvmi_control_events, 0, KVMI_EVENT_PF, true)
WITH(kvmi_control_cr, 0, 3, true)
WITH(kvmi_control_msr, 0, 0x10, true)
WITH(kvmi_control_singlestep, 0, true)
WITH(kvmi_translate_gva, 0, 0, &value)
WITH(kvmi_get_cpuid, 0, 0, 0, &word, &word, &word, &word)
WITH(kvmi_get_mtrr_type, 0, bytes)
WITH(kvmi_get_xcr, 0, 0, &value)
WITH(kvmi_get_xsave, 0, bytes, sizeof(bytes))
WITH(kvmi_set_xsave, 0, bytes, sizeof(bytes))
WITH(kvmi_inject_exception, 0, 0, 0, 3)

#define ROW(function) { #function, call_##function, false }

struct row {
	const char *name;
	int (*call)(void *dom);
	bool has_event;
};

/* Those with the errors of all commands. */
static const struct row commands[] = {
	ROW(kvmi_check_command), ROW(kvmi_check_event),
	ROW(kvmi_get_vcpu_count), ROW(kvmi_get_maximum_gfn),
	ROW(kvmi_control_vm_events), ROW(kvmi_pause_all_vcpus),
	ROW(kvmi_read_physical), ROW(kvmi_write_physical),
	{ "kvmi_set_page_access", set_page_access, false },
};

/* Those with the errors of all vCPU commands. */
static const struct row vcpu_commands[] = {
	ROW(kvmi_get_tsc_speed), ROW(kvmi_control_events),
	ROW(kvmi_control_cr), ROW(kvmi_control_msr),
	ROW(kvmi_control_singlestep), ROW(kvmi_translate_gva),
	ROW(kvmi_get_cpuid), ROW(kvmi_get_mtrr_type), ROW(kvmi_get_xcr),
	ROW(kvmi_get_xsave), ROW(kvmi_set_xsave), ROW(kvmi_inject_exception),
	{ "kvmi_get_registers", get_registers, false },
	{ "kvmi_set_registers", set_registers, false },
	{ "kvmi_batch_commit", commit_registers, false },
	{ "kvmi_reply_event", reply, true },
};

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

/* What the other side does to one call. */
struct scene {
	const struct row *row;
	int wire;
};

static int begin_scene(int fd, const struct scene *s)
{
	const struct kvmi_vcpu_event_pf pf = { .gpa = 0x5000 };

	return s->row && s->row->has_event ?
	       script_vcpu_event(fd, 1, 0, KVMI_VCPU_EVENT_PF, &pf,
				 sizeof(pf)) : 0;
}

/* Answers every command with the error. */
static int refuse(int fd, void *arg)
{
	const struct scene *s = arg;
	struct frame frame;
	int err = begin_scene(fd, s);

	while (!err && !script_command(fd, &frame))
		if (frame.hdr.id != KVMI_VCPU_EVENT)
			err = script_reply(fd, &frame, s->wire, NULL, 0);
	return err;
}

static int swallow(int fd, void *arg)
{
	int err = begin_scene(fd, arg);

	return err ? err : script_swallow(fd, NULL);
}

static int hang_up(int fd, void *arg)
{
	struct frame frame;
	int err = begin_scene(fd, arg);

	return err ? err : script_command(fd, &frame);
}

/* Answers what nobody has asked. */
static int garble(int fd, void *arg)
{
	struct frame frame;

	if (begin_scene(fd, arg) || script_command(fd, &frame))
		return -EPIPE;
	frame.hdr.seq ^= 0x5555;
	script_reply(fd, &frame, 0, NULL, 0);
	return script_swallow(fd, NULL);
}

static void open_scene(struct compat *c, int (*script)(int fd, void *arg),
		       struct scene *s)
{
	compat_init(c, NULL);
	c->script = script;
	c->arg = s;
	compat_open(c);
}

static void set_timeout(void *dom, int ms)
{
	kvmi_vm_set_timeout(((struct domain *)dom)->vm, ms);
}

static void assert_error(const struct row *row, int expected,
			 int (*script)(int fd, void *arg), int wire)
{
	struct scene s = { row, wire };
	struct compat c;

	open_scene(&c, script, &s);
	if (expected == ETIMEDOUT)
		set_timeout(c.dom, 20);
	errno = 0;
	compat_assert_errno(row->name, expected, row->call(c.dom) == -1,
			    __FILE__, __LINE__);
	compat_close(&c);
}

static void assert_all(const struct row *rows, size_t count, int expected,
		       int (*script)(int fd, void *arg), int wire)
{
	size_t i;

	for (i = 0; i < count; i++)
		assert_error(&rows[i], expected, script, wire);
}

static void both(int expected, int (*script)(int fd, void *arg), int wire)
{
	assert_all(commands, COUNT(commands), expected, script, wire);
	assert_all(vcpu_commands, COUNT(vcpu_commands), expected, script, wire);
}

static void errors_of_all_commands(void **state)
{
	(void)state;
	both(ENOSYS, refuse, -KVM_ENOSYS);
	both(ENOMEM, refuse, -KVM_ENOMEM);
	both(ETIMEDOUT, swallow, 0);
	both(ENOTCONN, hang_up, 0);
	both(EPROTO, garble, 0);
}

/* A right that comes late is waited for, in one session once. */
static void commands_that_are_not_allowed(void **state)
{
	const struct row pf = { .has_event = true };
	struct scene s = { &pf, -KVM_EPERM };
	struct compat c;
	size_t i;

	(void)state;
	open_scene(&c, refuse, &s);
	for (i = 0; i < COUNT(commands) + COUNT(vcpu_commands); i++) {
		const struct row *row = i < COUNT(commands) ? &commands[i] :
					&vcpu_commands[i - COUNT(commands)];

		errno = 0;
		compat_assert_errno(row->name, EPERM, row->call(c.dom) == -1,
				    __FILE__, __LINE__);
	}
	compat_close(&c);
}

static void errors_of_all_vcpu_commands(void **state)
{
	(void)state;
	assert_all(vcpu_commands, COUNT(vcpu_commands), EINVAL, refuse,
		   -KVM_EINVAL);
	assert_all(vcpu_commands, COUNT(vcpu_commands), EAGAIN, refuse,
		   -KVM_EAGAIN);
}

#define assert_refused(wire, error, function) \
	assert_error(&(const struct row)ROW(function), error, refuse, wire)

static void errors_of_single_commands(void **state)
{
	const struct row set = { "kvmi_set_registers", set_registers, false };
	const struct row batch = { "kvmi_batch_commit", commit_registers,
				   false };
	const struct row event = { "kvmi_reply_event", reply, true };

	(void)state;
	assert_refused(-KVM_ENOENT, ENOENT, kvmi_check_command);
	assert_refused(-KVM_ENOENT, ENOENT, kvmi_check_event);
	assert_refused(-KVM_EBUSY, EBUSY, kvmi_pause_all_vcpus);
	assert_refused(-KVM_ENOENT, ENOENT, kvmi_read_physical);
	assert_refused(-KVM_ENOENT, ENOENT, kvmi_write_physical);
	assert_refused(-KVM_EAGAIN, EAGAIN, kvmi_write_physical);
	assert_refused(-KVM_EOPNOTSUPP, EOPNOTSUPP, kvmi_control_events);
	assert_refused(-KVM_EOPNOTSUPP, EOPNOTSUPP, kvmi_control_singlestep);
	assert_refused(-KVM_EBUSY, EBUSY, kvmi_control_singlestep);
	assert_refused(-KVM_ENOENT, ENOENT, kvmi_get_cpuid);
	assert_refused(-KVM_EBUSY, EBUSY, kvmi_inject_exception);
	assert_error(&set, EOPNOTSUPP, refuse, -KVM_EOPNOTSUPP);
	assert_error(&batch, EOPNOTSUPP, refuse, -KVM_EOPNOTSUPP);
	assert_error(&event, EOPNOTSUPP, refuse, -KVM_EOPNOTSUPP);
	assert_error(&event, EBUSY, refuse, -KVM_EBUSY);
}

static void ranges_that_wrap_around(void **state)
{
	struct scene s = { .wire = -KVM_ENOENT };
	struct compat c;

	(void)state;
	open_scene(&c, refuse, &s);
	assert_errno(EINVAL, kvmi_read_physical(c.dom, ~0ull, bytes, 2));
	assert_errno(EINVAL, kvmi_write_physical(c.dom, ~0ull, bytes, 2));
	compat_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_of_all_commands),
		cmocka_unit_test(commands_that_are_not_allowed),
		cmocka_unit_test(errors_of_all_vcpu_commands),
		cmocka_unit_test(errors_of_single_commands),
		cmocka_unit_test(ranges_that_wrap_around),
	};

	return cmocka_run_group_tests_name("compat-errors", tests, NULL, NULL);
}
