// SPDX-License-Identifier: GPL-2.0-or-later
/* Instructions at the vCPU of an event: how long they are, and skipped. */
#include "rig.h"

#define PAGE		4096
#define FIRST_GPA	0x10000ull
#define SECOND_GPA	0x30000ull	/* of the page behind it */
#define EFER_LMA	0x400
#define CR0_PE		1

/* A vCPU that waits with an event, and what the library does about it. */
struct scene {
	uint8_t mode;
	uint64_t cs_base, rip, cr0, efer;
	uint16_t event;
	uint8_t code[16];
	size_t size;		/* of code */
	bool is_first_away, is_second_away, is_memory_away;

	/* seen */
	unsigned int translations, settings, replies;
	struct kvm_regs regs;
	uint8_t action;
};

static uint64_t linear(const struct scene *s)
{
	return s->mode == 8 ? s->rip : (uint32_t)(s->cs_base + s->rip);
}

static void fill_state(const struct scene *s, struct kvmi_vcpu_event *state)
{
	size_t i;

	script_state(state, 1);
	state->arch.mode = s->mode;
	/* Each register has another value. */
	for (i = 0; i < sizeof(state->arch.regs) / 8; i++)
		((__u64 *)&state->arch.regs)[i] = 0x1111111111111111 + i;
	state->arch.regs.rip = s->rip;
	state->arch.sregs.cs.base = s->cs_base;
	state->arch.sregs.cr0 = s->cr0;
	state->arch.sregs.efer = s->efer;
}

static int send_event(int fd, const struct scene *s)
{
	struct {
		struct kvmi_vcpu_event state;
		uint8_t data[24];
	} body = { 0 };

	fill_state(s, &body.state);
	return script_event(fd, 1, s->event, &body, sizeof(body));
}

static int translate(int fd, const struct frame *frame, struct scene *s)
{
	struct kvmi_vcpu_translate_gva_reply reply = { UINT64_MAX };
	uint64_t gva, page = linear(s) / PAGE;

	memcpy(&gva, frame->body + sizeof(struct kvmi_vcpu_hdr), sizeof(gva));
	s->translations++;
	if (gva / PAGE == page && !s->is_first_away)
		reply.gpa = FIRST_GPA + gva % PAGE;
	if (gva / PAGE == page + 1 && !s->is_second_away)
		reply.gpa = SECOND_GPA + gva % PAGE;
	return script_reply(fd, frame, 0, &reply, sizeof(reply));
}

static int read_memory(int fd, const struct frame *frame, const struct scene *s)
{
	const struct kvmi_vm_read_physical *req = (const void *)frame->body;
	static const uint64_t gpas[] = { FIRST_GPA, SECOND_GPA };
	uint8_t pages[2 * PAGE] = { 0 };
	size_t i;

	memcpy(pages + linear(s) % PAGE, s->code, s->size);
	for (i = 0; i < 2 && !s->is_memory_away; i++)
		if (req->gpa / PAGE == gpas[i] / PAGE &&
		    req->gpa % PAGE + req->size <= PAGE)
			return script_reply(fd, frame, 0, pages + i * PAGE +
					    req->gpa % PAGE, req->size);
	return script_reply(fd, frame, -KVM_ENOENT, NULL, 0);
}

static int serve(int fd, const struct frame *frame, struct scene *s)
{
	switch (frame->hdr.id) {
	case KVMI_VCPU_TRANSLATE_GVA:
		return translate(fd, frame, s);
	case KVMI_VM_READ_PHYSICAL:
		return read_memory(fd, frame, s);
	case KVMI_VCPU_SET_REGISTERS:
		s->settings++;
		memcpy(&s->regs, frame->body + sizeof(struct kvmi_vcpu_hdr),
		       sizeof(s->regs));
		return script_reply(fd, frame, 0, NULL, 0);
	case KVMI_VCPU_EVENT:
		s->replies++;
		s->action = frame->body[sizeof(struct kvmi_vcpu_hdr)];
		return 0;
	default:
		return -EBADMSG;
	}
}

static int play(int fd, void *arg)
{
	struct scene *s = arg;
	struct frame frame;
	int err = send_event(fd, s);

	while (!err && !script_command(fd, &frame))
		err = serve(fd, &frame, s);
	return err;
}

/* What the library returns, to be held against the scene. */
static int skip_it(struct scene *s)
{
	struct kvmi_event *event;
	struct rig rig;
	int err;

	if (!s->event)
		s->event = KVMI_VCPU_EVENT_PF;
	rig_open(&rig, play, s);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	err = kvmi_event_reply_skip(rig.vm, event);
	if (!err)
		assert_err(-EALREADY, kvmi_event_reply_skip(rig.vm, event));
	kvmi_event_free(event);
	rig_close(&rig);
	return err;
}

static void expect_skip(struct scene s, uint64_t rip)
{
	struct kvmi_vcpu_event state;

	assert_err(0, skip_it(&s));
	assert_int_equal(s.settings, 1);
	assert_int_equal(s.replies, 1);
	assert_int_equal(s.action, KVMI_EVENT_ACTION_RETRY);
	fill_state(&s, &state);
	state.arch.regs.rip = rip;
	assert_memory_equal(&s.regs, &state.arch.regs, sizeof(s.regs));
}

/* Nothing is changed, and the vCPU goes on waiting. */
static void expect_error(struct scene s, int expected)
{
	assert_err_of(kvmi_event_reply_skip, expected, skip_it(&s));
	assert_int_equal(s.settings, 0);
	assert_int_equal(s.replies, 0);
}

static void length_is_that_of_the_mode(void **state)
{
	/* mov $imm, %ax or %eax; the same with the other size; inc or REX */
	struct scene s = { .rip = 0x1000, .size = 6, .cr0 = CR0_PE };

	(void)state;
	memcpy(s.code, "\xb8\x01\x02\x03\x04\x05", 6);
	s.mode = 2;
	expect_skip(s, 0x1003);
	s.cr0 = 0;
	expect_skip(s, 0x1003);
	s.cr0 = CR0_PE;
	s.efer = EFER_LMA;
	expect_skip(s, 0x1003);
	s.mode = 4;
	expect_skip(s, 0x1005);
	s.efer = 0;
	expect_skip(s, 0x1005);

	memcpy(s.code, "\x66\xb8\x01\x02\x03\x04", 6);
	expect_skip(s, 0x1004);
	s.mode = 2;
	expect_skip(s, 0x1006);

	memcpy(s.code, "\x48\x89\x07\x90\x90\x90", 6);
	expect_skip(s, 0x1001);
	s.mode = 4;
	expect_skip(s, 0x1001);
	s.mode = 8;
	s.efer = EFER_LMA;
	expect_skip(s, 0x1003);
}

static void stores_of_64_bit_code(void **state)
{
	static const struct {
		uint8_t code[16];
		uint8_t size;
	} stores[] = {
		{ { 0xf3, 0x48, 0xab }, 3 },			/* rep stos */
		{ { 0xc6, 0x05, 1, 2, 3, 4, 5 }, 7 },
		{ { 0xf0, 0x48, 0x0f, 0xb1, 0x0e }, 5 },
		{ { 0x0f, 0xae, 0x27 }, 3 },			/* xsave */
		{ { 0xc5, 0xfd, 0x7f, 0x07 }, 4 },		/* vmovdqa */
		{ { 0x48, 0xa3, 1, 2, 3, 4, 5, 6, 7, 8 }, 10 },
		{ { 0x66, 0x66, 0x66, 0x66, 0x66, 0x2e, 0x48, 0xc7, 0x84, 0x24,
		    1, 2, 3, 4, 5 }, 0 },			/* too long */
		{ { 0x66, 0x66, 0x2e, 0x48, 0xc7, 0x84, 0x24, 1, 2, 3, 4, 5, 6,
		    7, 8 }, 15 },
	};
	struct scene s = { .mode = 8, .rip = 0xffffffff81000000, .size = 16 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
		memcpy(s.code, stores[i].code, sizeof(s.code));
		if (stores[i].size)
			expect_skip(s, s.rip + stores[i].size);
		else
			expect_error(s, -EILSEQ);
	}
}

/* Addresses have 32 bits; EIP wraps at their end, and IP goes on. */
static void addresses_of_segments(void **state)
{
	struct scene s = { .mode = 2, .cs_base = 0xf0000, .rip = 0xfff0,
			   .code = { 0x88, 0x07 }, .size = 2 };

	(void)state;
	expect_skip(s, 0xfff2);
	s.rip = 0xffff;
	expect_skip(s, 0x10001);

	s.mode = 4;
	s.cr0 = CR0_PE;
	s.rip = 0xffffffff;
	expect_skip(s, 1);
	s.cs_base = 0xfffff000;
	s.rip = 0x2000;
	expect_skip(s, 0x2002);
}

static void across_the_end_of_a_page(void **state)
{
	struct scene s = { .mode = 8, .rip = 0x7ff6000, .size = 10,
			   .code = { 0x48, 0xa3, 1, 2, 3, 4, 5, 6, 7, 8 } };
	size_t before;

	(void)state;
	for (before = 1; before < s.size; before++) {
		s.rip = 0x7ff6000 + PAGE - before;
		s.is_second_away = false;
		expect_skip(s, s.rip + s.size);
		s.is_second_away = true;
		expect_error(s, -EFAULT);
	}
	/* What ends with its page does not need the next. */
	s.rip = 0x7ff6000 + PAGE - s.size;
	expect_skip(s, 0x7ff7000);
	assert_err(0, skip_it(&s));
	assert_int_equal(s.translations, 1);
}

static void unreadable_bytes(void **state)
{
	struct scene s = { .mode = 8, .rip = 0x1000, .code = { 0x90 }, .size = 1 };

	(void)state;
	s.is_first_away = true;
	expect_error(s, -EFAULT);
	s.is_first_away = false;
	s.is_memory_away = true;
	expect_error(s, -EFAULT);
}

static void no_instruction(void **state)
{
	struct scene s = { .mode = 8, .rip = 0x1000, .code = { 0x06 }, .size = 1 };

	(void)state;
	expect_error(s, -EILSEQ);	/* push %es */
	s.mode = 4;
	expect_skip(s, 0x1001);
	memset(s.code, 0x66, sizeof(s.code));
	s.size = sizeof(s.code);
	expect_error(s, -EILSEQ);
	s.mode = 8;
	expect_error(s, -EILSEQ);
}

static void only_where_there_is_a_retry(void **state)
{
	struct scene s = { .mode = 8, .rip = 0x1000, .code = { 0x0f, 0x01, 0x1f },
			   .size = 3 };

	(void)state;
	s.event = KVMI_VCPU_EVENT_DESCRIPTOR;
	expect_skip(s, 0x1003);
	s.event = KVMI_VCPU_EVENT_BREAKPOINT;
	expect_skip(s, 0x1003);
	s.event = KVMI_VCPU_EVENT_CR;
	expect_error(s, -EINVAL);
	s.event = KVMI_VCPU_EVENT_SINGLESTEP;
	expect_error(s, -EINVAL);
	s.event = KVMI_VCPU_EVENT_PAUSE;
	expect_error(s, -EINVAL);
	assert_int_equal(s.translations, 0);
}

static void bytes_of_any_event(void **state)
{
	struct scene s = { .mode = 8, .rip = 0x1ffd, .size = 5,
			   .code = { 0xe8, 1, 2, 3, 4 },
			   .event = KVMI_VCPU_EVENT_PAUSE };
	uint8_t code[KVMI_INSTRUCTION_MAX];
	struct kvmi_event *event;
	struct rig rig;

	(void)state;
	rig_open(&rig, play, &s);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	assert_err(5, kvmi_event_read_instruction(rig.vm, event, code));
	assert_memory_equal(code, s.code, 5);
	kvmi_event_free(event);
	rig_close(&rig);
	assert_int_equal(s.translations, 2);
}

static int report_unhook(int fd, void *arg)
{
	(void)arg;
	return script_event(fd, 1, KVMI_VM_EVENT_UNHOOK, NULL, 0);
}

static void event_of_the_vm_has_none(void **state)
{
	uint8_t code[KVMI_INSTRUCTION_MAX];
	struct kvmi_event *event;
	struct rig rig;

	(void)state;
	rig_open(&rig, report_unhook, NULL);
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	assert_err(-EINVAL, kvmi_event_read_instruction(rig.vm, event, code));
	assert_err(-EINVAL, kvmi_event_reply_skip(rig.vm, event));
	kvmi_event_free(event);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(length_is_that_of_the_mode),
		cmocka_unit_test(stores_of_64_bit_code),
		cmocka_unit_test(addresses_of_segments),
		cmocka_unit_test(across_the_end_of_a_page),
		cmocka_unit_test(unreadable_bytes),
		cmocka_unit_test(no_instruction),
		cmocka_unit_test(only_where_there_is_a_retry),
		cmocka_unit_test(bytes_of_any_event),
		cmocka_unit_test(event_of_the_vm_has_none),
	};

	return cmocka_run_group_tests_name("skip", tests, NULL, NULL);
}
