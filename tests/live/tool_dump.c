// SPDX-License-Identifier: GPL-2.0-only
/*
 * "kvmi dump" of a Debian guest: while it writes, the guest stands still, and the
 * memory and the registers are those that QEMU's own dump has at that time, byte
 * by byte; VMCOREINFO is the one that the guest's kernel names, the kernel's
 * banner is at its virtual address, and makedumpfile prints the guest's log. One
 * that is interrupted, or for which QEMU cannot wait, leaves no file.
 *
 * lab: calm aside timeout=400
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gelf.h>
#include <libelf.h>

#include "../lib/command.h"
#include "../lib/qemu.h"
#include "../lib/test.h"

#define PAGE	4096
#define MEMORY	(256ul << 20)
/* Where there is no memory but a screen and firmware. */
#define LOW_END	(1ul << 20)
#define PATIENCE (8 * DEADLINE_MS)

struct core {
	int fd;
	Elf *elf;
	uint8_t *bytes;
	size_t size;
	GElf_Phdr loads[64];
	int load_count;
	GElf_Phdr notes;
};

static const char *in(struct qemu *qemu, const char *name)
{
	static char path[2][160];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", qemu->folder, name);
	return path[turn];
}

static void open_core(struct core *core, const char *path)
{
	GElf_Phdr phdr;
	struct stat st;
	GElf_Ehdr ehdr;
	size_t i, count;

	memset(core, 0, sizeof(*core));
	core->fd = must(open(path, O_RDONLY | O_CLOEXEC));
	must(fstat(core->fd, &st));
	core->size = st.st_size;
	core->bytes = mmap(NULL, core->size, PROT_READ, MAP_PRIVATE, core->fd,
			   0);
	expect_true(core->bytes != MAP_FAILED);
	expect_true(elf_version(EV_CURRENT) != EV_NONE);
	core->elf = elf_begin(core->fd, ELF_C_READ, NULL);
	expect_true(core->elf && gelf_getehdr(core->elf, &ehdr));
	expect(ET_CORE, ehdr.e_type);
	expect(EM_X86_64, ehdr.e_machine);
	expect(0, elf_getphdrnum(core->elf, &count));
	for (i = 0; i < count; i++) {
		expect_true(gelf_getphdr(core->elf, i, &phdr));
		expect_true(phdr.p_offset + phdr.p_filesz <= core->size);
		expect(phdr.p_filesz, phdr.p_memsz);
		if (phdr.p_type == PT_NOTE)
			core->notes = phdr;
		else
			core->loads[core->load_count++] = phdr;
		/* crash opens no other. */
		expect_true(phdr.p_type == PT_NOTE || !phdr.p_align);
		expect_true(core->load_count < 64);
	}
	expect_true(core->notes.p_filesz);
}

static void close_core(struct core *core)
{
	elf_end(core->elf);
	munmap(core->bytes, core->size);
	close(core->fd);
}

/* Those at a physical address, NULL if the core has none; and how many. */
static const uint8_t *at_gpa(const struct core *core, uint64_t gpa,
			     uint64_t *size)
{
	const GElf_Phdr *load;
	int i;

	for (i = 0; i < core->load_count; i++) {
		load = &core->loads[i];
		if (gpa < load->p_paddr || gpa - load->p_paddr >= load->p_filesz)
			continue;
		*size = load->p_filesz - (gpa - load->p_paddr);
		return core->bytes + load->p_offset + (gpa - load->p_paddr);
	}
	return NULL;
}

/* The same by the virtual address, as a debugger does. */
static const uint8_t *at_gva(const struct core *core, uint64_t gva)
{
	const GElf_Phdr *load;
	int i;

	for (i = 0; i < core->load_count; i++) {
		load = &core->loads[i];
		if (gva >= load->p_vaddr && gva - load->p_vaddr < load->p_filesz)
			return core->bytes + load->p_offset +
			       (gva - load->p_vaddr);
	}
	fail("the core has nothing at 0x%lx", gva);
}

/* The descriptor of the note number @index of those with this name. */
static const uint8_t *find_note(const struct core *core, const char *name,
				int index, size_t *size)
{
	size_t at = 0, name_at, desc_at;
	const char *base;
	Elf_Data *data;
	GElf_Nhdr note;

	data = elf_getdata_rawchunk(core->elf, core->notes.p_offset,
				    core->notes.p_filesz, ELF_T_NHDR);
	expect_true(data);
	base = data->d_buf;
	while ((at = gelf_getnote(data, at, &note, &name_at, &desc_at))) {
		if (strcmp(base + name_at, name) || index--)
			continue;
		*size = note.n_descsz;
		return (const uint8_t *)base + desc_at;
	}
	return NULL;
}

static uint64_t beacon_gpa(struct qemu *qemu)
{
	FILE *console = fopen(qemu->console, "r");
	uint64_t gpa = 0;
	char line[1024];

	expect_true(console);
	while (!gpa && fgets(line, sizeof(line), console))
		sscanf(line, "beacon: at gva %*x gpa %lx", &gpa);
	fclose(console);
	expect_true(gpa);
	return gpa;
}

/* Takes what the command writes to its end. */
static void take(struct command *command, const char *path)
{
	static char buffer[1 << 20];
	int fd = must(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600));
	ssize_t n;

	while ((n = must(read(command->fd, buffer, sizeof(buffer)))) > 0)
		expect(n, must(write(fd, buffer, n)));
	close(fd);
	expect(0, command_wait(command));
}

static void expect_notes(const struct core *want, const struct core *got,
			 const char *name)
{
	size_t want_size, got_size;
	const uint8_t *w, *g;
	int i;

	for (i = 0; i < 2; i++) {
		w = find_note(want, name, i, &want_size);
		g = find_note(got, name, i, &got_size);
		expect_true(w && g);
		expect(want_size, got_size);
		expect_bytes(w, g, want_size);
	}
	expect_true(!find_note(got, name, 2, &got_size));
}

/* A VM that does not run does not stop for this, so the tool may stay. */
static void dump_by_monitor(struct qemu *qemu, const char *path)
{
	uint64_t end = now_ms() + PATIENCE;
	char arguments[300];

	qemu_freeze(qemu);
	snprintf(arguments, sizeof(arguments),
		 "{ 'paging': false, 'detach': true, 'protocol': 'file:%s' }",
		 path);
	qmp(&qemu->qmp, "dump-guest-memory", arguments);
	while (strcmp(qmp_ask(&qemu->qmp, "query-dump", NULL, "status"),
		      "completed")) {
		expect_true(now_ms() < end);
		sleep_ms(100);
	}
	qemu_thaw(qemu);
}

static void expect_same(struct qemu *qemu, uint64_t beacon)
{
	struct core mine, theirs;
	uint64_t gpa, left;

	open_core(&mine, in(qemu, "core"));
	open_core(&theirs, in(qemu, "theirs"));
	for (gpa = 0; gpa < MEMORY; gpa += PAGE) {
		if (!at_gpa(&mine, gpa, &left) && gpa < LOW_END)
			continue;
		if (memcmp(at_gpa(&mine, gpa, &left),
			   at_gpa(&theirs, gpa, &left), PAGE))
			fail("the page at 0x%lx differs", gpa);
	}
	expect_notes(&theirs, &mine, "CORE");
	expect_notes(&theirs, &mine, "QEMU");
	expect_bytes("all is well in the guest", at_gpa(&mine, beacon, &left),
		     24);
	close_core(&mine);
	close_core(&theirs);
	unlink(in(qemu, "theirs"));
}

/* Nobody reads the pipe, so the guest stands until the monitor is done. */
static void test_still(struct qemu *qemu, uint64_t beacon)
{
	static struct command dump;
	struct pollfd p = { .events = POLLIN };
	int lines;

	note("a guest that stands still");
	command_start(&dump, "dump -s %s --plain -", qemu->socket);
	p.fd = dump.fd;
	expect(1, must(poll(&p, 1, PATIENCE)));
	lines = file_count(qemu->console, "beacon: ");
	note("it is held");
	sleep_ms(2500);
	expect(lines, file_count(qemu->console, "beacon: "));
	dump_by_monitor(qemu, in(qemu, "theirs"));
	note("the monitor is done");
	take(&dump, in(qemu, "core"));
	note("the dump is done");
	expect_same(qemu, beacon);
	qemu_expect_alive(qemu);
}

/* What the guest says of where its kernel has the note. */
static void expect_vmcoreinfo(struct qemu *qemu, const struct core *core)
{
	uint64_t gpa, left;
	const uint8_t *note_there, *got;
	size_t size;

	expect(1, sscanf(qemu_run(qemu, 0, "cat /sys/kernel/vmcoreinfo"), "%lx",
			 &gpa));
	got = find_note(core, "VMCOREINFO", 0, &size);
	expect_true(got && size > 1000);
	note_there = at_gpa(core, gpa, &left);
	expect_true(note_there && left > size + 24);
	expect(size, ((const GElf_Nhdr *)note_there)->n_descsz);
	expect_bytes(note_there + 24, got, size);
}

static uint64_t symbol(struct qemu *qemu, const char *name)
{
	char command[80];

	snprintf(command, sizeof(command), "grep ' %s$' /proc/kallsyms", name);
	return strtoull(qemu_run(qemu, 0, command), NULL, 16);
}

/* The pointer to all memory is in the kernel's image, and leads out of it. */
static void expect_addresses(struct qemu *qemu, const struct core *core)
{
	uint64_t base, beacon = beacon_gpa(qemu);

	expect_bytes("Linux version 6.",
		     at_gva(core, symbol(qemu, "linux_banner")), 16);
	memcpy(&base, at_gva(core, symbol(qemu, "page_offset_base")),
	       sizeof(base));
	expect_bytes("all is well in the guest", at_gva(core, base + beacon),
		     24);
}

/* Lines of what the guest says itself that are in the file, of all. */
static int count_lines(const char *said, const char *path, int *all)
{
	char line[1100];
	int found = 0;
	size_t size;

	for (*all = 0; *said; said += size + 1) {
		size = strcspn(said, "\n");
		snprintf(line, sizeof(line), "%.*s\n", (int)size, said);
		found += file_count(path, line) > 0;
		if (!file_count(path, line))
			note("not there: %.*s", (int)size, said);
		++*all;
	}
	return found;
}

static void expect_log(struct qemu *qemu)
{
	char command[500];
	int found, all;

	if (access("/usr/bin/makedumpfile", X_OK)) {
		note("no makedumpfile here: the log is not looked for");
		return;
	}
	snprintf(command, sizeof(command), "makedumpfile --dump-dmesg %s %s >&2",
		 in(qemu, "core"), in(qemu, "log"));
	expect(0, system(command));
	found = count_lines(qemu_run(qemu, 0, "dmesg | head -n 100"),
			    in(qemu, "log"), &all);
	note("makedumpfile prints %d of %d lines of the guest's log", found,
	     all);
	expect(100, all);
	expect(all, found);
}

static void patient_dump(struct qemu *qemu, const char *options)
{
	static struct command dump;

	command_start(&dump, "dump -s %s --json %s %s", qemu->socket, options,
		      in(qemu, "core"));
	while (command_line(&dump, PATIENCE))
		;
	expect(0, command_wait(&dump));
}

static void test_kernel(struct qemu *qemu)
{
	struct core core;
	struct stat st;

	note("the kernel, by shared memory");
	patient_dump(qemu, "--share-memory");
	open_core(&core, in(qemu, "core"));
	expect_vmcoreinfo(qemu, &core);
	expect_addresses(qemu, &core);
	close_core(&core);
	must(stat(in(qemu, "core"), &st));
	note("%ld of %ld KiB are on the disk", (long)st.st_blocks / 2,
	     (long)st.st_size >> 10);
	expect(0600, st.st_mode & 0777);
	expect_true(st.st_size > (off_t)(MEMORY - LOW_END));
	expect_true(st.st_blocks * 512 < st.st_size * 9 / 10);
	expect_log(qemu);
	qemu_expect_alive(qemu);
}

static int count_files(struct qemu *qemu)
{
	char command[200];

	snprintf(command, sizeof(command), "exit $(ls %s | grep -c '^part')",
		 qemu->folder);
	return WEXITSTATUS(system(command));
}

/* To a file that has no name yet. */
static void begin_part(struct qemu *qemu, struct command *dump)
{
	command_start(dump, "dump -s %s --plain %s", qemu->socket,
		      in(qemu, "part"));
	wait_for(count_files(qemu) == 1);
	sleep_ms(500);
}

static void test_interrupted(struct qemu *qemu)
{
	static struct command dump;

	note("interrupted");
	begin_part(qemu, &dump);
	must(kill(dump.pid, SIGINT));
	expect(1, command_wait(&dump));
	expect(0, count_files(qemu));
	qemu_expect_alive(qemu);
}

static void test_wanted(struct qemu *qemu)
{
	static struct command dump;

	note("QEMU stops the VM");
	begin_part(qemu, &dump);
	qmp(&qemu->qmp, "stop", NULL);
	expect(1, command_wait(&dump));
	expect(0, count_files(qemu));
	qmp(&qemu->qmp, "cont", NULL);
	qemu_expect_alive(qemu);
}

int main(void)
{
	struct qemu_options options = {
		.object = ",share-memory=on",
		.more = { "-object",
			  "memory-backend-memfd,id=ram,size=256M,share=on",
			  "-machine", "memory-backend=ram" },
	};
	struct qemu qemu;

	qemu_prepare(&qemu);
	qemu_start(&qemu, &options);
	qemu_wait_console(&qemu, "beacon: ", 2);
	test_still(&qemu, beacon_gpa(&qemu));
	test_interrupted(&qemu);
	test_wanted(&qemu);
	test_kernel(&qemu);
	expect(0, file_count(qemu.console, "BUG"));
	qemu_quit(&qemu);
	return 0;
}
