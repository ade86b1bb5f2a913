// SPDX-License-Identifier: GPL-2.0-or-later
/* The table: every id has one row, every row an id, a name and its sizes. */
#include <kvmi/assert.h>
#include <kvmi/table.h>

#include "rig.h"

struct row {
	const char *name;
	const char *stem;
	unsigned int id;
	bool is_vcpu;
	bool is_planned;
};

enum { VM = false, VCPU = true };

#define MESSAGE(NAME, stem, scope, request, reply, flags, errors) \
	{ #NAME, #stem, KVMI_##NAME, scope, false },
#define MESSAGE_PLANNED(NAME, stem, scope, request, reply, flags, errors, by) \
	{ #NAME, #stem, KVMI_##NAME, scope, true },
#define EVENT(NAME, stem, scope, data, reply, actions) \
	{ #NAME, #stem, KVMI_##NAME, scope, false },
#define EVENT_PLANNED(NAME, stem, scope, data, reply, actions, by) \
	{ #NAME, #stem, KVMI_##NAME, scope, true },

static const struct row messages[] = {
	KVMI_MESSAGES(MESSAGE)
	KVMI_MESSAGES_PLANNED(MESSAGE_PLANNED)
};

static const struct row events[] = {
	KVMI_EVENTS(EVENT)
	KVMI_EVENTS_PLANNED(EVENT_PLANNED)
};

/* The rows' sizes are those of the structures, where there is one. */
#define HAS_REQUEST(M) \
	M(vm_check_command, VM_CHECK_COMMAND) \
	M(vm_check_event, VM_CHECK_EVENT) \
	M(vm_control_events, VM_CONTROL_EVENTS) \
	M(vm_read_physical, VM_READ_PHYSICAL) \
	M(vm_write_physical, VM_WRITE_PHYSICAL) \
	M(vm_control_cleanup, VM_CONTROL_CLEANUP) \
	M(vm_pause_vcpu, VM_PAUSE_VCPU) \
	M(vm_set_page_access, VM_SET_PAGE_ACCESS) \
	M(vcpu_control_events, VCPU_CONTROL_EVENTS) \
	M(vcpu_get_registers, VCPU_GET_REGISTERS) \
	M(vcpu_get_cpuid, VCPU_GET_CPUID) \
	M(vcpu_control_cr, VCPU_CONTROL_CR) \
	M(vcpu_inject_exception, VCPU_INJECT_EXCEPTION) \
	M(vcpu_get_xcr, VCPU_GET_XCR) \
	M(vcpu_set_xsave, VCPU_SET_XSAVE) \
	M(vcpu_get_mtrr_type, VCPU_GET_MTRR_TYPE) \
	M(vcpu_control_msr, VCPU_CONTROL_MSR) \
	M(vcpu_control_singlestep, VCPU_CONTROL_SINGLESTEP) \
	M(vcpu_translate_gva, VCPU_TRANSLATE_GVA)
#define HAS_REPLY(M) \
	M(get_version, GET_VERSION) \
	M(vm_get_info, VM_GET_INFO) \
	M(vm_get_max_gfn, VM_GET_MAX_GFN) \
	M(vcpu_get_info, VCPU_GET_INFO) \
	M(vcpu_get_registers, VCPU_GET_REGISTERS) \
	M(vcpu_get_cpuid, VCPU_GET_CPUID) \
	M(vcpu_get_xcr, VCPU_GET_XCR) \
	M(vcpu_get_xsave, VCPU_GET_XSAVE) \
	M(vcpu_get_mtrr_type, VCPU_GET_MTRR_TYPE) \
	M(vcpu_translate_gva, VCPU_TRANSLATE_GVA)

#define REQUEST_BYTES(NAME, stem, scope, request, reply, ...) \
	NAME##_REQUEST = request, NAME##_REPLY = reply,
enum { KVMI_MESSAGES(REQUEST_BYTES) KVMI_MESSAGES_PLANNED(REQUEST_BYTES) };

#define REQUEST_FITS(stem, NAME) \
	_Static_assert(sizeof(struct kvmi_##stem) == NAME##_REQUEST, #NAME);
#define REPLY_FITS(stem, NAME) \
	_Static_assert(sizeof(struct kvmi_##stem##_reply) == NAME##_REPLY, #NAME);
HAS_REQUEST(REQUEST_FITS)
HAS_REPLY(REPLY_FITS)

/* What is in neither list has no structure of its own. */
_Static_assert(VCPU_SET_REGISTERS_REQUEST == sizeof(struct kvm_regs), "regs");
_Static_assert(GET_VERSION_REQUEST == 0 && VM_GET_INFO_REQUEST == 0 &&
	       VM_GET_MAX_GFN_REQUEST == 0 && VCPU_GET_INFO_REQUEST == 0 &&
	       VCPU_GET_XSAVE_REQUEST == 0, "no request");

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct row *find(const struct row *rows, size_t count,
			      unsigned int id)
{
	const struct row *found = NULL;
	size_t i;

	for (i = 0; i < count; i++) {
		if (rows[i].id != id)
			continue;
		assert_null(found);
		found = &rows[i];
	}
	return found;
}

static void check_ids(const struct row *rows, size_t count, unsigned int first,
		      unsigned int next, bool is_vcpu)
{
	const struct row *row;
	unsigned int id;

	for (id = first; id < next; id += 2) {
		row = find(rows, count, id);
		if (!row)
			fail_msg("id %u has no row", id);
		assert_int_equal(row->is_vcpu, is_vcpu);
	}
}

static void every_message_has_one_row(void **state)
{
	(void)state;
	check_ids(messages, COUNT(messages), KVMI_GET_VERSION,
		  KVMI_NEXT_VM_MESSAGE, false);
	check_ids(messages, COUNT(messages), KVMI_VCPU_GET_INFO,
		  KVMI_NEXT_VCPU_MESSAGE, true);
	assert_int_equal(COUNT(messages), 11 + 14);
}

static void every_event_has_one_row(void **state)
{
	(void)state;
	check_ids(events, COUNT(events), KVMI_VM_EVENT_UNHOOK,
		  KVMI_NEXT_VM_EVENT, false);
	check_ids(events, COUNT(events), KVMI_VCPU_EVENT_PAUSE,
		  KVMI_NEXT_VCPU_EVENT, true);
	assert_int_equal(COUNT(events), 1 + 10);
}

static void rows_are_of_their_scope(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(messages); i++)
		assert_int_equal(messages[i].id & 1, messages[i].is_vcpu);
	for (i = 0; i < COUNT(events); i++)
		assert_int_equal(events[i].id & 1, events[i].is_vcpu);
}

static void check_names(const struct row *rows, size_t count,
			const char *(*name)(unsigned int),
			int (*id)(const char *))
{
	char dashed[64];
	char *c;
	size_t i;

	for (i = 0; i < count; i++) {
		snprintf(dashed, sizeof(dashed), "%s", rows[i].stem);
		for (c = dashed; *c; c++)
			*c = *c == '_' ? '-' : *c;
		assert_string_equal(name(rows[i].id), dashed);
		assert_int_equal(id(dashed), rows[i].id);
		assert_int_equal(id(rows[i].stem), rows[i].id);
	}
}

static void every_row_has_a_name_both_ways(void **state)
{
	(void)state;
	check_names(messages, COUNT(messages), kvmi_command_name,
		    kvmi_command_id);
	check_names(events, COUNT(events), kvmi_event_name, kvmi_event_id);
}

static void what_is_no_row_has_no_name(void **state)
{
	(void)state;
	assert_null(kvmi_command_name(KVMI_VM_EVENT));
	assert_null(kvmi_command_name(KVMI_VCPU_EVENT));
	assert_null(kvmi_command_name(0x8000));
	assert_null(kvmi_event_name(2));
	assert_null(kvmi_event_name(UINT16_MAX + 3));
	assert_string_equal(kvmi_event_name(KVMI_OWN_EVENT_END), "end");
	assert_int_equal(kvmi_event_id("end"), -ENOENT);
	assert_err(-ENOENT, kvmi_command_id(""));
	assert_err(-ENOENT, kvmi_command_id("vm-read"));
	assert_err(-ENOENT, kvmi_command_id("vm-read-physical-"));
	assert_err(-ENOENT, kvmi_event_id("unhooked"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_has_one_row),
		cmocka_unit_test(every_event_has_one_row),
		cmocka_unit_test(rows_are_of_their_scope),
		cmocka_unit_test(every_row_has_a_name_both_ways),
		cmocka_unit_test(what_is_no_row_has_no_name),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
