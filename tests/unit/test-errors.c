// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every function that sends a command, and every error that the header gives it:
 * those that the kernel answers with, and those of a session that is silent, ends
 * or is garbled. That the kernel itself answers so the live tests prove, cell by
 * cell of the matrix.
 */
#include "rig.h"

#define PAGE	4096

static union {
	struct kvmi_get_version_reply version;
	struct kvmi_vm_get_info_reply info;
	struct kvmi_page_access_entry entry;
	struct kvmi_vcpu_get_info_reply vcpu_info;
	struct kvmi_vcpu_get_registers_reply registers;
	struct kvm_regs regs;
	struct kvmi_vcpu_get_cpuid_reply cpuid;
	struct kvmi_vcpu_get_xsave_reply get_xsave;
	struct kvmi_vcpu_set_xsave set_xsave;
	uint8_t bytes[2 * PAGE];
	uint64_t value;
} room;

static struct kvmi_range range = { 0, room.bytes, sizeof(room.bytes), 0 };
static int statuses[2];

/* Those with the errors of all commands. */
#define COMMANDS(X) \
	X(kvmi_vm_command, KVMI_VM_GET_INFO, NULL, 0, NULL, NULL) \
	X(kvmi_get_version, &room.version) \
	X(kvmi_vm_check_command, KVMI_VM_GET_INFO) \
	X(kvmi_vm_check_event, KVMI_VM_EVENT_UNHOOK) \
	X(kvmi_vm_get_info, &room.info) \
	X(kvmi_vm_control_events, KVMI_VM_EVENT_UNHOOK, true) \
	X(kvmi_vm_read_physical, 0, room.bytes, sizeof(room.bytes)) \
	X(kvmi_vm_read_pages, 0, room.bytes, 2, statuses) \
	X(kvmi_vm_readv_physical, &range, 1) \
	X(kvmi_vm_write_physical, 0, room.bytes, sizeof(room.bytes)) \
	X(kvmi_vm_writev_physical, &range, 1) \
	X(kvmi_vm_control_cleanup, true) \
	X(kvmi_vm_get_max_gfn, &room.value) \
	X(kvmi_vm_pause_vcpu, 0, false) \
	X(kvmi_vm_set_page_access, &room.entry, 1)

/* Those with the errors of all vCPU commands. */
#define VCPU_COMMANDS(X) \
	X(kvmi_vcpu_get_info, 0, &room.vcpu_info) \
	X(kvmi_vcpu_control_events, 0, KVMI_VCPU_EVENT_CR, true) \
	X(kvmi_vcpu_get_registers, 0, NULL, 0, &room.registers, NULL) \
	X(kvmi_vcpu_set_registers, 0, &room.regs) \
	X(kvmi_vcpu_get_cpuid, 0, 0, 0, &room.cpuid) \
	X(kvmi_vcpu_control_cr, 0, 3, true) \
	X(kvmi_vcpu_control_msr, 0, 0x10, true) \
	X(kvmi_vcpu_control_singlestep, 0, true) \
	X(kvmi_vcpu_translate_gva, 0, 0, &room.value) \
	X(kvmi_vcpu_inject_exception, 0, 3, 0, 0) \
	X(kvmi_vcpu_get_xcr, 0, 0, &room.value) \
	X(kvmi_vcpu_get_xsave, 0, &room.get_xsave) \
	X(kvmi_vcpu_set_xsave, 0, &room.set_xsave) \
	X(kvmi_vcpu_get_mtrr_type, 0, 0, room.bytes)

#define DEFINE(function, ...) \
	static int call_##function(struct kvmi_vm *vm) \
	{ \
		return function(vm, __VA_ARGS__); \
	}
#define ROW(function, ...) { #function, call_##function },

COMMANDS(DEFINE)
VCPU_COMMANDS(DEFINE)

struct row {
	const char *name;
	int (*call)(struct kvmi_vm *vm);
};

static const struct row commands[] = { COMMANDS(ROW) };
static const struct row vcpu_commands[] = { VCPU_COMMANDS(ROW) };

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

/* Answers every command with the error. */
static int refuse(int fd, void *arg)
{
	struct frame frame;
	int err = 0;

	while (!err && !script_command(fd, &frame))
		err = script_reply(fd, &frame, *(int *)arg, NULL, 0);
	return err;
}

static int hang_up(int fd, void *arg)
{
	struct frame frame;

	(void)arg;
	return script_command(fd, &frame);
}

/* Answers what nobody has asked. */
static int garble(int fd, void *arg)
{
	struct frame frame;

	(void)arg;
	if (script_command(fd, &frame))
		return -EPIPE;
	frame.hdr.seq ^= 0x5555;
	script_reply(fd, &frame, 0, NULL, 0);
	return script_swallow(fd, NULL);
}

static void assert_error(const struct row *row, int expected, script_fn script,
			 int wire)
{
	struct kvmi_options opts;
	struct rig rig;

	rig_options(&opts);
	if (expected == -ETIMEDOUT)
		opts.command_timeout = 10;
	rig_open_with(&rig, script, &wire, &opts);
	rig_assert_err(row->name, expected, row->call(rig.vm), __FILE__,
		       __LINE__);
	rig_close(&rig);
}

static void assert_all(const struct row *rows, size_t count, int expected,
		       script_fn script, int wire)
{
	size_t i;

	for (i = 0; i < count; i++)
		assert_error(&rows[i], expected, script, wire);
}

static void both(int expected, script_fn script, int wire)
{
	assert_all(commands, COUNT(commands), expected, script, wire);
	assert_all(vcpu_commands, COUNT(vcpu_commands), expected, script, wire);
}

static void errors_of_all_commands(void **state)
{
	(void)state;
	both(-EPERM, refuse, -KVM_EPERM);
	both(-ENOSYS, refuse, -KVM_ENOSYS);
	both(-ENOMEM, refuse, -KVM_ENOMEM);
	both(-ETIMEDOUT, script_swallow, 0);
	both(-ECONNRESET, hang_up, 0);
	both(-EPROTO, garble, 0);
}

static void errors_of_all_vcpu_commands(void **state)
{
	(void)state;
	assert_all(vcpu_commands, COUNT(vcpu_commands), -EINVAL, refuse,
		   -KVM_EINVAL);
	assert_all(vcpu_commands, COUNT(vcpu_commands), -EAGAIN, refuse,
		   -KVM_EAGAIN);
}

#define assert_refused(wire, function) \
	assert_error(&(struct row){ #function, call_##function }, \
		     error_of(wire), refuse, wire)

static int error_of(int wire)
{
	return wire == -KVM_EOPNOTSUPP ? -EOPNOTSUPP : wire;
}

static void errors_of_single_commands(void **state)
{
	(void)state;
	assert_refused(-KVM_ENOENT, kvmi_vm_check_command);
	assert_refused(-KVM_ENOENT, kvmi_vm_check_event);
	assert_refused(-KVM_EBUSY, kvmi_vm_pause_vcpu);
	assert_refused(-KVM_EAGAIN, kvmi_vm_write_physical);
	assert_refused(-KVM_EAGAIN, kvmi_vm_writev_physical);
	assert_refused(-KVM_EOPNOTSUPP, kvmi_vcpu_control_events);
	assert_refused(-KVM_EOPNOTSUPP, kvmi_vcpu_set_registers);
	assert_refused(-KVM_ENOENT, kvmi_vcpu_get_cpuid);
	assert_refused(-KVM_EOPNOTSUPP, kvmi_vcpu_control_singlestep);
	assert_refused(-KVM_EBUSY, kvmi_vcpu_control_singlestep);
	assert_refused(-KVM_EBUSY, kvmi_vcpu_inject_exception);
}

/* What the next one has and no other. */
static void pages_that_fail_are_told(void **state)
{
	int wire = -KVM_ENOENT;
	struct rig rig;

	(void)state;
	rig_open(&rig, refuse, &wire);
	assert_err(0, kvmi_vm_read_pages(rig.vm, 0, room.bytes, 2, statuses));
	assert_int_equal(statuses[0], -ENOENT);
	assert_int_equal(statuses[1], -ENOENT);
	assert_err(0, kvmi_vm_readv_physical(rig.vm, &range, 1));
	assert_int_equal(range.err, -ENOENT);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_of_all_commands),
		cmocka_unit_test(errors_of_all_vcpu_commands),
		cmocka_unit_test(errors_of_single_commands),
		cmocka_unit_test(pages_that_fail_are_told),
	};

	return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
