// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands of the old interface: what goes out, what comes back. */
#include "compat.h"

#define CALL(acts_, ...) \
	do { \
		struct compat c; \
		compat_init(&c, acts_); \
		compat_open(&c); \
		__VA_ARGS__ \
		compat_close(&c); \
	} while (0)

static void numbers_are_translated(void **state)
{
	static const struct {
		int old;
		uint16_t id;
	} commands[] = {
		{ 2, 2 }, { 3, 4 }, { 4, 6 }, { 5, 8 }, { 6, 3 }, { 7, 16 },
		{ 8, 10 }, { 9, 5 }, { 10, 13 }, { 11, 25 }, { 13, 7 },
		{ 14, 9 }, { 15, 11 }, { 16, 19 }, { 17, 12 }, { 18, 14 },
		{ 19, 15 }, { 21, 22 }, { 23, 23 }, { 29, 20 }, { 35, 29 },
		{ 37, 17 }, { 38, 21 }, { 63, 27 },
	}, events[] = {
		{ 0, 0 }, { 1, 7 }, { 2, 15 }, { 3, 11 }, { 4, 5 }, { 5, 3 },
		{ 6, 17 }, { 7, 9 }, { 8, 13 }, { 10, 1 }, { 11, 19 },
	};
	static const int none[] = { -1, 12, 20, 22, 24, 25, 26, 27, 28, 30, 31,
				    32, 33, 34, 36, 39, 41, 42, 43, 44, 60, 62,
				    64, 1000 };
	struct kvmi_vm_check_command reqs[24 + 11] = { 0 };
	struct act acts[24 + 11 + 1] = { 0 };
	struct compat c;
	size_t i;

	(void)state;
	for (i = 0; i < 24 + 11; i++) {
		reqs[i].id = i < 24 ? commands[i].id : events[i - 24].id;
		acts[i] = (struct act){
			.kind = ACT_COMMAND,
			.id = i < 24 ? KVMI_VM_CHECK_COMMAND :
				       KVMI_VM_CHECK_EVENT,
			BODY(&reqs[i]),
		};
	}
	compat_init(&c, acts);
	compat_open(&c);
	for (i = 0; i < 24; i++)
		assert_int_equal(kvmi_check_command(c.dom, commands[i].old), 0);
	for (i = 0; i < 11; i++)
		assert_int_equal(kvmi_check_event(c.dom, events[i].old), 0);
	assert_int_equal(kvmi_check_command(c.dom, 0), 0);
	assert_int_equal(kvmi_check_command(c.dom, 1), 0);
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_errno(ENOENT, kvmi_check_command(c.dom, none[i]));
	assert_int_equal(kvmi_check_event(c.dom, KVMI_EVENT_CREATE_VCPU), 0);
	assert_errno(ENOENT, kvmi_check_event(c.dom, 12));
	assert_errno(ENOENT, kvmi_check_event(c.dom, KVMI_EVENT_CPUID));
	assert_errno(ENOENT, kvmi_check_event(c.dom, -1));
	assert_errno(ENOENT, kvmi_check_event(c.dom, 14));
	compat_close(&c);
}

static void controls_are_encoded(void **state)
{
	const struct kvmi_vcpu_control_events pf = { KVMI_VCPU_EVENT_PF, 1, 0, 0 };
	const struct kvmi_vcpu_control_cr cr = { .cr = 4, .enable = 1 };
	const struct kvmi_vcpu_control_msr msr = { .enable = 1,
						   .msr = 0xc0000080 };
	const struct kvmi_vcpu_control_singlestep step = { .enable = 1 };
	const struct act acts[] = {
		{ ACT_COMMAND, KVMI_VCPU_CONTROL_EVENTS, 1, BODY(&pf) },
		{ ACT_COMMAND, KVMI_VCPU_CONTROL_CR, 1, BODY(&cr) },
		{ ACT_COMMAND, KVMI_VCPU_CONTROL_MSR, 0, BODY(&msr) },
		{ ACT_COMMAND, KVMI_VCPU_CONTROL_SINGLESTEP, 1, BODY(&step) },
		{ 0 }
	};

	(void)state;
	CALL(acts,
	     assert_int_equal(kvmi_control_events(c.dom, 1, KVMI_EVENT_PF, true), 0);
	     assert_int_equal(kvmi_control_cr(c.dom, 1, 4, true), 0);
	     assert_errno(EINVAL, kvmi_control_cr(c.dom, 1, 256 + 4, true));
	     assert_int_equal(kvmi_control_msr(c.dom, 0, 0xc0000080, true), 0);
	     assert_int_equal(kvmi_control_singlestep(c.dom, 1, true), 0);
	     /* These are the library's affair. */
	     assert_int_equal(kvmi_control_events(c.dom, 0, KVMI_EVENT_SINGLESTEP, true), 0);
	     assert_int_equal(kvmi_control_events(c.dom, 0, KVMI_EVENT_TRAP, true), 0);
	     assert_int_equal(kvmi_control_events(c.dom, 0, KVMI_EVENT_PAUSE_VCPU, true), 0);
	     assert_int_equal(kvmi_control_events(c.dom, 0, KVMI_EVENT_CREATE_VCPU, true), 0);
	     assert_int_equal(kvmi_control_vm_events(c.dom, KVMI_EVENT_CREATE_VCPU, true), 0);
	     assert_errno(EOPNOTSUPP, kvmi_control_events(c.dom, 0, KVMI_EVENT_CPUID, true));
	     assert_errno(EINVAL, kvmi_control_events(c.dom, 0, 12, true));
	     assert_errno(EINVAL, kvmi_control_events(c.dom, 0, 99, true));
	     assert_errno(EINVAL, kvmi_control_vm_events(c.dom, KVMI_EVENT_CR, true)););
}

/* The event can be had, the step cannot. */
static void host_without_single_step(void **state)
{
	const struct act acts[] = {
		{ ACT_COMMAND, KVMI_VCPU_CONTROL_SINGLESTEP,
		  .err = -KVM_EOPNOTSUPP, .size = 8 },
		{ 0 }
	};
	struct compat c;

	(void)state;
	compat_init(&c, acts);
	c.is_old = true;
	compat_open(&c);
	assert_int_equal(kvmi_control_events(c.dom, 0, KVMI_EVENT_SINGLESTEP,
					     true), 0);
	assert_int_equal(compat_said(&c, "no single step"), 1);
	assert_errno(EOPNOTSUPP, kvmi_control_singlestep(c.dom, 0, true));
	compat_close(&c);
}

/* Any command: what its own errors are does not matter here. */
static int get(void *dom)
{
	unsigned long long xcr;

	return kvmi_get_xcr(dom, 3, 0, &xcr);
}

static void errors_are_told(void **state)
{
	static const struct {
		int wire, want;
	} errors[] = {
		{ -KVM_EPERM, EPERM }, { -KVM_ENOENT, ENOENT },
		{ -KVM_EAGAIN, EAGAIN }, { -KVM_ENOMEM, ENOMEM },
		{ -KVM_EBUSY, EBUSY }, { -KVM_EINVAL, EINVAL },
		{ -KVM_EOPNOTSUPP, EOPNOTSUPP }, { -KVM_ENOSYS, ENOSYS },
		{ -77, EPROTO },
	};
	struct act acts[10] = { 0 };
	struct compat c;
	size_t i;

	(void)state;
	for (i = 0; i < 9; i++)
		acts[i] = (struct act){
			.kind = ACT_COMMAND, .id = KVMI_VCPU_GET_XCR,
			.vcpu = 3, .size = 8, .err = errors[i].wire,
		};
	compat_init(&c, acts);
	compat_open(&c);
	/* A right that comes late is waited for. */
	sleep(2);
	for (i = 0; i < 9; i++)
		assert_errno(errors[i].want, get(c.dom));
	/* The command, the vCPU and why. */
	assert_int_equal(compat_said(&c, "kvmi_get_xcr: vCPU 3: "), 9);
	assert_int_equal(compat_said(&c, "(error -16)"), 1);
	compat_close(&c);
}

static void gets(void **state)
{
	const struct kvmi_vm_get_info_reply info = { .vcpu_count = 3 };
	const struct kvmi_vm_get_max_gfn_reply gfn = { 0x1234 };
	const struct kvmi_vcpu_get_info_reply tsc = { 3000000000 };
	const struct kvmi_vcpu_get_cpuid cpuid = { 7, 1 };
	const struct kvmi_vcpu_get_cpuid_reply leaf = { 1, 2, 3, 4 };
	const struct kvmi_vcpu_get_mtrr_type mtrr = { 0x5000 };
	const struct kvmi_vcpu_get_mtrr_type_reply type = { .type = 6 };
	const struct kvmi_vcpu_translate_gva gva = { 0x7000 };
	const struct kvmi_vcpu_translate_gva_reply gpa = { ~0ull };
	const struct kvmi_vcpu_inject_exception pf = {
		.nr = 14, .error_code = 6, .address = 0x9000,
	};
	const struct act acts[] = {
		{ ACT_COMMAND, KVMI_VM_GET_INFO, DATA(&info) },
		{ ACT_COMMAND, KVMI_VM_GET_MAX_GFN, DATA(&gfn) },
		{ ACT_COMMAND, KVMI_VCPU_GET_INFO, 0, DATA(&tsc) },
		{ ACT_COMMAND, KVMI_VCPU_GET_CPUID, 1, BODY(&cpuid), DATA(&leaf) },
		{ ACT_COMMAND, KVMI_VCPU_GET_MTRR_TYPE, 0, BODY(&mtrr),
		  DATA(&type) },
		{ ACT_COMMAND, KVMI_VCPU_TRANSLATE_GVA, 2, BODY(&gva),
		  DATA(&gpa) },
		{ ACT_COMMAND, KVMI_VCPU_INJECT_EXCEPTION, 2, BODY(&pf) },
		{ 0 }
	};
	unsigned int n, a, b, x, d;
	unsigned long long v;
	unsigned char t;

	(void)state;
	CALL(acts,
	     assert_int_equal(kvmi_get_vcpu_count(c.dom, &n), 0);
	     assert_int_equal(n, 3);
	     assert_int_equal(kvmi_get_maximum_gfn(c.dom, &v), 0);
	     assert_int_equal(v, 0x1234);
	     assert_int_equal(kvmi_get_tsc_speed(c.dom, &v), 0);
	     assert_int_equal(v, 3000000000);
	     assert_int_equal(kvmi_get_cpuid(c.dom, 1, 7, 1, &a, &b, &x, &d), 0);
	     assert_true(a == 1 && b == 2 && x == 3 && d == 4);
	     assert_int_equal(kvmi_get_mtrr_type(c.dom, 0x5000, &t), 0);
	     assert_int_equal(t, 6);
	     assert_int_equal(kvmi_translate_gva(c.dom, 2, 0x7000, &v), 0);
	     assert_true(v == ~0ull);
	     assert_int_equal(kvmi_inject_exception(c.dom, 2, 0x9000, 6, 14), 0););
}

static void registers(void **state)
{
	const struct {
		struct kvmi_vcpu_get_registers head;
		uint32_t msrs[2];
	} req = { { .nmsrs = 2 }, { 0x174, 0xc0000080 } };
	const struct kvmi_vcpu_get_registers none = { .nmsrs = 0 };
	struct {
		struct kvmi_vcpu_get_registers_reply head;
		struct kvm_msr_entry msrs[2];
	} reply = {
		{ .mode = 8, .regs.rip = 0x1000, .sregs.cr3 = 0x2000,
		  .nmsrs = 2 },
		{ { .index = 0x174, .data = 7 },
		  { .index = 0xc0000080, .data = 0xd01 } },
	};
	const struct kvmi_vcpu_get_registers_reply empty = { .mode = 4 };
	const struct kvm_regs set = { .rip = 0x4000 };
	const struct act acts[] = {
		{ ACT_COMMAND, KVMI_VCPU_GET_REGISTERS, 1, BODY(&req),
		  DATA(&reply) },
		{ ACT_COMMAND, KVMI_VCPU_GET_REGISTERS, 0, BODY(&none),
		  DATA(&empty) },
		{ ACT_COMMAND, KVMI_VCPU_GET_REGISTERS, 0, BODY(&none),
		  DATA(&empty) },
		{ ACT_COMMAND, KVMI_VCPU_SET_REGISTERS, 1, BODY(&set),
		  .err = -KVM_EOPNOTSUPP },
		{ 0 }
	};
	union {
		struct kvm_msrs head;
		uint8_t room[sizeof(struct kvm_msrs) +
			     2 * sizeof(struct kvm_msr_entry)];
	} msrs = { .head.nmsrs = 2 };
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	unsigned int mode;
	struct compat c;

	(void)state;
	compat_init(&c, acts);
	compat_open(&c);
	msrs.head.entries[0].index = 0x174;
	msrs.head.entries[1].index = 0xc0000080;
	assert_int_equal(kvmi_get_registers(c.dom, 1, &regs, &sregs, &msrs.head,
					    &mode), 0);
	assert_int_equal(mode, 8);
	assert_int_equal(regs.rip, 0x1000);
	assert_int_equal(sregs.cr3, 0x2000);
	assert_int_equal(msrs.head.entries[0].data, 7);
	assert_int_equal(msrs.head.entries[1].data, 0xd01);
	assert_int_equal(kvmi_get_registers(c.dom, 0, &regs, &sregs, NULL, NULL),
			 0);
	/* None of it, in either way. */
	msrs.head.nmsrs = 0;
	assert_int_equal(kvmi_get_registers(c.dom, 0, &regs, &sregs, &msrs.head,
					    &mode), 0);
	assert_int_equal(mode, 4);
	assert_errno(EOPNOTSUPP, kvmi_set_registers(c.dom, 1, &set));
	msrs.head.nmsrs = 482;
	assert_errno(EINVAL, kvmi_get_registers(c.dom, 0, &regs, &sregs,
						&msrs.head, &mode));
	compat_close(&c);
}

static void xsave_of_any_size(void **state)
{
	static struct kvmi_vcpu_get_xsave_reply area;
	static struct kvmi_vcpu_set_xsave set;
	const struct act acts[] = {
		{ ACT_COMMAND, KVMI_VCPU_GET_XSAVE, 1, DATA(&area) },
		{ ACT_COMMAND, KVMI_VCPU_GET_XSAVE, 1, DATA(&area) },
		{ ACT_COMMAND, KVMI_VCPU_SET_XSAVE, 1, BODY(&set) },
		{ 0 }
	};
	static uint8_t buffer[5000];

	(void)state;
	memset(&area, 0x2b, sizeof(area));
	memset(&set, 0x2b, 600);
	CALL(acts,
	     memset(buffer, 0x11, sizeof(buffer));
	     assert_int_equal(kvmi_get_xsave(c.dom, 1, buffer, 4), 0);
	     assert_true(buffer[3] == 0x2b && buffer[4] == 0x11);
	     assert_int_equal(kvmi_get_xsave(c.dom, 1, buffer, 5000), 0);
	     assert_true(buffer[4095] == 0x2b && !buffer[4096] && !buffer[4999]);
	     assert_int_equal(kvmi_set_xsave(c.dom, 1, buffer, 600), 0);
	     assert_errno(EINVAL, kvmi_set_xsave(c.dom, 1, buffer, 4097)););
}

/* All pieces are under way before the first answer, the hole is told. */
static void reads_are_split_and_pipelined(void **state)
{
	const struct kvmi_vm_read_physical pieces[] = {
		{ .gpa = 0x1ff0, .size = 0x10 }, { .gpa = 0x2000, .size = 4096 },
		{ .gpa = 0x3000, .size = 0x20 },
	};
	static uint8_t bytes[4096];
	const struct act acts[] = {
		{ ACT_UNANSWERED, KVMI_VM_READ_PHYSICAL, BODY(&pieces[0]) },
		{ ACT_UNANSWERED, KVMI_VM_READ_PHYSICAL, BODY(&pieces[1]) },
		{ ACT_UNANSWERED, KVMI_VM_READ_PHYSICAL, BODY(&pieces[2]) },
		{ ACT_ANSWER, .data = bytes, .data_size = 0x10, .index = 0 },
		{ ACT_ANSWER, .err = -KVM_ENOENT, .index = 1 },
		{ ACT_ANSWER, .data = bytes, .data_size = 0x20, .index = 2 },
		{ ACT_COMMAND, KVMI_VM_READ_PHYSICAL, BODY(&pieces[1]),
		  .data = bytes, .data_size = 4096 },
		{ 0 }
	};
	static uint8_t buffer[0x10 + 4096 + 0x20];

	(void)state;
	memset(bytes, 0x77, sizeof(bytes));
	CALL(acts,
	     assert_errno(ENOENT, kvmi_read_physical(c.dom, 0x1ff0, buffer, sizeof(buffer)));
	     assert_true(kvmi_domain_is_connected(c.dom));
	     assert_int_equal(kvmi_read_physical(c.dom, 0x2000, buffer, 4096), 0);
	     assert_memory_equal(buffer, bytes, 4096););
}

static void page_access_is_cut_to_messages(void **state)
{
	struct {
		struct kvmi_vm_set_page_access head;
		struct kvmi_page_access_entry entries[2];
	} first = { { .count = 2 }, { { .gpa = 0x1000, .access = 1 },
				      { .gpa = 0x2000, .access = 5 } } };
	struct {
		struct kvmi_vm_set_page_access head;
		struct kvmi_page_access_entry entries[1];
	} second = { { .count = 1 }, { { .gpa = 0x3000, .access = 7 } } };
	const struct act acts[] = {
		{ ACT_UNANSWERED, KVMI_VM_SET_PAGE_ACCESS, BODY(&first) },
		{ ACT_UNANSWERED, KVMI_VM_SET_PAGE_ACCESS, BODY(&second) },
		{ ACT_ANSWER, .index = 0 },
		{ ACT_ANSWER, .index = 1, .err = -KVM_EINVAL },
		{ 0 }
	};
	unsigned long long gpa[] = { 0x1000, 0x2000, 0x3000 };
	unsigned char access[] = { 1, 5, 7 };
	struct compat c;

	(void)state;
	compat_init(&c, acts);
	c.max_msg_size = 8 + 2 * 16;
	compat_open(&c);
	assert_errno(EINVAL, kvmi_set_page_access(c.dom, gpa, access, 3, 0));
	assert_errno(EINVAL, kvmi_set_page_access(c.dom, gpa, access, 3, 1));
	assert_int_equal(kvmi_set_page_access(c.dom, gpa, access, 0, 0), 0);
	compat_close(&c);
}

/* Answers of different vCPUs come in any order. */
static void batch_is_one_round_trip(void **state)
{
	const struct kvm_regs regs = { .rip = 0x1234 };
	const struct kvmi_vcpu_event_reply reply = {
		.action = KVMI_EVENT_ACTION_CONTINUE,
		.event = KVMI_VCPU_EVENT_PAUSE,
	};
	const struct kvmi_vm_pause_vcpu pause = { .vcpu = 1, .wait = 1 };
	const struct act acts[] = {
		{ ACT_EVENT, KVMI_VCPU_EVENT_PAUSE, .vcpu = 1, .seq = 5 },
		{ ACT_UNANSWERED, KVMI_VCPU_SET_REGISTERS, 1, BODY(&regs) },
		{ ACT_UNANSWERED, KVMI_VM_SET_PAGE_ACCESS, .size = 24 },
		{ ACT_REPLY, .vcpu = 1, .seq = 5, BODY(&reply) },
		{ ACT_UNANSWERED, KVMI_VM_PAUSE_VCPU, BODY(&pause) },
		{ ACT_ANSWER, .index = 2 },
		{ ACT_ANSWER, .index = 1 },
		{ ACT_ANSWER, .index = 0 },
		{ ACT_COMMAND, KVMI_VM_PAUSE_VCPU, BODY(&pause),
		  .err = -KVM_EBUSY },
		{ 0 }
	};
	const struct {
		struct kvmi_v1_vcpu_hdr vcpu;
		struct kvmi_event_reply reply;
	} old = { { .vcpu = 1 }, { .event = KVMI_EVENT_PAUSE_VCPU } };
	unsigned long long gpa = 0x1000;
	unsigned char access = 5;
	struct kvmi_dom_event *e;
	struct compat c;
	void *batch;

	(void)state;
	compat_init(&c, acts);
	compat_open(&c);
	e = compat_event(&c, KVMI_EVENT_PAUSE_VCPU, 1);
	batch = kvmi_batch_alloc(c.dom);
	assert_int_equal(kvmi_queue_registers(batch, 1, &regs), 0);
	assert_int_equal(kvmi_queue_page_access(batch, &gpa, &access, 1, 0), 0);
	assert_int_equal(kvmi_queue_reply_event(batch, e->seq, &old,
						sizeof(old)), 0);
	assert_int_equal(kvmi_queue_pause_vcpu(batch, 1), 0);
	assert_errno(EINVAL, kvmi_queue_page_access(batch, &gpa, &access, 1, 1));
	assert_int_equal(kvmi_batch_commit(batch), 0);
	/* It is empty, and can be used again. */
	assert_int_equal(kvmi_batch_commit(batch), 0);
	assert_int_equal(kvmi_queue_pause_vcpu(batch, 1), 0);
	assert_errno(EBUSY, kvmi_batch_commit(batch));
	assert_int_equal(kvmi_queue_pause_vcpu(batch, 1), 0);
	kvmi_batch_free(batch);
	free(e);
	compat_close(&c);
}

/* vCPU 1 is in an event of which nobody knows when the pause is answered. */
static void pause_waits_for_earlier_events(void **state)
{
	const struct kvmi_vm_pause_vcpu pauses[] = {
		{ .vcpu = 0, .wait = 1 }, { .vcpu = 1, .wait = 1 },
	};
	const struct kvmi_vcpu_get_info_reply info = { 0 };
	const struct kvmi_vcpu_event_cr cr = { .cr = 3 };
	const struct act acts[] = {
		{ ACT_COMMAND, KVMI_VM_PAUSE_VCPU, BODY(&pauses[0]) },
		{ ACT_COMMAND, KVMI_VM_PAUSE_VCPU, BODY(&pauses[1]) },
		{ ACT_UNANSWERED, KVMI_VCPU_GET_INFO, .vcpu = 0 },
		{ ACT_UNANSWERED, KVMI_VCPU_GET_INFO, .vcpu = 1 },
		{ ACT_EVENT, KVMI_VCPU_EVENT_PAUSE, .vcpu = 0, .seq = 1 },
		{ ACT_EVENT, KVMI_VCPU_EVENT_CR, 1, 2, DATA(&cr) },
		{ ACT_ANSWER, .index = 1, DATA(&info) },
		{ ACT_ANSWER, .index = 0, .err = -KVM_EAGAIN },
		{ 0 }
	};

	(void)state;
	CALL(acts,
	     assert_int_equal(kvmi_pause_all_vcpus(c.dom, 2), 0);
	     assert_int_equal(kvmi_get_pending_events(c.dom), 2);
	     free(compat_event(&c, KVMI_EVENT_PAUSE_VCPU, 0));
	     free(compat_event(&c, KVMI_EVENT_CR, 1));
	     assert_int_equal(kvmi_get_pending_events(c.dom), 0););
}

static void failed_pause_leaves_no_vcpu_out(void **state)
{
	const struct kvmi_vcpu_event_reply reply = {
		.event = KVMI_VCPU_EVENT_PAUSE,
	};
	const struct act acts[] = {
		{ ACT_COMMAND, KVMI_VM_PAUSE_VCPU, .size = 8 },
		{ ACT_EVENT, KVMI_VCPU_EVENT_PAUSE, .vcpu = 0, .seq = 1 },
		{ ACT_COMMAND, KVMI_VM_PAUSE_VCPU, .size = 8,
		  .err = -KVM_EINVAL },
		{ ACT_COMMAND, KVMI_VCPU_GET_INFO, 0, .data_size = 0 },
		{ ACT_COMMAND, KVMI_VCPU_GET_INFO, 1, .err = -KVM_EINVAL },
		{ ACT_REPLY, .vcpu = 0, .seq = 1, BODY(&reply) },
		{ 0 }
	};

	(void)state;
	CALL(acts,
	     assert_errno(EINVAL, kvmi_pause_all_vcpus(c.dom, 2));
	     assert_int_equal(kvmi_get_pending_events(c.dom), 0););
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_translated),
		cmocka_unit_test(controls_are_encoded),
		cmocka_unit_test(host_without_single_step),
		cmocka_unit_test(errors_are_told),
		cmocka_unit_test(gets),
		cmocka_unit_test(registers),
		cmocka_unit_test(xsave_of_any_size),
		cmocka_unit_test(reads_are_split_and_pipelined),
		cmocka_unit_test(page_access_is_cut_to_messages),
		cmocka_unit_test(batch_is_one_round_trip),
		cmocka_unit_test(pause_waits_for_earlier_events),
		cmocka_unit_test(failed_pause_leaves_no_vcpu_out),
	};

	return cmocka_run_group_tests_name("compat-command", tests, NULL, NULL);
}
