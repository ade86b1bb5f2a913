// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kvmi command on the vCPUs of a Debian guest: "regs" and "pause" say what
 * QEMU says, "translate" finds the kernel's banner and the page that the guest's
 * beacon tells of, "pause" makes the guest stand where it shows it, and "trace"
 * sees the beacon's system calls.
 *
 * lab: calm timeout=240
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/command.h"
#include "../lib/json.h"
#include "../lib/qemu.h"
#include "../lib/test.h"

#define KERNEL_GPA	(16ull << 20)	/* without its randomisation */
#define KERNEL_MAP	0xffffffff80000000ull
#define DIRECT_MAP	0xffff888000000000ull

/* The last ones stay as they are while the guest runs. */
static const struct {
	const char *monitor;
	const char *tool;
} registers[] = {
	{ "RAX=", "rax" }, { "RBX=", "rbx" }, { "RCX=", "rcx" },
	{ "RDX=", "rdx" }, { "RSI=", "rsi" }, { "RDI=", "rdi" },
	{ "RBP=", "rbp" }, { "RSP=", "rsp" }, { "R8 =", "r8" },
	{ "R15=", "r15" }, { "RIP=", "rip" }, { "RFL=", "rflags" },
	{ "CR2=", "cr2" }, { "CR3=", "cr3" },
	{ "CR0=", "cr0" }, { "CR4=", "cr4" }, { "EFER=", "efer" },
};

#define REGISTERS (sizeof(registers) / sizeof(registers[0]))
#define CONSTANT (REGISTERS - 3)

/* What QEMU's monitor says of this vCPU's register. */
static uint64_t monitor_register(const char *all, int vcpu, const char *name)
{
	char mark[8];
	char *at;

	snprintf(mark, sizeof(mark), "CPU#%d", vcpu);
	at = strstr(all, mark);
	if (at)
		at = strstr(at, name);
	if (!at)
		fail("the monitor does not tell %s", name);
	return strtoull(at + strlen(name), NULL, 16);
}

static char *monitor_registers(struct qemu *qemu)
{
	return strdup(qmp_ask(&qemu->qmp, "human-monitor-command",
			      "{ 'command-line': 'info registers -a' }", NULL));
}

static void expect_registers(const char *all, json_object *o, int vcpu)
{
	size_t i;

	expect(vcpu, json_number(o, "vcpu"));
	expect(8, json_number(o, "mode"));
	for (i = CONSTANT; i < REGISTERS; i++)
		if (monitor_register(all, vcpu, registers[i].monitor) !=
		    json_number(o, registers[i].tool))
			fail("vCPU %d: %s is not what QEMU says", vcpu,
			     registers[i].tool);
}

/* A value of the table that the tool prints: a column for each of two vCPUs. */
static uint64_t shown_register(const char *text, const char *name, int vcpu)
{
	const size_t size = strlen(name);
	unsigned long values[2];
	const char *at = text;

	while ((at = strstr(at, name))) {
		if ((at == text || at[-1] == '\n') && at[size] == ' ' &&
		    sscanf(at + size, "%lx %lx", &values[0], &values[1]) == 2)
			return values[vcpu];
		at += size;
	}
	fail("the tool does not show %s", name);
}

/* Returns LSTAR, where the guest's system calls enter its kernel. */
static uint64_t test_regs(struct qemu *qemu)
{
	const char *path = qemu->socket;
	json_object *o, *msrs;
	const char *text;
	char *all;
	uint64_t lstar;
	int i;

	note("regs");
	all = monitor_registers(qemu);
	o = json_parse(command_output(0, "regs -s %s --json", path));
	expect(2, json_object_array_length(o));
	for (i = 0; i < 2; i++)
		expect_registers(all, json_object_array_get_idx(o, i), i);
	json_object_put(o);

	text = command_output(0, "regs -s %s", path);
	for (i = 0; i < 2; i++)
		expect(monitor_register(all, i, "EFER="),
		       shown_register(text, "efer", i));

	o = json_parse(command_output(0, "regs -s %s --json --vcpu 1 --msr lstar --msr 0xc0000080",
				      path));
	expect(1, json_object_array_length(o));
	expect(1, json_number(json_object_array_get_idx(o, 0), "vcpu"));
	json_object_object_get_ex(json_object_array_get_idx(o, 0), "msrs",
				  &msrs);
	expect(monitor_register(all, 1, "EFER="), json_number(msrs, "0xc0000080"));
	lstar = json_number(msrs, "lstar");
	expect_true(lstar > KERNEL_MAP);
	json_object_put(o);

	command_output(1, "regs -s %s --vcpu 2 2>&1", path);
	free(all);
	return lstar;
}

/* The gpa that the tool finds, or UINT64_MAX. */
static uint64_t translate(struct qemu *qemu, uint64_t gva, int vcpu)
{
	json_object *o, *row, *gpa;
	uint64_t found = UINT64_MAX;

	/* Not mapped is a failure for the shell. */
	o = json_parse(command_output(-1, "translate -s %s --json --vcpu %d 0x%llx",
				      qemu->socket, vcpu, (long long)gva));
	row = json_object_array_get_idx(o, 0);
	expect(gva, json_number(row, "gva"));
	if (json_object_object_get_ex(row, "gpa", &gpa) && gpa)
		found = json_number(row, "gpa");
	json_object_put(o);
	return found;
}

static void test_translate_kernel(struct qemu *qemu)
{
	static const char banner[] = "Linux version 6.";
	json_object *o;
	uint64_t gpa;

	note("translate, kernel");
	o = json_parse(command_output(0, "search -s %s --json --first --start %lld '%s'",
				      qemu->socket, (long long)KERNEL_GPA, banner));
	gpa = json_number(json_object_array_get_idx(o, 0), "gpa");
	json_object_put(o);
	expect_true(gpa >= KERNEL_GPA);
	expect(gpa, translate(qemu, KERNEL_MAP + gpa, 0));
	expect(gpa, translate(qemu, KERNEL_MAP + gpa, 1));
	expect(gpa, translate(qemu, DIRECT_MAP + gpa, 1));
	expect_bytes(banner, command_output(0, "read -s %s --raw %lld 16",
					    qemu->socket, (long long)gpa), 16);
	command_output(1, "translate -s %s 0xffffffffffff0000", qemu->socket);
}

/* The line with which the beacon begins. */
static void read_beacon(struct qemu *qemu, uint64_t *gva, uint64_t *gpa)
{
	FILE *file = fopen(qemu->console, "r");
	char line[256];
	int found = 0;

	expect_true(file);
	while (found != 2 && fgets(line, sizeof(line), file))
		found = sscanf(line, "beacon: at gva %lx gpa %lx", gva, gpa);
	fclose(file);
	expect(2, found);
}

/* One of the vCPUs has the tables of the beacon, which never sleeps. */
static void test_translate_user(struct qemu *qemu)
{
	uint64_t gva, gpa, end = now_ms() + 2 * DEADLINE_MS;
	int vcpu = 0;

	note("translate, user");
	read_beacon(qemu, &gva, &gpa);
	while (translate(qemu, gva + 5, vcpu) != gpa + 5) {
		if (now_ms() > end)
			fail("0x%lx is never 0x%lx", gva, gpa);
		vcpu = !vcpu;
	}
	expect_bytes("all is well in the guest",
		     command_output(0, "read -s %s --raw 0x%lx 24",
				    qemu->socket, gpa), 24);
}

/* Takes the table that "pause" prints, to "idt_base", which is the last row. */
static void read_pause(struct command *pause, char *shown, size_t room)
{
	const char *line;
	size_t used = 0;

	do {
		line = command_line(pause, DEADLINE_MS);
		expect_true(line && used + strlen(line) + 2 < room);
		used += sprintf(shown + used, "%s\n", line);
	} while (!strstr(line, "idt_base"));
}

static void test_pause(struct qemu *qemu)
{
	static struct command pause;
	static char shown[8192];
	int i, lines;
	size_t r;
	char *all;

	note("pause");
	lines = file_count(qemu->console, "beacon: ");
	command_start(&pause, "pause -s %s --seconds 4", qemu->socket);
	read_pause(&pause, shown, sizeof(shown));
	all = monitor_registers(qemu);
	for (i = 0; i < 2; i++)
		for (r = 0; r < REGISTERS; r++)
			if (monitor_register(all, i, registers[r].monitor) !=
			    shown_register(shown, registers[r].tool, i))
				fail("vCPU %d: %s is not what QEMU says", i,
				     registers[r].tool);
	free(all);
	sleep_ms(100);
	lines = file_count(qemu->console, "beacon: ");
	sleep_ms(2500);
	expect(lines, file_count(qemu->console, "beacon: "));
	expect(0, command_wait(&pause));
	qemu_expect_alive(qemu);
}

/* Nothing but the beacon makes system calls. */
static void test_trace(struct qemu *qemu, uint64_t lstar)
{
	static struct command trace;
	uint64_t gpa = translate(qemu, lstar, 0);
	char before[16];
	json_object *o;
	uint64_t cr3 = 0;
	int i;

	note("trace");
	memcpy(before, command_output(0, "read -s %s --raw 0x%lx 16",
				      qemu->socket, gpa), 16);
	command_start(&trace, "trace -s %s --json --count 3 breakpoint 0x%lx",
		      qemu->socket, lstar);
	for (i = 0; i < 3; i++) {
		o = json_parse(command_line(&trace, DEADLINE_MS));
		expect(lstar, json_number(o, "rip"));
		expect(lstar, json_number(o, "address"));
		if (cr3)
			expect(cr3, json_number(o, "cr3"));
		cr3 = json_number(o, "cr3");
		json_object_put(o);
	}
	o = json_parse(command_line(&trace, DEADLINE_MS));
	json_object_put(o);
	expect(0, command_wait(&trace));
	expect_bytes(before, command_output(0, "read -s %s --raw 0x%lx 16",
					    qemu->socket, gpa), 16);
	qemu_expect_alive(qemu);
}

int main(void)
{
	struct qemu_options options = {
		/* The kernel is mapped while a program runs, on any processor. */
		.object = "", .append = "nokaslr pti=off beacon.spin=1",
	};
	struct qemu qemu;
	uint64_t lstar;

	qemu_prepare(&qemu);
	qemu_start(&qemu, &options);
	qemu_wait_console(&qemu, "beacon: ", 2);
	lstar = test_regs(&qemu);
	expect(lstar, strtoull(qemu_run(&qemu, 0, "grep ' T entry_SYSCALL_64$' /proc/kallsyms"),
			       NULL, 16));
	test_translate_kernel(&qemu);
	test_translate_user(&qemu);
	test_pause(&qemu);
	test_trace(&qemu, lstar);
	expect(0, file_count(qemu.console, "BUG"));
	qemu_quit(&qemu);
	return 0;
}
