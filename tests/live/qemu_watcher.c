// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two guests: the tool runs in one, behind vhost-vsock-pci,guest-cid=1234, and
 * watches the other, whose QEMU is told so on its command line. Each says on its
 * own console what it saw.
 *
 * lab: calm timeout=300
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/qemu.h"
#include "../lib/test.h"

#define NEW	"another guest wrote this line"

/* The tool and its libraries, behind the files of the usual guest. */
static void make_initrd(const char *path)
{
	static const char pack[] =
		"cd / && exec 2>/dev/null && { cat /l2/initrd;"
		" { printf '%%s\\n' usr usr/bin lib lib/x86_64-linux-gnu lib64"
		"  usr/bin/kvmi; LD_TRACE_LOADED_OBJECTS=1 /usr/bin/kvmi |"
		"  grep -o '/lib[^ ]*' | cut -c2- | sort -u; } |"
		" cpio -o -H newc -L; } >%s";
	char command[512];

	snprintf(command, sizeof(command), pack, path);
	expect(0, system(command));
}

static void start_watched(struct qemu *qemu)
{
	struct qemu_options options = {
		.append = "nokaslr",
		.more = {
			"-chardev", "socket,id=far,type=vsock,cid=1234,"
				    "port=4321,reconnect-ms=200",
			"-object", "introspection,id=vmi,chardev=far",
		},
	};

	qemu_prepare(qemu);
	qemu_start(qemu, &options);
	qemu_wait_console(qemu, "beacon: ", 3);
}

static void start_watcher(struct qemu *qemu, const char *initrd, uint64_t gpa)
{
	char append[64];
	struct qemu_options options = {
		.append = append,
		.initrd = initrd,
		.more = {
			"-device", "vhost-vsock-pci,guest-cid=1234",
		},
	};

	snprintf(append, sizeof(append), "load=watch beacon=0x%llx",
		 (unsigned long long)gpa);
	qemu_prepare(qemu);
	qemu_start(qemu, &options);
}

int main(void)
{
	struct qemu watched, watcher;
	char initrd[128];
	uint64_t gpa;

	if (access("/dev/vhost-vsock", F_OK))
		skip("no /dev/vhost-vsock: modprobe vhost_vsock");
	start_watched(&watched);
	gpa = qemu_console_number(&watched, " gpa ");
	expect_true(gpa);
	snprintf(initrd, sizeof(initrd), "%s/initrd", watched.folder);
	make_initrd(initrd);
	start_watcher(&watcher, initrd, gpa);

	qemu_wait_console(&watcher, "watcher: begins", 1);
	note("the second guest is up");
	qemu_wait_console(&watched, "beacon: " NEW, 2);
	qemu_wait_console(&watcher, "watcher: is done", 1);
	expect(1, file_count(watcher.console, "\"watched\""));
	expect(1, file_count(watcher.console, QEMU_UUID));
	expect(2, file_count(watcher.console, "watcher: 0x"));
	expect_true(file_count(watcher.console, "Linux version 6.") > 0);
	expect_true(file_count(watcher.console, NEW) > 0);
	expect(2, file_count(watcher.console, "\"cr3\""));
	expect(0, file_count(watcher.console, " has failed"));
	qemu_expect_alive(&watched);
	qemu_expect_alive(&watcher);
	qemu_quit(&watcher);
	qemu_expect_alive(&watched);
	qemu_quit(&watched);
	return 0;
}
