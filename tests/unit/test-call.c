// SPDX-License-Identifier: GPL-2.0-or-later
/* System calls as text, with what their arguments point to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/trace/call.h"

#define MEMORY	0x1000		/* where the memory below begins */

static char memory[1024];

static size_t read_memory(void *data, unsigned int vcpu, uint64_t gva, void *to,
			  size_t size)
{
	assert_ptr_equal(memory, data);
	assert_int_equal(3, vcpu);
	if (gva < MEMORY || gva >= MEMORY + sizeof(memory))
		return 0;
	if (size > MEMORY + sizeof(memory) - gva)
		size = MEMORY + sizeof(memory) - gva;
	memcpy(to, memory + (gva - MEMORY), size);
	return size;
}

static void expect_text(const char *wanted, unsigned int strings,
			struct call call)
{
	struct call_strings found;
	char text[1024];

	call.vcpu = 3;
	call_format(&call, read_memory, memory, text, sizeof(text), &found);
	assert_string_equal(wanted, text);
	assert_int_equal(strings, found.count);
	call_strings_free(&found);
}

static uint64_t put(size_t at, const char *text)
{
	strcpy(memory + at, text);
	return MEMORY + at;
}

static void test_names(void **state)
{
	char name[CALL_NAME];

	(void)state;
	assert_string_equal("read", call_name(0, name));
	assert_string_equal("openat", call_name(257, name));
	assert_string_equal("syscall_4000", call_name(4000, name));
	assert_int_equal(257, call_number("openat"));
	assert_int_equal(110, call_number("getppid"));
	assert_int_equal(110, call_number("0x6e"));
	assert_true(call_number("openatt") < 0);
	assert_true(call_number("") < 0);
	assert_true(call_number("12x") < 0);
	assert_true(call_number("5000") < 0);
	/* Known on another processor only. */
	assert_true(call_number("breakpoint") < 0);
}

static void test_numbers(void **state)
{
	(void)state;
	expect_text("getppid()", 0, (struct call){ .number = 110 });
	expect_text("close(-1)", 0, (struct call){
		.number = 3, .arguments = { 0xffffffff } });
	expect_text("lseek(3, -1, 2)", 0, (struct call){
		.number = 8, .arguments = { 3, UINT64_MAX, 2 } });
	expect_text("umask(022)", 0, (struct call){
		.number = 95, .arguments = { 022 } });
	expect_text("syscall_4000(0x1, 0x2, 0x3, 0x4, 0x5, 0x6)", 0,
		    (struct call){ .number = 4000,
				   .arguments = { 1, 2, 3, 4, 5, 6 } });
}

static void test_strings(void **state)
{
	uint64_t path = put(0, "/etc/passwd");

	(void)state;
	expect_text("openat(AT_FDCWD, \"/etc/passwd\", 0x80000, 0644)", 1,
		    (struct call){ .number = 257, .arguments = {
			(uint32_t)-100, path, 0x80000, 0644 } });
	expect_text("openat(5, NULL, 0x0, 00)", 0, (struct call){
		.number = 257, .arguments = { 5 } });
	/* Not in memory yet. */
	expect_text("unlink(0x9999)", 0, (struct call){
		.number = 87, .arguments = { 0x9999 } });
	/* Nothing that a terminal would obey. */
	path = put(0, "\033[2J\"\\\n");
	expect_text("unlink(\"\\x1b[2J\\\"\\\\\\n\")", 1, (struct call){
		.number = 87, .arguments = { path } });
}

static void test_bytes(void **state)
{
	uint64_t bytes;

	(void)state;
	memset(memory, 'x', sizeof(memory));
	bytes = put(8, "hello");
	expect_text("write(1, \"hello\", 5)", 0, (struct call){
		.number = 1, .arguments = { 1, bytes, 5 } });
	expect_text("write(1, \"hell\", 4)", 0, (struct call){
		.number = 1, .arguments = { 1, bytes, 4 } });
	expect_text("write(1, \"\", 0)", 0, (struct call){
		.number = 1, .arguments = { 1, bytes, 0 } });
	memset(memory, 'x', sizeof(memory));
	expect_text("write(2, \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"..., 99)", 0,
		    (struct call){ .number = 1,
				   .arguments = { 2, MEMORY, 99 } });
	expect_text("write(2, 0x5, 99)", 0, (struct call){
		.number = 1, .arguments = { 2, 5, 99 } });
}

static void test_vector(void **state)
{
	uint64_t vector[] = { put(0, "sh"), put(16, "-c"), put(32, "ls"), 0 };

	(void)state;
	memcpy(memory + 64, vector, sizeof(vector));
	expect_text("execve(\"sh\", [\"sh\", \"-c\", \"ls\"], 0x7)", 4,
		    (struct call){ .number = 59, .arguments = {
			vector[0], MEMORY + 64, 7 } });
}

/* However much there is, it ends within the room. */
static void test_room(void **state)
{
	const struct call call = { .number = 257, .vcpu = 3,
				   .arguments = { 1, MEMORY } };
	struct call_strings strings;
	char text[32];
	size_t room;

	(void)state;
	memset(memory, '\1', sizeof(memory));
	for (room = 1; room <= sizeof(text); room++) {
		memset(text, '#', sizeof(text));
		call_format(&call, read_memory, memory, text, room, &strings);
		call_strings_free(&strings);
		assert_int_equal(room - 1, strlen(text));
	}
}

static void test_errors(void **state)
{
	(void)state;
	assert_null(call_error(0));
	assert_null(call_error(3));
	assert_null(call_error(0x7f0000000000));
	assert_null(call_error(-4096));
	assert_string_equal("ENOENT", call_error(-2));
	assert_string_equal("ERESTARTSYS", call_error(-512));
	assert_string_equal("ERESTART_RESTARTBLOCK", call_error(-516));
	assert_null(call_error(-517));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
