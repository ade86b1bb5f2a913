// SPDX-License-Identifier: GPL-2.0-only
/*
 * The handshake of old tools, with old_auth: the key's digest is let in, a wrong
 * one, none and malformed ones are not; the object's permissions hold.
 *
 * lab: calm timeout=120
 */
#include <string.h>

#include "../lib/qemu.h"
#include "../lib/test.h"
#include "../lib/tool.h"

/* SHA-1 of "a secret of the test". */
static const uint8_t digest[20] = {
	0x46, 0x72, 0x25, 0xaf, 0x51, 0x3d, 0xf5, 0xfd, 0xc8, 0x0b,
	0xa8, 0xad, 0x31, 0x27, 0x56, 0xf1, 0x6c, 0xa6, 0x7c, 0xee,
};

static void refused(struct tool *tool, const void *answer, size_t size,
		    const char *what)
{
	note("%s", what);
	while (__tool_accept(tool, DEADLINE_MS))
		;
	__peer_write(&tool->peer, answer, size);
	peer_expect_closed(&tool->peer);
}

static void test_refused(struct tool *tool)
{
	struct {
		struct kvmi_introspector2qemu answer;
		uint8_t tail[64];
	} reply = { .answer.struct_size = 24 };

	refused(tool, &reply, 24, "no digest");
	memcpy(reply.answer.cookie_hash, digest, 20);
	reply.answer.cookie_hash[19] ^= 1;
	refused(tool, &reply, 24, "last bit wrong");
	memcpy(reply.answer.cookie_hash, digest, 20);
	reply.answer.struct_size = 0;
	refused(tool, &reply, 24, "size 0");
	reply.answer.struct_size = 23;
	refused(tool, &reply, 24, "size 23");
	reply.answer.struct_size = 0xffffffff;
	refused(tool, &reply, 24, "size 4 GiB");
}

static void test_let_in(struct tool *tool)
{
	struct {
		struct kvmi_introspector2qemu answer;
		uint8_t tail[64];
	} reply = { .answer.struct_size = sizeof(reply) };
	size_t i;

	/* Longer than ours and byte by byte: the tail is dropped. */
	memcpy(reply.answer.cookie_hash, digest, 20);
	expect(0, __tool_accept(tool, DEADLINE_MS));
	for (i = 0; i < sizeof(reply); i++)
		peer_write(&tool->peer, (char *)&reply + i, 1);
	peer_expect_open(&tool->peer);
}

static int may(struct tool *tool, uint16_t question, uint16_t id)
{
	struct kvmi_vm_check_command check = { .id = id };

	return __peer_command(&tool->peer, question, &check, sizeof(check),
			      NULL, 0);
}

/* What the object was given: commands by number and by name, no event. */
static void test_permissions(struct tool *tool)
{
	static const struct {
		uint16_t id;
		int allowed;
	} commands[] = {
		{ KVMI_VM_GET_INFO, 1 },
		{ KVMI_VM_READ_PHYSICAL, 1 },
		{ KVMI_VM_WRITE_PHYSICAL, 0 },
		{ KVMI_VM_CONTROL_CLEANUP, 0 },
		{ KVMI_VM_CHECK_EVENT, 1 },
	};
	size_t i;

	wait_for(!may(tool, KVMI_VM_CHECK_EVENT, KVMI_VM_EVENT_UNHOOK));
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		expect(commands[i].allowed ? 0 : -KVM_EPERM,
		       may(tool, KVMI_VM_CHECK_COMMAND, commands[i].id));
}

int main(void)
{
	struct qemu_options options = {
		.more = { "-object", "secret,id=k,data=a secret of the test" },
		.object = ",key=k,old-auth=on,handshake_timeout=2,command=8,"
			  "command=vm-read-physical,event=unhook",
		.stopped = true,
	};
	struct qemu qemu;
	struct tool tool;

	qemu_prepare(&qemu);
	tool_listen(&tool, qemu.socket);
	qemu_start(&qemu, &options);
	test_refused(&tool);
	expect(1, file_count(qemu.errors, "does not have the key"));
	expect(1, file_count(qemu.errors, "malformed"));

	/* A tool that says nothing is cut after the two seconds. */
	expect(0, __tool_accept(&tool, DEADLINE_MS));
	peer_expect_closed(&tool.peer);
	expect(1, file_count(qemu.errors, "in time"));

	test_let_in(&tool);
	test_permissions(&tool);
	qemu_quit(&qemu);
	peer_expect_closed(&tool.peer);
	tool_close(&tool);
	return 0;
}
