// SPDX-License-Identifier: GPL-2.0-only
/*
 * The introspection object's own errors, at the command line and in the
 * monitor, and what may be done with it while it is connected.
 *
 * lab: calm timeout=120
 */
#include <stdio.h>
#include <string.h>

#include "../lib/qemu.h"
#include "../lib/test.h"
#include "../lib/tool.h"

static const struct {
	const char *what;
	const char *more[QEMU_MORE];
	const char *object;
	const char *text;	/* that QEMU's error holds */
} wrong[] = {
	{ "unknown command", { NULL }, ",command=nonsense", "nonsense" },
	{ "all commands by number", { NULL }, ",command=4294967295",
	  "4294967295" },
	{ "unknown event", { NULL }, ",event=nonsense", "nonsense" },
	{ "unknown key", { NULL }, ",key=nonsense", "nonsense" },
	{ "no such chardev", { "-object", "introspection,id=x,chardev=none" },
	  NULL, "none" },
	{ "not a socket", { "-chardev", "null,id=n", "-object",
			    "introspection,id=x,chardev=n" },
	  NULL, "not a socket" },
	{ "a server", { "-chardev",
			"socket,id=s,path=/tmp/kvmi-none,server=on,wait=off",
			"-object", "introspection,id=x,chardev=s" },
	  NULL, "server" },
	{ "no reconnect", { "-chardev", "socket,id=s,host=127.0.0.1,port=1",
			    "-object", "introspection,id=x,chardev=s" },
	  NULL, "" },
	{ "two objects", { "-object", "introspection,id=x,chardev=tool" }, "",
	  "has an introspection object" },
	{ "not KVM", { "-M", "accel=tcg", "-cpu", "max" }, "",
	  "KVM accelerator" },
};

static void test_wrong(int i)
{
	struct qemu_options options = {
		.object = wrong[i].object,
		.stopped = true,
	};
	struct qemu qemu;

	note("%s", wrong[i].what);
	memcpy(options.more, wrong[i].more, sizeof(options.more));
	qemu_prepare(&qemu);
	expect(1, qemu_start_fails(&qemu, &options));
	expect_true(file_count(qemu.errors, wrong[i].text) > 0);
	qemu_kill(&qemu);
}

static void must_fail(struct qemu *qemu, const char *command,
		      const char *arguments, const char *text)
{
	const char *error = __qmp(&qemu->qmp, command, arguments);

	if (!error)
		fail("%s %s: succeeds", command, arguments);
	note("%s: %s", command, error);
	expect_true(strstr(error, text));
}

static void test_monitor(void)
{
	struct qemu_options options = { .stopped = true };
	struct qemu qemu;
	struct tool tool;

	qemu_prepare(&qemu);
	tool_listen(&tool, qemu.socket);
	qemu_start(&qemu, &options);

	must_fail(&qemu, "object-add",
		  "{ 'qom-type': 'introspection', 'id': 'v' }", "chardev");
	must_fail(&qemu, "object-add",
		  "{ 'qom-type': 'introspection', 'id': 'v',"
		  "  'chardev': 'none' }", "none");
	must_fail(&qemu, "object-add",
		  "{ 'qom-type': 'introspection', 'id': 'v',"
		  "  'chardev': 'tool', 'command': [ 'nonsense' ] }",
		  "nonsense");
	qmp(&qemu.qmp, "object-add",
	    "{ 'qom-type': 'introspection', 'id': 'v', 'chardev': 'tool',"
	    "  'command': [ '12', 'vm-get-info', 'vm-get-max-gfn' ] }");
	tool_session_again(&tool);

	must_fail(&qemu, "object-add",
		  "{ 'qom-type': 'introspection', 'id': 'w',"
		  "  'chardev': 'tool' }", "");
	must_fail(&qemu, "object-del", "{ 'id': 'v' }", "in use");
	must_fail(&qemu, "chardev-remove", "{ 'id': 'tool' }", "busy");
	peer_expect_open(&tool.peer);

	/* Not connected it can go, and come again. */
	tool_close(&tool);
	wait_for(!__qmp(&qemu.qmp, "object-del", "{ 'id': 'v' }"));
	qmp(&qemu.qmp, "object-add",
	    "{ 'qom-type': 'introspection', 'id': 'v', 'chardev': 'tool' }");
	tool_listen(&tool, qemu.socket);
	tool_session_again(&tool);
	qemu_quit(&qemu);
	peer_expect_closed(&tool.peer);
	tool_close(&tool);
}

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		test_wrong(i);
	test_monitor();
	return 0;
}
