// SPDX-License-Identifier: GPL-2.0-or-later
/* vCPUs: commands. */
#include "rig.h"

/* One command of the library and the bytes that it must become. */
struct exchange {
	unsigned int id;
	const void *request;	/* after the vCPU header */
	size_t request_size;
	uint16_t vcpu;
	int32_t err;		/* to answer */
	const void *reply;
	size_t reply_size;
};

static int answer_one(int fd, void *arg)
{
	const struct exchange *x = arg;
	const struct kvmi_vcpu_hdr head = { .vcpu = x->vcpu };
	struct frame frame;

	if (script_command(fd, &frame))
		return -EPIPE;
	if (frame.hdr.id != x->id ||
	    frame.hdr.size != sizeof(head) + x->request_size)
		return -EBADMSG;
	if (memcmp(frame.body, &head, sizeof(head)) ||
	    (x->request_size && memcmp(frame.body + sizeof(head), x->request,
				       x->request_size)))
		return -EILSEQ;
	return script_reply(fd, &frame, x->err, x->reply, x->reply_size);
}

static int answer_pause(int fd, void *arg)
{
	const struct kvmi_vm_pause_vcpu *expected = arg;
	struct frame frame;

	if (script_command(fd, &frame))
		return -EPIPE;
	if (frame.hdr.id != KVMI_VM_PAUSE_VCPU ||
	    frame.hdr.size != sizeof(*expected) ||
	    memcmp(frame.body, expected, sizeof(*expected)))
		return -EILSEQ;
	return script_reply(fd, &frame, -KVM_EBUSY, NULL, 0);
}

static void pause_names_the_vcpu(void **state)
{
	struct kvmi_vm_pause_vcpu req = { .vcpu = 0x102, .wait = 1 };
	struct rig rig;

	(void)state;
	rig_open(&rig, answer_pause, &req);
	assert_err(-EINVAL, kvmi_vm_pause_vcpu(rig.vm, 65536, true));
	assert_err(-EBUSY, kvmi_vm_pause_vcpu(rig.vm, 0x102, true));
	rig_close(&rig);

	req = (struct kvmi_vm_pause_vcpu){ .vcpu = 1 };
	rig_open(&rig, answer_pause, &req);
	assert_err(-EBUSY, kvmi_vm_pause_vcpu(rig.vm, 1, false));
	rig_close(&rig);
}

static void info(void **state)
{
	struct kvmi_vcpu_get_info_reply reply = { 2500000000 }, got;
	struct exchange x = { .id = KVMI_VCPU_GET_INFO, .vcpu = 3,
			      .reply = &reply, .reply_size = sizeof(reply) };
	struct rig rig;

	(void)state;
	rig_open(&rig, answer_one, &x);
	assert_err(0, kvmi_vcpu_get_info(rig.vm, 3, &got));
	assert_int_equal(got.tsc_speed, 2500000000);
	rig_close(&rig);

	x.err = -KVM_EAGAIN;
	rig_open(&rig, answer_one, &x);
	assert_err(-EAGAIN, kvmi_vcpu_get_info(rig.vm, 3, &got));
	rig_close(&rig);
}

static void controls(void **state)
{
	struct kvmi_vcpu_control_events events = {
		.event_id = KVMI_VCPU_EVENT_CR, .enable = 1,
	};
	struct kvmi_vcpu_control_cr cr = { .cr = 3, .enable = 1 };
	struct kvmi_vcpu_control_msr msr = { .msr = 0xc0000082, .enable = 1 };
	struct exchange x = { .id = KVMI_VCPU_CONTROL_EVENTS, .vcpu = 1,
			      .request = &events,
			      .request_size = sizeof(events) };
	struct rig rig;

	(void)state;
	rig_open(&rig, answer_one, &x);
	assert_err(0, kvmi_vcpu_control_events(rig.vm, 1, KVMI_VCPU_EVENT_CR,
					       true));
	rig_close(&rig);

	x = (struct exchange){ .id = KVMI_VCPU_CONTROL_CR, .vcpu = 1,
			       .request = &cr, .request_size = sizeof(cr),
			       .err = -KVM_EINVAL };
	rig_open(&rig, answer_one, &x);
	assert_err(-EINVAL, kvmi_vcpu_control_cr(rig.vm, 1, 3, true));
	rig_close(&rig);

	x = (struct exchange){ .id = KVMI_VCPU_CONTROL_MSR, .vcpu = 1,
			       .request = &msr, .request_size = sizeof(msr),
			       .err = -KVM_EPERM };
	rig_open(&rig, answer_one, &x);
	assert_err(-EPERM, kvmi_vcpu_control_msr(rig.vm, 1, 0xc0000082, true));
	rig_close(&rig);
}

#define LIST 3

struct registers {
	struct kvmi_vcpu_get_registers_reply fixed;
	struct kvm_msr_entry msrs[LIST];
};

struct registers_request {
	struct kvmi_vcpu_get_registers fixed;
	uint32_t msrs[LIST];
};

static const uint32_t msrs[LIST] = { 0xc0000082, 0x10, 0xc0000080 };

static void fill_registers(struct registers *registers)
{
	int i;

	*registers = (struct registers){
		.fixed.mode = 8,
		.fixed.regs.rip = 0x1234,
		.fixed.sregs.cr3 = 0x5678,
		.fixed.nmsrs = LIST,
	};
	for (i = 0; i < LIST; i++) {
		registers->msrs[i].index = msrs[i];
		registers->msrs[i].data = 0x100 + (unsigned int)i;
	}
}

static int get_registers(const struct registers *reply, size_t reply_size,
			 struct kvmi_vcpu_get_registers_reply *got,
			 uint64_t *values)
{
	struct registers_request req = { .fixed.nmsrs = LIST };
	struct exchange x = { .id = KVMI_VCPU_GET_REGISTERS, .vcpu = 2,
			      .request = &req, .request_size = sizeof(req),
			      .reply = reply, .reply_size = reply_size };
	struct rig rig;
	int err;

	memcpy(req.msrs, msrs, sizeof(msrs));
	rig_open(&rig, answer_one, &x);
	err = kvmi_vcpu_get_registers(rig.vm, 2, msrs, LIST, got, values);
	rig_close(&rig);
	return err;
}

static void registers_with_msrs(void **state)
{
	struct kvmi_vcpu_get_registers_reply got;
	struct registers reply;
	uint64_t values[LIST];
	int i;

	(void)state;
	fill_registers(&reply);
	assert_err(0, get_registers(&reply, sizeof(reply), &got, values));
	assert_memory_equal(&got, &reply.fixed, sizeof(got));
	for (i = 0; i < LIST; i++)
		assert_int_equal(values[i], 0x100 + i);
}

static void false_registers_end_the_session(void **state)
{
	struct kvmi_vcpu_get_registers_reply got;
	struct registers reply;
	uint64_t values[LIST];

	(void)state;
	fill_registers(&reply);
	assert_err(-EPROTO, get_registers(&reply, sizeof(reply) - 1, &got,
					  values));
	reply.msrs[1].index++;
	assert_err(-EPROTO, get_registers(&reply, sizeof(reply), &got, values));
	reply.msrs[1].index--;
	reply.fixed.nmsrs = LIST - 1;
	assert_err(-EPROTO, get_registers(&reply, sizeof(reply), &got, values));
}

static void registers_without_msrs(void **state)
{
	struct kvmi_vcpu_get_registers_reply reply = { .mode = 4 }, got;
	struct kvmi_vcpu_get_registers req = { 0 };
	struct exchange x = { .id = KVMI_VCPU_GET_REGISTERS, .request = &req,
			      .request_size = sizeof(req), .reply = &reply,
			      .reply_size = sizeof(reply) };
	struct rig rig;

	(void)state;
	rig_open(&rig, answer_one, &x);
	assert_err(-EINVAL, kvmi_vcpu_get_registers(rig.vm, 0, NULL,
						    KVMI_MSRS_MAX + 1, &got,
						    NULL));
	assert_err(0, kvmi_vcpu_get_registers(rig.vm, 0, NULL, 0, &got, NULL));
	assert_int_equal(got.mode, 4);
	rig_close(&rig);
}

/* The largest list fits both ways, one more would not. */
static void longest_list_of_msrs(void **state)
{
	const size_t reply = 8 + 472 + 16 * KVMI_MSRS_MAX;

	(void)state;
	assert_true(reply <= KVMI_MAX_MSG_SIZE);
	assert_true(reply + 16 > KVMI_MAX_MSG_SIZE);
}

static void set_registers(void **state)
{
	struct kvm_regs regs = { .rax = 1, .rip = 2, .rflags = 3 };
	struct exchange x = { .id = KVMI_VCPU_SET_REGISTERS, .vcpu = 1,
			      .request = &regs, .request_size = sizeof(regs),
			      .err = -KVM_EOPNOTSUPP };
	struct rig rig;

	(void)state;
	rig_open(&rig, answer_one, &x);
	assert_err(-EOPNOTSUPP, kvmi_vcpu_set_registers(rig.vm, 1, &regs));
	rig_close(&rig);
}

static void cpuid(void **state)
{
	struct kvmi_vcpu_get_cpuid req = { 0x80000008, 5 };
	struct kvmi_vcpu_get_cpuid_reply reply = { 1, 2, 3, 4 }, got;
	struct exchange x = { .id = KVMI_VCPU_GET_CPUID, .vcpu = 1,
			      .request = &req, .request_size = sizeof(req),
			      .reply = &reply, .reply_size = sizeof(reply) };
	struct rig rig;

	(void)state;
	rig_open(&rig, answer_one, &x);
	assert_err(0, kvmi_vcpu_get_cpuid(rig.vm, 1, 0x80000008, 5, &got));
	assert_memory_equal(&got, &reply, sizeof(got));
	rig_close(&rig);
}

static void translate(void **state)
{
	struct kvmi_vcpu_translate_gva req = { 0xffffffff81000000 };
	struct kvmi_vcpu_translate_gva_reply reply = { UINT64_MAX };
	struct exchange x = { .id = KVMI_VCPU_TRANSLATE_GVA, .vcpu = 1,
			      .request = &req, .request_size = sizeof(req),
			      .reply = &reply, .reply_size = sizeof(reply) };
	struct rig rig;
	uint64_t gpa = 0;

	(void)state;
	rig_open(&rig, answer_one, &x);
	assert_err(0, kvmi_vcpu_translate_gva(rig.vm, 1, req.gva, &gpa));
	assert_true(gpa == UINT64_MAX);
	rig_close(&rig);
}

static void inject_exception(void **state)
{
	struct kvmi_vcpu_inject_exception req = { .nr = 14, .error_code = 6,
						  .address = 0x7fff00001000 };
	struct exchange x = { .id = KVMI_VCPU_INJECT_EXCEPTION, .vcpu = 1,
			      .request = &req, .request_size = sizeof(req),
			      .err = -KVM_EBUSY };
	struct rig rig;

	(void)state;
	rig_open(&rig, answer_one, &x);
	assert_err(-EBUSY, kvmi_vcpu_inject_exception(rig.vm, 1, 14, 6,
						      0x7fff00001000));
	rig_close(&rig);
}

static void single_step(void **state)
{
	struct kvmi_vcpu_control_singlestep req = { .enable = 1 };
	struct exchange x = { .id = KVMI_VCPU_CONTROL_SINGLESTEP, .vcpu = 1,
			      .request = &req, .request_size = sizeof(req),
			      .err = -KVM_EBUSY };
	struct rig rig;

	(void)state;
	rig_open(&rig, answer_one, &x);
	assert_err(-EBUSY, kvmi_vcpu_control_singlestep(rig.vm, 1, true));
	rig_close(&rig);

	req.enable = 0;
	x.err = 0;
	rig_open(&rig, answer_one, &x);
	assert_err(0, kvmi_vcpu_control_singlestep(rig.vm, 1, false));
	rig_close(&rig);
}

static void xcr(void **state)
{
	struct kvmi_vcpu_get_xcr req = { .xcr = 1 };
	struct kvmi_vcpu_get_xcr_reply reply = { .value = 0x123456789a };
	struct exchange x = { .id = KVMI_VCPU_GET_XCR, .vcpu = 1,
			      .request = &req, .request_size = sizeof(req),
			      .reply = &reply, .reply_size = sizeof(reply) };
	struct rig rig;
	uint64_t value = 0;

	(void)state;
	rig_open(&rig, answer_one, &x);
	assert_err(0, kvmi_vcpu_get_xcr(rig.vm, 1, 1, &value));
	assert_true(value == 0x123456789a);
	rig_close(&rig);
}

static void xsave(void **state)
{
	struct kvmi_vcpu_get_xsave_reply reply, got;
	struct kvmi_vcpu_set_xsave area;
	struct exchange x = { .id = KVMI_VCPU_GET_XSAVE, .vcpu = 1,
			      .reply = &reply, .reply_size = sizeof(reply) };
	struct rig rig;

	(void)state;
	memset(&reply, 0xa5, sizeof(reply));
	rig_open(&rig, answer_one, &x);
	assert_err(0, kvmi_vcpu_get_xsave(rig.vm, 1, &got));
	assert_memory_equal(&got, &reply, sizeof(got));
	rig_close(&rig);

	memset(&area, 0x5a, sizeof(area));
	x = (struct exchange){ .id = KVMI_VCPU_SET_XSAVE, .vcpu = 1,
			       .request = &area, .request_size = sizeof(area),
			       .err = -KVM_EINVAL };
	rig_open(&rig, answer_one, &x);
	assert_err(-EINVAL, kvmi_vcpu_set_xsave(rig.vm, 1, &area));
	rig_close(&rig);
}

static void mtrr_type(void **state)
{
	struct kvmi_vcpu_get_mtrr_type req = { .gpa = 0xfee00000 };
	struct kvmi_vcpu_get_mtrr_type_reply reply = { .type = 6 };
	struct exchange x = { .id = KVMI_VCPU_GET_MTRR_TYPE, .vcpu = 1,
			      .request = &req, .request_size = sizeof(req),
			      .reply = &reply, .reply_size = sizeof(reply) };
	struct rig rig;
	uint8_t type = 0;

	(void)state;
	rig_open(&rig, answer_one, &x);
	assert_err(0, kvmi_vcpu_get_mtrr_type(rig.vm, 1, 0xfee00000, &type));
	assert_int_equal(type, 6);
	rig_close(&rig);
}

static void impossible_arguments(void **state)
{
	struct kvmi_vcpu_get_info_reply reply;
	struct rig rig;
	uint64_t value;

	(void)state;
	rig_open(&rig, script_nothing, NULL);
	assert_err(-EINVAL, kvmi_vcpu_inject_exception(rig.vm, 0, 256, 0, 0));
	assert_err(-EINVAL, kvmi_vcpu_get_xcr(rig.vm, 0, 256, &value));
	assert_err(-EINVAL, kvmi_vcpu_get_info(rig.vm, 65536, &reply));
	assert_err(-EINVAL, kvmi_vcpu_control_events(rig.vm, 0, 65536, true));
	assert_err(-EINVAL, kvmi_vcpu_control_cr(rig.vm, 0, 256, true));
	assert_err(-EINVAL, kvmi_vcpu_control_singlestep(rig.vm, 65536, true));
	rig_close(&rig);
}

static void keep_line(void *data, enum kvmi_log_level level, const char *text)
{
	(void)level;
	if (strstr(text, "vcpu-get-info"))
		snprintf(data, 256, "%s", text);
}

static void timeout_names_command_and_vcpu(void **state)
{
	struct kvmi_vcpu_get_info_reply reply;
	struct kvmi_options opts;
	char line[256] = "";
	struct rig rig;

	(void)state;
	rig_options(&opts);
	opts.log = keep_line;
	opts.log_data = line;
	rig_open_with(&rig, script_swallow, NULL, &opts);
	kvmi_vm_set_timeout(rig.vm, 20);
	assert_err(-ETIMEDOUT, kvmi_vcpu_get_info(rig.vm, 5, &reply));
	assert_non_null(strstr(line, "vCPU 5 did not answer"));
	assert_non_null(strstr(line, "vcpu-get-info (3)"));
	assert_non_null(strstr(kvmi_strerror(-ETIMEDOUT), "vCPU"));
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pause_names_the_vcpu),
		cmocka_unit_test(info),
		cmocka_unit_test(controls),
		cmocka_unit_test(registers_with_msrs),
		cmocka_unit_test(false_registers_end_the_session),
		cmocka_unit_test(registers_without_msrs),
		cmocka_unit_test(longest_list_of_msrs),
		cmocka_unit_test(set_registers),
		cmocka_unit_test(cpuid),
		cmocka_unit_test(inject_exception),
		cmocka_unit_test(single_step),
		cmocka_unit_test(xcr),
		cmocka_unit_test(xsave),
		cmocka_unit_test(mtrr_type),
		cmocka_unit_test(translate),
		cmocka_unit_test(impossible_arguments),
		cmocka_unit_test(timeout_names_command_and_vcpu),
	};

	return cmocka_run_group_tests_name("vcpu", tests, NULL, NULL);
}
