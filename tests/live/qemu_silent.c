// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tool that wants to be asked to leave, and then neither leaves nor answers:
 * an event is unanswered on each vCPU. Nothing that a user does with the VM
 * takes longer than unhook_timeout: stop, reset, quit, SIGTERM, "info
 * registers", memsave, inject-nmi, dump-guest-memory, savevm, migrate and a new
 * vCPU.
 *
 * lab: calm timeout=240
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/bare.h"
#include "../lib/event.h"
#include "../lib/test.h"
#include "../lib/tool.h"
#include "../lib/vmm.h"

#define UNHOOK_MS	1000

/* As long as it takes without a tool, or the timeout and that. */
#define AT_ONCE_MS	(DEADLINE_MS / 5)
#define LATE_MS		(UNHOOK_MS + AT_ONCE_MS)

static struct bare bare = { .more = { "-smp", "2,maxcpus=3", "-drive" } };
static struct tool tool;

static void want_unhook(struct peer *peer)
{
	struct kvmi_vm_control_events control = {
		.event_id = KVMI_VM_EVENT_UNHOOK,
		.enable = 1,
	};

	peer_command(peer, KVMI_VM_CONTROL_EVENTS, &control, sizeof(control),
		     NULL, 0);
}

/* A session in which both vCPUs wait for ever. */
static void begin(void)
{
	struct event events[2];
	int i;

	tool_session_again(&tool);
	want_unhook(&tool.peer);
	for (i = 0; i < 2; i++) {
		bare_prepare(&bare, i, GUEST_CR3);
		kind_control(&tool.peer, i, GUEST_CR3, 1);
		bare_allow(&bare, i, 1);
	}
	event_receive_each(&tool.peer, KVMI_VCPU_EVENT_CR, events, 2);
}

/* The VM runs, and the guest goes on with what it has waited in. */
static void end(void)
{
	int i;

	peer_expect_closed(&tool.peer);
	for (i = 0; i < 2; i++)
		bare_wait_rest(&bare, i);
}

/* Fails unless it takes between so many ms and so many. */
static void timed(const char *what, uint64_t start, uint64_t least,
		  uint64_t most)
{
	uint64_t took = now_ms() - start;

	note("%s: %d ms", what, (int)took);
	if (took < least || took > most)
		fail("%s took %d ms", what, (int)took);
}

static void command(const char *name, const char *arguments, uint64_t least,
		    uint64_t most)
{
	uint64_t start = now_ms();

	qmp(&bare.qemu.qmp, name, arguments);
	timed(name, start, least, most);
}

static void monitor(const char *line, uint64_t least, uint64_t most)
{
	char arguments[160];
	uint64_t start = now_ms();

	snprintf(arguments, sizeof(arguments), "{ 'command-line': '%s' }",
		 line);
	qmp(&bare.qemu.qmp, "human-monitor-command", arguments);
	timed(line, start, least, most);
}

/* The tool stays where it is. */
static void test_looks(void)
{
	char arguments[160];

	begin();
	monitor("info registers -a", 0, AT_ONCE_MS);
	snprintf(arguments, sizeof(arguments),
		 "{ 'val': 0, 'size': 16, 'cpu-index': 1,"
		 "  'filename': '%s/m' }", bare.qemu.folder);
	command("memsave", arguments, 0, AT_ONCE_MS);
	snprintf(arguments, sizeof(arguments),
		 "{ 'paging': false, 'protocol': 'file:%s/d' }",
		 bare.qemu.folder);
	/* Its time is that of writing a file. */
	command("dump-guest-memory", arguments, 0, PROMPT_MS);
	command("device_add",
		"{ 'driver': 'host-x86_64-cpu', 'id': 'late',"
		"  'socket-id': 0, 'core-id': 2, 'thread-id': 0 }", 0,
		AT_ONCE_MS);
	peer_expect_open(&tool.peer);
	event_expect_none(&tool.peer);
}

static void test_waits(void)
{
	command("stop", NULL, UNHOOK_MS - 10, LATE_MS);
	expect(1, file_count(bare.qemu.errors, "did not in time"));
	command("cont", NULL, 0, AT_ONCE_MS);
	end();

	begin();
	monitor("savevm s", UNHOOK_MS - 10, LATE_MS);
	end();

	begin();
	command("migrate", "{ 'uri': 'exec:cat >/dev/null' }", 0, AT_ONCE_MS);
	peer_expect_vm_event(&tool.peer, KVMI_VM_EVENT_UNHOOK);
	wait_for(!strcmp("completed", qmp_ask(&bare.qemu.qmp, "query-migrate",
					      NULL, "status")));
	command("cont", NULL, 0, AT_ONCE_MS);
	end();
}

static void test_ends(void)
{
	uint64_t start;

	begin();
	/* The guest has no handler for it. */
	command("inject-nmi", NULL, 0, AT_ONCE_MS);
	peer_expect_open(&tool.peer);
	command("system_reset", NULL, 0, AT_ONCE_MS);
	peer_expect_closed(&tool.peer);
	start = now_ms();
	must(kill(bare.qemu.pid, SIGTERM));
	expect(0, qemu_wait(&bare.qemu));
	timed("SIGTERM", start, 0, AT_ONCE_MS);
}

static void start(char *disk, size_t size)
{
	char line[160];

	qemu_prepare(&bare.qemu);
	snprintf(disk, size, "if=none,id=d,format=qcow2,file=%s/disk",
		 bare.qemu.folder);
	snprintf(line, sizeof(line),
		 "qemu-img create -q -f qcow2 '%s/disk' 1M", bare.qemu.folder);
	expect(0, system(line));
	bare.more[3] = disk;
	tool_listen(&tool, bare.qemu.socket);
	bare_start(&bare, ",unhook_timeout=1");
}

int main(void)
{
	uint64_t time;
	char disk[128];

	start(disk, sizeof(disk));
	test_looks();
	test_waits();
	test_ends();
	qemu_kill(&bare.qemu);
	tool_close(&tool);

	start(disk, sizeof(disk));
	begin();
	time = now_ms();
	qmp(&bare.qemu.qmp, "quit", NULL);
	expect(0, qemu_wait(&bare.qemu));
	timed("quit", time, 0, AT_ONCE_MS);
	peer_expect_closed(&tool.peer);
	qemu_kill(&bare.qemu);
	tool_close(&tool);
	return 0;
}
