// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System calls. All of them are seen where the processor enters the kernel;
 * some, where their own function begins, so that the others cost nothing. With
 * their results, where the kernel is about to go back: all that there is to tell
 * is among the registers that it has saved, so nothing has to be kept from the
 * entry until then.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <sys/user.h>

#include "trace.h"

#define LSTAR		0xc0000082
#define LINE		1024
#define X32_BIT		0x40000000u
#define PAGE		4096
#define USER_CODE	0x33	/* selector of 64-bit code */
#define SMALL		(1ll << 32)
#define RESULT		5	/* of the fields, with its error */

static int add_point(struct trace *t, uint64_t gva, enum point_kind kind)
{
	size_t i;

	for (i = 0; i < t->point_count; i++)
		if (t->points[i].gva == gva)
			return t->points[i].kind == kind ? 0 : -EBUSY;
	t->points[t->point_count++] = (struct point){
		.gva = gva, .kind = kind,
	};
	return 0;
}

static int read_entry(struct trace *t, uint64_t *gva)
{
	struct kvmi_vcpu_get_registers_reply reply;
	const uint32_t msr = LSTAR;
	int err;

	err = kvmi_vcpu_get_registers(t->vm, 0, &msr, 1, &reply, gva);
	return err ? err : *gva ? 0 : -ENOENT;
}

/*
 * A kernel that is not built for indirect branch tracking has no instruction
 * there that could be stepped over. What it calls soon after has, if it can be
 * traced by the kernel itself.
 */
static int add_entry(struct trace *t)
{
	enum point_kind kind = POINT_ENTRY;
	uint64_t gva = 0, inner;
	int err = read_entry(t, &gva);

	if (!err && t->guest && point_is_easy(t, gva) <= 0 &&
	    !linux_symbol(t->guest, "x64_sys_call", &inner) &&
	    point_is_easy(t, inner) > 0) {
		kind = POINT_CALL;
		gva = inner;
	}
	if (!err)
		err = add_point(t, gva, kind);
	if (err)
		complain(err, "cannot find where the guest's system calls begin");
	return err;
}

static int read_function(struct trace *t, unsigned int number, uint64_t *gva)
{
	uint64_t table;
	int err;

	err = linux_symbol(t->guest, "sys_call_table", &table);
	if (!err)
		err = linux_read(t->guest, table + number * sizeof(*gva), gva,
				 sizeof(*gva));
	if (!err)
		err = point_is_easy(t, *gva);
	return err < 0 ? err : err ? 0 : -ENOENT;
}

/* All of them, or none: then the others are left out here. */
static int add_functions(struct trace *t)
{
	size_t i, before = t->point_count;
	uint64_t gva;
	int err = t->guest && t->call_count ? 0 : -ENOENT;

	for (i = 0; i < t->call_count && !err; i++) {
		err = read_function(t, t->calls[i], &gva);
		if (!err)
			err = add_point(t, gva, POINT_CALL);
	}
	if (err)
		t->point_count = before;
	return err;
}

/* The kernel's own symbol, as nothing else names the place. */
static int add_return(struct trace *t)
{
	uint64_t gva;
	int err = linux_symbol(t->guest, "syscall_exit_to_user_mode", &gva);

	if (!err)
		err = point_is_easy(t, gva);
	if (!err)
		err = -EOPNOTSUPP;
	if (err > 0)
		err = add_point(t, gva, POINT_RETURN);
	if (err)
		complain(0, "the guest's kernel has no one place where all its system calls return that can be watched");
	return err;
}

int syscall_prepare(struct trace *t)
{
	if (t->wants_returns)
		return add_return(t);
	return add_functions(t) ? add_entry(t) : 0;
}

/* A page at a time, as the next one may not be there. */
static size_t read_guest(void *data, unsigned int vcpu, uint64_t gva, void *to,
			 size_t size)
{
	struct trace *t = data;
	size_t done = 0, part;
	uint64_t gpa;

	while (done < size) {
		part = PAGE - (gva + done) % PAGE;
		if (part > size - done)
			part = size - done;
		if (kvmi_vcpu_translate_gva(t->vm, vcpu, gva + done, &gpa) ||
		    gpa == UINT64_MAX ||
		    kvmi_vm_read_physical(t->vm, gpa, (char *)to + done, part))
			break;
		done += part;
	}
	return done;
}

static void read_registers(const struct kvmi_vcpu_event *state,
			   struct call *call)
{
	const struct kvm_regs *regs = &state->arch.regs;
	const uint64_t arguments[CALL_ARGUMENTS] = {
		regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9,
	};

	call->number = (unsigned int)regs->rax;
	memcpy(call->arguments, arguments, sizeof(arguments));
}

/* The kernel keeps them on its stack, in the order that ptrace(2) has. */
static bool read_saved(struct trace *t, const struct kvmi_vcpu_event *state,
		       struct call *call)
{
	/* They end with ss, and the stack with them. */
	const size_t size = offsetof(struct user_regs_struct, fs_base);
	struct user_regs_struct saved;

	if (read_guest(t, state->vcpu, state->arch.regs.rdi, &saved, size) !=
	    size)
		return false;
	call->number = (unsigned int)saved.orig_rax;
	call->arguments[0] = saved.rdi;
	call->arguments[1] = saved.rsi;
	call->arguments[2] = saved.rdx;
	call->arguments[3] = saved.r10;
	call->arguments[4] = saved.r8;
	call->arguments[5] = saved.r9;
	call->result = (int64_t)saved.rax;
	/* A call of a 32-bit program has another number, one that ended none. */
	return !call->has_result || (saved.cs == USER_CODE &&
				     (int)saved.orig_rax >= 0);
}

static bool is_wanted(const struct trace *t, unsigned int number)
{
	size_t i;

	for (i = 0; i < t->call_count; i++)
		if (t->calls[i] == number)
			return true;
	return !t->call_count;
}

static struct json_object *json_arguments(const struct call *call,
					  const char *kinds)
{
	struct json_object *array = json_object_new_array();
	size_t i, count = kinds ? strlen(kinds) : CALL_ARGUMENTS;

	for (i = 0; i < count; i++)
		json_object_array_add(array, json_gpa(call->arguments[i]));
	return array;
}

static struct json_object *json_strings(const struct call_strings *strings)
{
	struct json_object *array = json_object_new_array();
	unsigned int i;

	for (i = 0; i < strings->count; i++)
		json_object_array_add(array,
				      json_object_new_string(strings->text[i]));
	return array;
}

/* As strace(1) does: a number or an address, or why there is none. */
static void format_result(const struct call *call, char *text, size_t room)
{
	const char *error = call_error(call->result);

	if (error)
		snprintf(text, room, " = %" PRId64 " %s", call->result, error);
	else if (call->result >= 0 && call->result < SMALL)
		snprintf(text, room, " = %" PRId64, call->result);
	else
		snprintf(text, room, " = 0x%" PRIx64, (uint64_t)call->result);
}

static void show(struct trace *t, const struct kvmi_vcpu_event *state,
		 const struct call *call)
{
	struct call_strings strings = { 0 };
	char text[LINE] = "", name[CALL_NAME];

	call_name(call->number, name);
	if (!t->is_quiet && !t->rates)
		call_format(call, read_guest, t, text, sizeof(text), &strings);
	if (call->has_result)
		format_result(call, text + strlen(text),
			      sizeof(text) - strlen(text));

	struct field fields[] = {
		{ .key = "number", .number = call->number, .is_decimal = true,
		  .is_for_programs = true },
		{ .key = "name", .text = name, .is_for_programs = true },
		{ .key = "text", .text = text, .is_bare = true },
		{ .key = "arguments", .is_for_programs = true, .object =
		  t->is_json ? json_arguments(call, call_arguments(name)) :
			       NULL },
		{ .key = "strings", .is_for_programs = true, .object =
		  t->is_json ? json_strings(&strings) : NULL },
		{ 0 }, { 0 }, { 0 },
	};

	if (call->has_result)
		fields[RESULT] = (struct field){
			.key = "result", .number = (uint64_t)call->result,
			.is_for_programs = true,
		};
	if (call->has_result && call_error(call->result))
		fields[RESULT + 1] = (struct field){
			.key = "error", .text = call_error(call->result),
			.is_for_programs = true,
		};

	line_print(t, SYSCALL, name, state, fields);
	call_strings_free(&strings);
}

void syscall_print(struct trace *t, const struct point *p,
		   const struct kvmi_vcpu_event *state)
{
	struct call call = {
		.vcpu = state->vcpu, .has_result = p->kind == POINT_RETURN,
	};

	if (p->kind == POINT_ENTRY)
		read_registers(state, &call);
	else if (!read_saved(t, state, &call))
		return;
	call.number &= ~X32_BIT;
	if (is_wanted(t, call.number) && line_takes(t, state))
		show(t, state, &call);
}
