// SPDX-License-Identifier: GPL-2.0-or-later
/* vCPUs: commands, events and replies, many at once. */
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

static int do_nothing(int fd, void *arg)
{
	uint8_t byte;

	(void)arg;
	return script_receive(fd, &byte, 1) == -EPIPE ? 0 : -EBADMSG;
}

static void impossible_arguments(void **state)
{
	struct kvmi_vcpu_get_info_reply reply;
	struct rig rig;
	uint64_t value;

	(void)state;
	rig_open(&rig, do_nothing, NULL);
	assert_err(-EINVAL, kvmi_vcpu_inject_exception(rig.vm, 0, 256, 0, 0));
	assert_err(-EINVAL, kvmi_vcpu_get_xcr(rig.vm, 0, 256, &value));
	assert_err(-EINVAL, kvmi_vcpu_get_info(rig.vm, 65536, &reply));
	assert_err(-EINVAL, kvmi_vcpu_control_events(rig.vm, 0, 65536, true));
	assert_err(-EINVAL, kvmi_vcpu_control_cr(rig.vm, 0, 256, true));
	assert_err(-EINVAL, kvmi_vcpu_control_singlestep(rig.vm, 65536, true));
	rig_close(&rig);
}

static int swallow(int fd, void *arg)
{
	struct frame frame;

	(void)arg;
	while (!script_command(fd, &frame))
		;
	return 0;
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
	rig_open_with(&rig, swallow, NULL, &opts);
	kvmi_vm_set_timeout(rig.vm, 20);
	assert_err(-ETIMEDOUT, kvmi_vcpu_get_info(rig.vm, 5, &reply));
	assert_non_null(strstr(line, "vCPU 5 did not answer"));
	assert_non_null(strstr(line, "vcpu-get-info (3)"));
	assert_non_null(strstr(kvmi_strerror(-ETIMEDOUT), "vCPU"));
	rig_close(&rig);
}

/* An event of the peer, and the reply that it must get. */
struct dialogue {
	uint16_t event;
	const void *data;
	size_t size;
	struct {
		struct kvmi_msg_hdr hdr;
		struct kvmi_vcpu_hdr vcpu;
		struct kvmi_vcpu_event_reply reply;
		uint64_t data;
	} expected;
	size_t expected_size;
};

#define REPLY_SIZE 24		/* without data */

static int report(int fd, void *arg)
{
	const struct dialogue *d = arg;
	struct {
		uint8_t bytes[64];
	} got;

	if (script_vcpu_event(fd, 77, 2, d->event, d->data, d->size) ||
	    script_receive(fd, &got, d->expected_size))
		return -EPIPE;
	return memcmp(&got, &d->expected, d->expected_size) ? -EILSEQ :
							      do_nothing(fd, NULL);
}

static struct dialogue new_dialogue(uint16_t event, const void *data,
				    size_t size, uint8_t action)
{
	return (struct dialogue){
		.event = event,
		.data = data,
		.size = size,
		.expected = {
			.hdr = { KVMI_VCPU_EVENT, 16, 77 },
			.vcpu.vcpu = 2,
			.reply.action = action,
			.reply.event = (uint8_t)event,
		},
		.expected_size = REPLY_SIZE,
	};
}

static void check_state(const struct kvmi_event *event)
{
	struct kvmi_vcpu_event expected;

	script_state(&expected, 2);
	assert_int_equal(kvmi_event_get_vcpu(event), 2);
	assert_memory_equal(kvmi_event_get_state(event), &expected,
			    sizeof(expected));
}

static void reply_is_exact(void **state)
{
	const struct kvmi_vcpu_event_breakpoint bp = { .gpa = 9, .insn_len = 1 };
	struct dialogue d = new_dialogue(KVMI_VCPU_EVENT_BREAKPOINT, &bp,
					 sizeof(bp), KVMI_EVENT_ACTION_RETRY);
	struct kvmi_event *event;
	struct rig rig;
	size_t size;

	(void)state;
	rig_open(&rig, report, &d);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	check_state(event);
	assert_memory_equal(kvmi_event_get_data(event, &size), &bp, sizeof(bp));
	assert_int_equal(size, sizeof(bp));
	assert_err(0, kvmi_event_reply(rig.vm, event, KVMI_EVENT_ACTION_RETRY,
				       NULL, 0));
	assert_err(-EALREADY, kvmi_event_reply(rig.vm, event,
					       KVMI_EVENT_ACTION_RETRY, NULL,
					       0));
	/* It is still there. */
	check_state(event);
	kvmi_event_free(event);
	rig_close(&rig);
}

static void cr_reply_carries_the_value(void **state)
{
	const struct kvmi_vcpu_event_cr cr = { .cr = 3, .old_value = 1,
					       .new_value = 2 };
	struct dialogue d = new_dialogue(KVMI_VCPU_EVENT_CR, &cr, sizeof(cr),
					 KVMI_EVENT_ACTION_CONTINUE);
	struct kvmi_event *event;
	struct rig rig;

	(void)state;
	d.expected.hdr.size += 8;
	d.expected.data = 0x1122334455667788;
	d.expected_size += 8;
	rig_open(&rig, report, &d);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	assert_err(0, kvmi_event_reply_cr(rig.vm, event, 0x1122334455667788));
	kvmi_event_free(event);
	rig_close(&rig);
}

static void msr_reply_carries_the_value(void **state)
{
	const struct kvmi_vcpu_event_msr msr = { .msr = 0x174, .old_value = 1,
						 .new_value = 2 };
	struct dialogue d = new_dialogue(KVMI_VCPU_EVENT_MSR, &msr, sizeof(msr),
					 KVMI_EVENT_ACTION_CONTINUE);
	struct kvmi_event *event;
	struct rig rig;

	(void)state;
	d.expected.hdr.size += 8;
	d.expected.data = 0x8877665544332211;
	d.expected_size += 8;
	rig_open(&rig, report, &d);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	assert_err(-EINVAL, kvmi_event_reply_cr(rig.vm, event, 0));
	assert_err(0, kvmi_event_reply_msr(rig.vm, event, 0x8877665544332211));
	kvmi_event_free(event);
	rig_close(&rig);
}

static void step_tells_if_it_failed(void **state)
{
	const struct kvmi_vcpu_event_singlestep step = { .failed = 1 };
	const struct kvmi_vcpu_event_singlestep *got;
	struct dialogue d = new_dialogue(KVMI_VCPU_EVENT_SINGLESTEP, &step,
					 sizeof(step),
					 KVMI_EVENT_ACTION_CONTINUE);
	struct kvmi_event *event;
	struct rig rig;
	size_t size;

	(void)state;
	rig_open(&rig, report, &d);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	check_state(event);
	got = kvmi_event_get_data(event, &size);
	assert_int_equal(size, sizeof(*got));
	assert_int_equal(got->failed, 1);
	assert_err(-EINVAL, kvmi_event_reply(rig.vm, event,
					     KVMI_EVENT_ACTION_RETRY, NULL, 0));
	assert_err(0, kvmi_event_reply(rig.vm, event,
				       KVMI_EVENT_ACTION_CONTINUE, NULL, 0));
	kvmi_event_free(event);
	rig_close(&rig);

	d.size--;
	d.expected_size = 0;
	rig_open(&rig, report, &d);
	assert_err(-EPROTO, kvmi_vm_next_event(rig.vm, 5000, &event));
	rig_close(&rig);
}

static void wrong_replies_are_not_sent(void **state)
{
	const struct kvmi_vcpu_event_cr cr = { .cr = 3 };
	struct dialogue d = new_dialogue(KVMI_VCPU_EVENT_CR, &cr, sizeof(cr),
					 KVMI_EVENT_ACTION_CRASH);
	const uint8_t data[16] = { 0 };
	struct kvmi_event *event;
	struct rig rig;

	(void)state;
	rig_open(&rig, report, &d);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	assert_err(-EINVAL, kvmi_event_reply(rig.vm, event,
					     KVMI_EVENT_ACTION_RETRY, data, 8));
	assert_err(-EINVAL, kvmi_event_reply(rig.vm, event, 3, data, 8));
	assert_err(-EINVAL, kvmi_event_reply(rig.vm, event, 256, data, 8));
	assert_err(-EINVAL, kvmi_event_reply(rig.vm, event,
					     KVMI_EVENT_ACTION_CONTINUE, data,
					     9));
	/* It would write 0 into the register. */
	assert_err(-EINVAL, kvmi_event_reply(rig.vm, event,
					     KVMI_EVENT_ACTION_CONTINUE, NULL,
					     0));
	assert_err(0, kvmi_event_reply(rig.vm, event, KVMI_EVENT_ACTION_CRASH,
				       NULL, 0));
	kvmi_event_free(event);
	rig_close(&rig);

	d = new_dialogue(KVMI_VCPU_EVENT_PAUSE, NULL, 0,
			 KVMI_EVENT_ACTION_CONTINUE);
	rig_open(&rig, report, &d);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	assert_err(-EINVAL, kvmi_event_reply_cr(rig.vm, event, 0));
	assert_err(-EINVAL, kvmi_event_reply(rig.vm, event,
					     KVMI_EVENT_ACTION_CONTINUE, data,
					     1));
	assert_err(0, kvmi_event_reply(rig.vm, event,
				       KVMI_EVENT_ACTION_CONTINUE, NULL, 0));
	kvmi_event_free(event);
	rig_close(&rig);
}

static int report_unhook(int fd, void *arg)
{
	(void)arg;
	return script_event(fd, 1, KVMI_VM_EVENT_UNHOOK, NULL, 0);
}

static void event_of_the_vm_has_no_vcpu(void **state)
{
	struct kvmi_event *event;
	struct rig rig;

	(void)state;
	rig_open(&rig, report_unhook, NULL);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	assert_err(-ENOENT, kvmi_event_get_vcpu(event));
	assert_null(kvmi_event_get_state(event));
	assert_err(-EINVAL, kvmi_event_reply(rig.vm, event,
					     KVMI_EVENT_ACTION_CONTINUE, NULL,
					     0));
	kvmi_event_free(event);
	rig_close(&rig);
}

/* Sends a larger common part than this library knows, as a newer kernel. */
static int report_newer(int fd, void *arg)
{
	const uint16_t *claim = arg;
	struct {
		struct kvmi_vcpu_event state;
		uint64_t newer;
		struct kvmi_vcpu_event_cr cr;
	} body = { .newer = 5, .cr = { .cr = 4, .new_value = 6 } };

	script_state(&body.state, 2);
	body.state.size = *claim;
	return script_event(fd, 1, KVMI_VCPU_EVENT_CR, &body, sizeof(body));
}

static void newer_state_is_skipped(void **state)
{
	uint16_t claim = sizeof(struct kvmi_vcpu_event) + 8;
	const struct kvmi_vcpu_event_cr *cr;
	struct kvmi_event *event;
	struct rig rig;
	size_t size;

	(void)state;
	rig_open(&rig, report_newer, &claim);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	cr = kvmi_event_get_data(event, &size);
	assert_int_equal(size, sizeof(*cr));
	assert_int_equal(cr->cr, 4);
	assert_int_equal(cr->new_value, 6);
	kvmi_event_free(event);
	rig_close(&rig);
}

static void false_sizes_end_the_session(void **state)
{
	static const uint16_t claims[] = { 0, 1, 543, 545, 544 + 16, 584, 65535 };
	struct kvmi_event *event;
	struct rig rig;
	uint16_t claim;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		claim = claims[i];
		rig_open(&rig, report_newer, &claim);
		assert_err(-EPROTO, kvmi_vm_next_event(rig.vm, 5000, &event));
		rig_close(&rig);
	}
}

static int refuse_a_reply(int fd, void *arg)
{
	const struct {
		struct kvmi_msg_hdr hdr;
		struct kvmi_error_code code;
	} refusal = { { KVMI_VCPU_EVENT, 8, 1 }, { -KVM_EAGAIN, 0 } };

	(void)arg;
	return script_send(fd, &refusal, sizeof(refusal)) ||
	       report_unhook(fd, NULL) ? -EPIPE : 0;
}

static void refused_reply_is_only_logged(void **state)
{
	struct kvmi_event *event;
	struct rig rig;

	(void)state;
	rig_open(&rig, refuse_a_reply, NULL);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	assert_int_equal(kvmi_event_get_id(event), KVMI_VM_EVENT_UNHOOK);
	assert_true(rig.log_count >= 2);
	kvmi_event_free(event);
	rig_close(&rig);
}

static void unanswered_event_is_dropped(void **state)
{
	struct dialogue d = new_dialogue(KVMI_VCPU_EVENT_PAUSE, NULL, 0, 0);
	struct kvmi_event *event;
	struct rig rig;

	(void)state;
	d.expected_size = 0;
	rig_open(&rig, report, &d);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	kvmi_vm_shutdown(rig.vm);
	assert_err(-ECONNRESET, kvmi_event_reply(rig.vm, event,
						 KVMI_EVENT_ACTION_CONTINUE,
						 NULL, 0));
	kvmi_event_free(event);
	rig_close(&rig);
}

/* An event between a command and its answer, which waits for the reply. */
static int event_first(int fd, void *arg)
{
	const struct kvmi_vcpu_get_info_reply info = { 1 };
	struct frame command, reply;

	(void)arg;
	if (script_command(fd, &command) ||
	    script_vcpu_event(fd, 1, 0, KVMI_VCPU_EVENT_PAUSE, NULL, 0) ||
	    script_command(fd, &reply))
		return -EPIPE;
	if (reply.hdr.id != KVMI_VCPU_EVENT)
		return -EBADMSG;
	return script_reply(fd, &command, 0, &info, sizeof(info));
}

static void *ask(void *arg)
{
	struct kvmi_vcpu_get_info_reply reply;
	struct rig *rig = arg;

	return kvmi_vcpu_get_info(rig->vm, 0, &reply) ? arg : NULL;
}

static void event_while_a_command_waits(void **state)
{
	struct kvmi_event *event;
	pthread_t thread;
	struct rig rig;
	void *failed;

	(void)state;
	rig_open(&rig, event_first, NULL);
	assert_err(0, pthread_create(&thread, NULL, ask, &rig));
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	assert_err(0, kvmi_event_reply(rig.vm, event,
				       KVMI_EVENT_ACTION_CONTINUE, NULL, 0));
	kvmi_event_free(event);
	pthread_join(thread, &failed);
	assert_null(failed);
	rig_close(&rig);
}

#define VCPUS	4
#define THREADS	8
#define ROUNDS	200

/*
 * Four vCPUs that report an event each. One that got its reply answers the
 * commands that it was asked meanwhile, newest first, and reports the next.
 */
struct crowd {
	uint32_t seq[VCPUS];	/* of the event that waits */
	unsigned int rounds[VCPUS];
	uint32_t next_seq;
	struct frame held[VCPUS];
	unsigned int held_count;
};

static int crowd_report(int fd, struct crowd *crowd, uint16_t vcpu)
{
	crowd->seq[vcpu] = ++crowd->next_seq;
	return script_vcpu_event(fd, crowd->seq[vcpu], vcpu,
				 KVMI_VCPU_EVENT_PAUSE, NULL, 0);
}

static int crowd_answer(int fd, struct crowd *crowd)
{
	struct kvmi_vcpu_get_info_reply info;
	struct frame *frame;

	while (crowd->held_count) {
		frame = &crowd->held[--crowd->held_count];
		info.tsc_speed = 1000 + frame->body[0];
		if (script_reply(fd, frame, 0, &info, sizeof(info)))
			return -EPIPE;
	}
	return 0;
}

static int crowd_take_reply(int fd, struct crowd *crowd,
			    const struct frame *frame)
{
	uint16_t vcpu = frame->body[0];

	if (frame->hdr.seq != crowd->seq[vcpu] || frame->hdr.size != 16)
		return -EILSEQ;
	if (crowd_answer(fd, crowd))
		return -EPIPE;
	if (++crowd->rounds[vcpu] == ROUNDS)
		return 0;
	return crowd_report(fd, crowd, vcpu);
}

static unsigned int crowd_waiting(const struct crowd *crowd)
{
	unsigned int i, n = 0;

	for (i = 0; i < VCPUS; i++)
		n += crowd->rounds[i] != ROUNDS;
	return n;
}

static int be_crowd(int fd, void *arg)
{
	struct crowd *crowd = arg;
	struct frame frame;
	int err = 0;
	uint16_t i;

	for (i = 0; i < VCPUS && !err; i++)
		err = crowd_report(fd, crowd, i);
	while (!err && crowd_waiting(crowd)) {
		if (script_command(fd, &frame))
			return -EPIPE;
		if (frame.hdr.id == KVMI_VCPU_EVENT)
			err = crowd_take_reply(fd, crowd, &frame);
		else
			crowd->held[crowd->held_count++] = frame;
		/* At least one thread must go on to reply. */
		if (!err && crowd->held_count >= crowd_waiting(crowd))
			err = crowd_answer(fd, crowd);
	}
	return err ? err : crowd_answer(fd, crowd);
}

/* Takes an event, asks its vCPU and another one, replies, until the end. */
static void *reply_to_all(void *arg)
{
	struct kvmi_vcpu_get_info_reply info;
	struct kvmi_event *event;
	struct rig *rig = arg;
	unsigned int vcpu, asked;
	int err;

	for (;;) {
		err = kvmi_vm_next_event(rig->vm, -1, &event);
		if (err)
			return err == -ECONNRESET ? NULL : arg;
		vcpu = (unsigned int)kvmi_event_get_vcpu(event);
		asked = (vcpu + kvmi_event_get_seq(event)) % VCPUS;
		if (kvmi_event_get_seq(event) % 3 == 0) {
			err = kvmi_vcpu_get_info(rig->vm, asked, &info);
			if (err || info.tsc_speed != 1000 + asked)
				return arg;
		}
		err = kvmi_event_reply(rig->vm, event,
				       KVMI_EVENT_ACTION_CONTINUE, NULL, 0);
		kvmi_event_free(event);
		if (err)
			return arg;
	}
}

static void four_vcpus_and_eight_threads(void **state)
{
	static struct crowd crowd;
	pthread_t threads[THREADS];
	struct rig rig;
	void *failed;
	int i;

	(void)state;
	rig_open(&rig, be_crowd, &crowd);
	for (i = 0; i < THREADS; i++)
		assert_err(0, pthread_create(&threads[i], NULL, reply_to_all,
					     &rig));
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	for (i = 0; i < VCPUS; i++)
		assert_int_equal(crowd.rounds[i], ROUNDS);
	rig_close(&rig);
}

/* Replies to the newest first; the peer must get each as it was sent. */
static int report_four(int fd, void *arg)
{
	struct frame frame;
	uint16_t i;

	(void)arg;
	for (i = 0; i < VCPUS; i++)
		if (script_vcpu_event(fd, i + 1, i, KVMI_VCPU_EVENT_PAUSE, NULL,
				      0))
			return -EPIPE;
	for (i = VCPUS; i--;)
		if (script_command(fd, &frame) ||
		    frame.hdr.id != KVMI_VCPU_EVENT ||
		    frame.hdr.seq != i + 1u || frame.body[0] != i)
			return -EILSEQ;
	return 0;
}

static void replies_out_of_order(void **state)
{
	struct kvmi_event *events[VCPUS];
	struct rig rig;
	int i;

	(void)state;
	rig_open(&rig, report_four, NULL);
	for (i = 0; i < VCPUS; i++)
		assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &events[i]));
	for (i = VCPUS; i--;) {
		assert_err(0, kvmi_event_reply(rig.vm, events[i],
					       KVMI_EVENT_ACTION_CONTINUE, NULL,
					       0));
		kvmi_event_free(events[i]);
	}
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
		cmocka_unit_test(reply_is_exact),
		cmocka_unit_test(cr_reply_carries_the_value),
		cmocka_unit_test(msr_reply_carries_the_value),
		cmocka_unit_test(step_tells_if_it_failed),
		cmocka_unit_test(wrong_replies_are_not_sent),
		cmocka_unit_test(event_of_the_vm_has_no_vcpu),
		cmocka_unit_test(newer_state_is_skipped),
		cmocka_unit_test(false_sizes_end_the_session),
		cmocka_unit_test(refused_reply_is_only_logged),
		cmocka_unit_test(unanswered_event_is_dropped),
		cmocka_unit_test(event_while_a_command_waits),
		cmocka_unit_test(four_vcpus_and_eight_threads),
		cmocka_unit_test(replies_out_of_order),
	};

	return cmocka_run_group_tests_name("vcpu", tests, NULL, NULL);
}
