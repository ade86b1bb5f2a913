// SPDX-License-Identifier: GPL-2.0-only
/*
 * "kvmi profile" of a running Debian guest: its symbols are, byte by byte, those
 * that the guest tells itself, and those of the file of its kernel when KASLR is
 * taken off; its types are those of the file, and where they say that the name
 * of the first task is, it is. With KASLR and without, while a vCPU is in user
 * mode with page-table isolation, and with page tables of 5 levels where the
 * processor has them: RUN=la57. With KASLR also of a guest with Linux 6.1.
 *
 * lab: calm aside older timeout=600
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <json-c/json.h>

#include "../lib/command.h"
#include "../lib/qemu.h"
#include "../lib/test.h"

#define CR3_USER	(1ull << 12)
#define CR4_LA57	(1ull << 12)
#define SYMBOLS		"guest: "
#define SUM		" symbols with the sum "
#define OLDER		"/l2/vmlinuz-6.1"
/* Of the kernel's file, for all its guests. */
#define FILES		"/tmp/kvmi-profile"

static const char *kernel_file(void)
{
	const char *named = getenv("KVMI_GUEST_KERNEL");

	return named ? named : "/l2/vmlinuz";
}

static json_object *parse(const char *text)
{
	json_object *object = text ? json_tokener_parse(text) : NULL;

	if (!object)
		fail("this is no JSON: %s", text);
	return object;
}

/* All that the command prints: an emulated machine needs its time to search. */
static const char *__attribute__((format(printf, 1, 2)))
patient_output(const char *format, ...)
{
	static struct command command;
	static char words[400], text[8192];
	uint64_t begin = now_ms();
	const char *line;
	size_t used = 0;
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	command_start(&command, "%s", words);
	text[0] = '\0';
	while ((line = command_line(&command, 6 * DEADLINE_MS))) {
		used += snprintf(text + used, sizeof(text) - used, "%s\n", line);
		expect_true(used < sizeof(text));
	}
	expect(0, command_wait(&command));
	note("%lu ms: kvmi %.30s", now_ms() - begin, words);
	return text;
}

static uint64_t number(json_object *object, const char *name)
{
	json_object *value;

	if (!json_object_object_get_ex(object, name, &value))
		fail("there is no %s", name);
	return strtoull(json_object_get_string(value), NULL, 0);
}

/* What the guest says of its own /proc/kallsyms. */
static void read_sum(struct qemu *qemu, uint64_t *count, char *sum)
{
	FILE *file = fopen(qemu->console, "r");
	char line[256];
	int found = 0;

	expect_true(file);
	while (found != 2 && fgets(line, sizeof(line), file))
		found = sscanf(line, SYMBOLS "%lu" SUM "%32s", count, sum);
	fclose(file);
	expect(2, found);
}

/* Of vCPU @vcpu, while it runs. */
static uint64_t control_register(struct qemu *qemu, int vcpu, const char *name)
{
	json_object *o;
	uint64_t value;

	o = parse(command_output(0, "regs -s %s --json --vcpu %d",
				 qemu->socket, vcpu));
	value = number(json_object_array_get_idx(o, 0), name);
	json_object_put(o);
	return value;
}

/* A file of the guest's and that of its kernel's. */
static void expect_same(struct qemu *qemu, const char *name, const char *file)
{
	char command[256];

	snprintf(command, sizeof(command), "cmp %s/%s " FILES ".%s",
		 qemu->folder, name, file);
	expect(0, system(command));
}

static void remove_files(struct qemu *qemu)
{
	char command[256];

	snprintf(command, sizeof(command), "cd %s && rm -f map isf high",
		 qemu->folder);
	expect(0, system(command));
}

static void profile_file(void)
{
	patient_output("profile --image %s --map " FILES ".map --isf " FILES ".isf",
		       kernel_file());
}

/* Without KASLR, which is written as that of the file is. */
static void expect_map(struct qemu *qemu)
{
	patient_output("profile -s %s --map %s/map", qemu->socket, qemu->folder);
	expect_same(qemu, "map", "map");
}

/* What the shell says, its first word. */
static void ask_shell(const char *command, char *word)
{
	FILE *pipe = popen(command, "r");

	expect_true(pipe);
	expect(1, fscanf(pipe, "%39s", word));
	expect(0, pclose(pipe));
}

/*
 * With KASLR the symbols are, each of them, what the guest itself knows; without,
 * and with the types, what the file says.
 */
static json_object *take_profile(struct qemu *qemu)
{
	const char *to = qemu->folder;
	char command[160], sum[40], own[40];
	json_object *o;
	uint64_t count;

	o = parse(patient_output("profile -s %s --json --kaslr --map %s/high --isf %s/isf",
				 qemu->socket, to, to));
	read_sum(qemu, &count, own);
	expect(count, number(o, "symbols"));
	expect_true(count > 50000);
	snprintf(command, sizeof(command), "md5sum %s/high", qemu->folder);
	ask_shell(command, sum);
	expect_bytes(own, sum, 33);
	expect_same(qemu, "isf", "isf");
	return o;
}

/* The vCPU that has the kernel mapped at this moment tells. */
static uint64_t translate(struct qemu *qemu, uint64_t gva)
{
	uint64_t end = now_ms() + DEADLINE_MS, gpa;
	const char *text;
	int vcpu = 0;

	for (;;) {
		text = command_output(-1, "translate -s %s --vcpu %d 0x%lx",
				      qemu->socket, vcpu, gva);
		if (sscanf(text, "%*[^\n] %*s 0x%lx", &gpa) == 1)
			return gpa;
		if (now_ms() > end)
			fail("0x%lx is not mapped", gva);
		vcpu = !vcpu;
	}
}

/* Types and symbols together lead to a text that Linux has there. */
static void expect_first_task(struct qemu *qemu, json_object *profile)
{
	char command[160], task[40];
	json_object *offsets;
	uint64_t gpa;

	json_object_object_get_ex(profile, "offsets", &offsets);
	snprintf(command, sizeof(command), "grep ' init_task$' %s/high",
		 qemu->folder);
	ask_shell(command, task);
	gpa = translate(qemu, strtoull(task, NULL, 16) +
			number(offsets, "task_struct.comm"));
	expect_bytes("swapper/0", command_output(0, "read -s %s --raw 0x%lx 10",
						 qemu->socket, gpa), 10);
}

static void start(struct qemu *qemu, const char *append, bool has_levels)
{
	struct qemu_options options = {
		.object = "", .append = append,
		/* The last one counts; the first one is without la57. */
		.more = { has_levels ? "-cpu" : NULL, "host" },
	};

	qemu_prepare(qemu);
	qemu_start(qemu, &options);
	qemu_wait_console(qemu, "guest: Linux ", 1);
	qemu_wait_console(qemu, SUM, 1);
	qemu_wait_console(qemu, "beacon: ", 2);
}

static void end(struct qemu *qemu)
{
	qemu_expect_alive(qemu);
	expect(0, file_count(qemu->console, "BUG"));
	remove_files(qemu);
	qemu_quit(qemu);
}

static void test_kaslr(const char *series)
{
	json_object *profile;
	struct qemu qemu;

	note("KASLR of %s", series);
	profile_file();
	start(&qemu, "load=symbols", false);
	expect(1, file_count(qemu.console, series));
	profile = take_profile(&qemu);
	note("it lies 0x%lx higher", number(profile, "kaslr"));
	expect(4, number(profile, "levels"));
	expect(0, number(profile, "kaslr_guessed"));
	expect_map(&qemu);
	expect_first_task(&qemu, profile);
	json_object_put(profile);
	end(&qemu);
}

/* The beacon never sleeps, and one vCPU is with it nearly always. */
static void wait_for_user_tables(struct qemu *qemu)
{
	uint64_t end = now_ms() + DEADLINE_MS;
	int vcpu = 0;

	while (!(control_register(qemu, vcpu, "cr3") & CR3_USER)) {
		if (now_ms() > end)
			fail("no vCPU ever has the page tables of user mode");
		vcpu = !vcpu;
	}
}

/* The beacon's vCPU leaves the tool its time, where processors are few. */
static void prefer_tool(bool is_preferred)
{
	if (setpriority(PRIO_PROCESS, 0, is_preferred ? -15 : 0))
		note("the tool has to share the processor with the beacon");
}

static void test_isolation(void)
{
	json_object *profile;
	struct qemu qemu;
	int i;

	note("page-table isolation, no KASLR");
	start(&qemu, "load=symbols nokaslr pti=on beacon.spin=1", false);
	prefer_tool(true);
	for (i = 0; i < 2; i++) {
		wait_for_user_tables(&qemu);
		profile = take_profile(&qemu);
		expect(0, number(profile, "kaslr"));
		expect(0, number(profile, "page_tables") & CR3_USER);
		json_object_put(profile);
		expect_same(&qemu, "high", "map");
	}
	prefer_tool(false);
	end(&qemu);
}

/* What the other guests have, unless the processor has more. */
static void test_levels(void)
{
	json_object *profile;
	struct qemu qemu;

	if (system("grep -qw la57 /proc/cpuinfo")) {
		note("this processor has no tables of 5 levels");
		return;
	}
	note("page tables of 5 levels");
	start(&qemu, "load=symbols", true);
	expect_true(control_register(&qemu, 0, "cr4") & CR4_LA57);
	profile = take_profile(&qemu);
	expect(5, number(profile, "levels"));
	expect_first_task(&qemu, profile);
	json_object_put(profile);
	end(&qemu);
}

static void test_older(void)
{
	if (access("/l2", R_OK)) {
		note("this is not the lab, which has an older kernel");
		return;
	}
	expect(0, access(OLDER, R_OK));
	setenv("KVMI_GUEST_KERNEL", OLDER, 1);
	test_kaslr("guest: Linux 6.1.");
}

int main(void)
{
	test_kaslr("guest: Linux ");
	test_isolation();
	test_levels();
	test_older();
	remove(FILES ".map");
	remove(FILES ".isf");
	return 0;
}
