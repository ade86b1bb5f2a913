// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What profiles are written as: of made types and symbols, each part of it, and
 * of the kernel that the lab boots, if it is there, that it is whole.
 */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "../../lib/profile/inside.h"
#include "rig.h"

#define BANNER "Linux version 6.12.0 (made)\n"

static struct symbol list[] = {
	{ 0x1000, "a_cpu_has", 'A', true },
	{ 0xffffffff81000000, "_text", 'T', false },
	{ 0xffffffff81000010, "twice", 't', false },
	{ 0xffffffff81000020, "twice", 'T', false },
	{ 0xffffffff81000030, "linux_banner", 'D', false },
	{ 0xffffffff81000040, "init_task", 'D', false },
};

/* struct task_struct, with all that a structure can have in it. */
static void add_task(struct btf *btf, int number, int pointer)
{
	int letter = btf__add_int(btf, "char", 1, BTF_INT_SIGNED);
	int array, part, outer;

	array = btf__add_array(btf, number, letter, 16);
	part = btf__add_union(btf, NULL, 8);
	btf__add_field(btf, "either", pointer, 0, 0);
	btf__add_field(btf, "or", number, 0, 0);
	outer = btf__add_struct(btf, NULL, 16);
	btf__add_field(btf, NULL, part, 64, 0);
	btf__add_struct(btf, "task_struct", 64);
	btf__add_field(btf, "pid", number, 0, 0);
	btf__add_field(btf, "low", number, 32, 3);
	btf__add_field(btf, "high", number, 35, 29);
	btf__add_field(btf, NULL, outer, 64, 0);
	btf__add_field(btf, "comm", array, 256, 0);
	btf__add_field(btf, "tasks", pointer, 192, 0);
	btf__add_field(btf, "mm", pointer, 384, 0);
}

static struct btf *make_types(void)
{
	struct btf *btf = btf__new_empty();
	int number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	int opaque, alias, pointer;

	btf__add_int(btf, "unsigned int", 4, 0);
	opaque = btf__add_fwd(btf, "nowhere", BTF_FWD_STRUCT);
	pointer = btf__add_ptr(btf, opaque);
	alias = btf__add_typedef(btf, "alias_t", btf__add_const(btf, number));
	add_task(btf, alias, pointer);
	btf__add_struct(btf, "mm_struct", 128);
	btf__add_field(btf, "pgd", pointer, 640, 0);
	btf__add_struct(btf, "mm_struct", 4);
	btf__add_enum(btf, "colour", 4);
	btf__add_enum_value(btf, "RED", 7);
	btf__add_var(btf, "a_cpu_has", BTF_VAR_STATIC, pointer);
	return btf;
}

static int setup(void **state)
{
	struct profile *p = calloc(1, sizeof(*p));

	p->types = make_types();
	p->symbols.list = list;
	p->symbols.count = sizeof(list) / sizeof(list[0]);
	strcpy(p->banner, BANNER);
	strcpy(p->first_line, "Linux version 6.12.0 (made)");
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct profile *p = *state;

	p->symbols.list = NULL;
	profile_free(p);
	return 0;
}

static struct json_object *write_isf(const struct profile *p)
{
	struct json_object *isf;
	char *isf_text;
	size_t size;
	FILE *to = open_memstream(&isf_text, &size);

	assert_int_equal(profile_write_isf(p, to), 0);
	fclose(to);
	isf = json_tokener_parse(isf_text);
	assert_non_null(isf);
	free(isf_text);
	return isf;
}

/* The text of what is at a path as "symbols/init_task/address". */
static void expect_at(struct json_object *o, const char *path, const char *want)
{
	char part[128];
	const char *got;
	size_t size;

	for (; *path; path += size + (path[size] == '/')) {
		size = strcspn(path, "/");
		snprintf(part, sizeof(part), "%.*s", (int)size, path);
		if (!json_object_object_get_ex(o, part, &o))
			o = NULL;
		if (!o && want)
			fail_msg("there is no %s", path);
		if (!o)
			return;
	}
	assert_non_null(want);
	got = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	assert_string_equal(got, want);
}

static void isf_has_the_fields(void **state)
{
	struct json_object *o = write_isf(*state), *task;

	json_object_object_get_ex(o, "user_types", &task);
	json_object_object_get_ex(task, "task_struct", &task);
	expect_at(task, "size", "64");
	expect_at(task, "kind", "\"struct\"");
	expect_at(task, "fields/pid", "{\"type\":{\"kind\":\"base\",\"name\":\"int\"},\"offset\":0}");
	expect_at(task, "fields/low/offset", "4");
	expect_at(task, "fields/low/type/bit_position", "0");
	expect_at(task, "fields/high/offset", "4");
	expect_at(task, "fields/high/type", "{\"kind\":\"bitfield\",\"bit_position\":3,\"bit_length\":29,\"type\":{\"kind\":\"base\",\"name\":\"int\"}}");
	expect_at(task, "fields/either/offset", "16");
	expect_at(task, "fields/or/offset", "16");
	expect_at(task, "fields/comm/type", "{\"kind\":\"array\",\"count\":16,\"subtype\":{\"kind\":\"base\",\"name\":\"char\"}}");
	expect_at(task, "fields/mm/type", "{\"kind\":\"pointer\",\"subtype\":{\"kind\":\"base\",\"name\":\"void\"}}");
	json_object_put(o);
}

static void isf_has_all_types(void **state)
{
	struct json_object *o = write_isf(*state);

	expect_at(o, "metadata/format", "\"6.2.0\"");
	expect_at(o, "user_types/mm_struct/size", "128");
	expect_at(o, "user_types/mm_struct__13/size", "4");
	expect_at(o, "user_types/nowhere", NULL);
	expect_at(o, "enums/colour", "{\"size\":4,\"base\":\"unsigned int\",\"constants\":{\"RED\":7}}");
	expect_at(o, "base_types/int", "{\"kind\":\"int\",\"size\":4,\"signed\":true,\"endian\":\"little\"}");
	expect_at(o, "base_types/char/kind", "\"char\"");
	expect_at(o, "base_types/pointer/size", "8");
	json_object_put(o);
}

static void isf_has_the_symbols(void **state)
{
	struct json_object *o = write_isf(*state);

	expect_at(o, "symbols/_text", "{\"address\":18446744071578845184}");
	expect_at(o, "symbols/twice/address", "18446744071578845216");
	expect_at(o, "symbols/init_task/type", "{\"kind\":\"struct\",\"name\":\"task_struct\"}");
	expect_at(o, "symbols/a_cpu_has/type/kind", "\"pointer\"");
	expect_at(o, "symbols/linux_banner/constant_data",
		  "\"TGludXggdmVyc2lvbiA2LjEyLjAgKG1hZGUpCgA=\"");
	json_object_put(o);
}

static char *text;		/* what a test had written */
static size_t text_size;

static void expect_text(int err, FILE *to, const char *want)
{
	assert_int_equal(err, 0);
	fclose(to);
	assert_string_equal(text, want);
	free(text);
}

static void map_moves_what_moves(void **state)
{
	FILE *to = open_memstream(&text, &text_size);
	int err = profile_write_map(*state, to, 0x200000);

	expect_text(err, to,
		    "0000000000001000 A a_cpu_has\n"
		    "ffffffff81200000 T _text\n"
		    "ffffffff81200010 t twice\n"
		    "ffffffff81200020 T twice\n"
		    "ffffffff81200030 D linux_banner\n"
		    "ffffffff81200040 D init_task\n");
}

static void conf_has_the_offsets(void **state)
{
	FILE *to = open_memstream(&text, &text_size);
	int err = profile_write_conf(*state, to, "vm-1", "/a map", false);

	expect_text(err, to,
		    "# Linux version 6.12.0 (made)\n"
		    "vm-1 {\n"
		    "\tostype = \"Linux\";\n"
		    "\tsysmap = \"/a map\";\n"
		    "\tlinux_tasks = 0x18;\n"
		    "\tlinux_mm = 0x30;\n"
		    "\tlinux_pid = 0x0;\n"
		    "\tlinux_name = 0x20;\n"
		    "\tlinux_pgd = 0x50;\n"
		    "}\n");
}

static void conf_refuses_what_it_cannot_say(void **state)
{
	FILE *to = fopen("/dev/null", "w");

	assert_int_equal(profile_write_conf(*state, to, "a b", "/m", true),
			 -EINVAL);
	assert_int_equal(profile_write_conf(*state, to, "", "/m", true),
			 -EINVAL);
	assert_int_equal(profile_write_conf(*state, to, "a", "/\"", true),
			 -EINVAL);
	fclose(to);
}

/* A guest may have it in memory; C has not. */
static void a_structure_in_itself_ends(void **state)
{
	struct profile *p = *state;
	int i, self = btf__add_struct(p->types, "self", 8);
	uint64_t offset;

	for (i = 0; i < 50; i++)
		btf__add_field(p->types, NULL, self, 0, 0);
	btf__add_field(p->types, "far", 4000000, 0, 0);
	assert_int_equal(profile_offset(p, "self", "none", &offset), -ENOENT);
	json_object_put(write_isf(p));
}

static void a_full_disk_is_an_error(void **state)
{
	FILE *to = fopen("/dev/full", "w");

	assert_int_equal(profile_write_isf(*state, to), -ENOSPC);
	fclose(to);
}

static void expect_whole(struct profile *p)
{
	struct json_object *o = write_isf(p);
	uint64_t address, offset;

	assert_int_equal(profile_symbol(p, "_text", &address), 0);
	assert_int_equal(address, 0xffffffff81000000);
	assert_int_equal(profile_offset(p, "mm_struct", "pgd", &offset), 0);
	assert_int_equal(profile_offset(p, "mm_struct", "none", &offset),
			 -ENOENT);
	assert_memory_equal(p->info.banner, "Linux version 6.", 16);
	assert_true(p->info.symbols > 50000);
	expect_at(o, "user_types/list_head/fields/prev/offset", "8");
	expect_at(o, "symbols/init_task/type/name", "\"task_struct\"");
	json_object_put(o);
}

/* KVMI_PROFILE_KERNEL may name another one. */
static void the_kernel_of_the_lab(void **state)
{
	const char *named = getenv("KVMI_PROFILE_KERNEL");
	struct profile *p;
	glob_t found;

	(void)state;
	if (glob(named ? named : LAB_KERNEL, 0, NULL, &found)) {
		globfree(&found);
		skip();
	}
	assert_int_equal(profile_from_file(&p, found.gl_pathv[0]), 0);
	globfree(&found);
	expect_whole(p);
	profile_free(p);
}

static size_t save(const struct profile *p, char **bytes)
{
	size_t size;
	FILE *to = open_memstream(bytes, &size);

	assert_int_equal(profile_save(p, to), 0);
	fclose(to);
	return size;
}

/* All that was written comes back, but for what the running kernel says. */
static void is_kept(void **state)
{
	const struct profile_info running = {
		.is_running = true, .kaslr = 0x200000, .levels = 5,
	};
	static char text[] = "Aa_cpu_has\0T_text";
	struct profile *p = *state, *again;
	char *bytes, *more;
	struct profile_info info;
	struct symbol own[2];
	uint64_t offset;
	size_t size;

	own[0] = (struct symbol){ 0x1000, text + 1, 'A', true };
	own[1] = (struct symbol){ 0xffffffff81000000, text + 12, 'T', false };
	p->symbols = (struct symbols){ own, 2, text };
	size = save(p, &bytes);
	assert_int_equal(profile_load(&again, bytes, size, &running), 0);
	profile_get_info(again, &info);
	assert_string_equal(info.banner, "Linux version 6.12.0 (made)");
	assert_int_equal(info.symbols, 2);
	assert_int_equal(info.kaslr, 0x200000);
	assert_int_equal(info.levels, 5);
	assert_int_equal(profile_symbol(again, "_text", &offset), 0);
	assert_int_equal(offset, 0xffffffff81000000);
	assert_int_equal(profile_offset(again, "task_struct", "comm", &offset), 0);
	assert_int_equal(offset, 32);
	assert_int_equal(profile_size(again, "mm_struct", &offset), 0);
	assert_int_equal(save(again, &more), size);
	assert_memory_equal(bytes, more, size);
	profile_free(again);
	free(more);
	free(bytes);
	p->symbols = (struct symbols){ 0 };
}

static void damage_is_noticed(void **state)
{
	const struct profile_info running = { .is_running = true };
	static char text[] = "Aa_cpu_has";
	struct profile *p = *state, *again;
	struct symbol own = { 0x1000, text + 1, 'A', true };
	size_t size, i;
	char *bytes;

	p->symbols = (struct symbols){ &own, 1, text };
	size = save(p, &bytes);
	for (i = 0; i < size; i += i < 32 ? 1 : 61)
		assert_int_equal(profile_load(&again, bytes, i, &running),
				 -EBADMSG);
	/* Any byte, also those that say how long the rest is. */
	for (i = 0; i < size; i++) {
		bytes[i] ^= 0x81;
		if (!profile_load(&again, bytes, size, &running))
			profile_free(again);
		bytes[i] ^= 0x81;
	}
	free(bytes);
	p->symbols = (struct symbols){ 0 };
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(isf_has_the_fields),
		test(isf_has_all_types),
		test(isf_has_the_symbols),
		test(map_moves_what_moves),
		test(conf_has_the_offsets),
		test(conf_refuses_what_it_cannot_say),
		test(a_structure_in_itself_ends),
		test(a_full_disk_is_an_error),
		cmocka_unit_test(the_kernel_of_the_lab),
		test(is_kept),
		test(damage_is_noticed),
	};

	return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
