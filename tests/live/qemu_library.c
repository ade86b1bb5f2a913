// SPDX-License-Identifier: GPL-2.0-only
/*
 * The client library against our QEMU and our KVM: a listener with a key, a
 * session by the VM's UUID, commands, waited for and not, and what is told of
 * the end and of the run that comes next.
 *
 * lab: calm timeout=120
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <kvmi/kvmi.h>

#include "../lib/qemu.h"
#include "../lib/test.h"

static struct kvmi_vm *accept_vm(struct kvmi_listener *listener)
{
	struct kvmi_vm *vm;

	expect(0, kvmi_listener_accept(listener, QEMU_UUID, DEADLINE_MS, &vm));
	return vm;
}

static void test_commands(struct kvmi_vm *vm)
{
	struct kvmi_get_version_reply version;
	struct kvmi_vm_get_info_reply info;
	struct kvmi_identity id = { .size = sizeof(id) };
	const uint64_t scratch = 0x7000;
	uint8_t data[4096], back[4096];
	uint64_t gfn;

	expect(0, kvmi_vm_get_identity(vm, &id));
	expect(0, strcmp(id.name, "watched"));
	expect_true(kvmi_vm_is_authenticated(vm));
	expect(0, kvmi_get_version(vm, &version));
	expect(KVMI_VERSION, version.version);
	expect(0, kvmi_vm_get_info(vm, &info));
	expect(2, info.vcpu_count);
	expect(0, kvmi_vm_get_max_gfn(vm, &gfn));
	expect(id.max_gpa >> 12, gfn);

	memset(data, 0xc3, sizeof(data));
	expect(0, kvmi_vm_write_physical(vm, scratch, data, sizeof(data)));
	expect(0, kvmi_vm_read_physical(vm, scratch, back, sizeof(back)));
	expect_bytes(data, back, sizeof(back));
	expect(-ENOENT, kvmi_vm_read_physical(vm, 1ull << 40, back, 8));
	expect(0, kvmi_vm_control_events(vm, KVMI_VM_EVENT_UNHOOK, true));
	expect(0, kvmi_vm_control_cleanup(vm, true));
	expect(0, kvmi_vm_check_event(vm, KVMI_VM_EVENT_UNHOOK));
	expect(0, kvmi_vm_check_command(vm, KVMI_VM_READ_PHYSICAL));
	expect(-ENOENT, kvmi_vm_check_command(vm, 0xffff));
}

/* What the firmware tells the guest: RAM up to the end, and other things. */
static void test_areas(struct kvmi_vm *vm)
{
	struct kvmi_memory_area area = { .size = sizeof(area) };
	struct kvmi_identity id = { .size = sizeof(id) };
	uint64_t ram = 0, ram_end = 0, end = 0;
	unsigned int i;

	expect(0, kvmi_vm_get_identity(vm, &id));
	for (i = 0; !kvmi_vm_get_memory_area(vm, i, &area); i++) {
		note("0x%llx, 0x%llx bytes, type %u",
		     (unsigned long long)area.gpa,
		     (unsigned long long)area.length, area.type);
		expect_true(area.gpa >= end);
		end = area.gpa + area.length;
		if (area.type != KVMI_AREA_RAM)
			continue;
		ram += area.length;
		ram_end = end;
	}
	expect_true(i > 1);
	expect(256ull << 20, ram);
	expect(id.max_gpa, ram_end);
}

#define PIECES	200

static void submit_read(struct kvmi_vm *vm, uint64_t gpa, uint32_t *seq)
{
	const struct kvmi_vm_read_physical req = { .gpa = gpa, .size = 16 };

	expect(0, kvmi_vm_submit(vm, KVMI_VM_READ_PHYSICAL, &req, sizeof(req),
				 seq));
}

/* Only the descriptor says when something can be taken. */
static struct kvmi_reply *poll_reply(struct kvmi_vm *vm)
{
	struct pollfd pfd = { kvmi_vm_get_fd(vm), POLLIN, 0 };
	struct kvmi_reply *reply;

	while (kvmi_vm_next_reply(vm, 0, &reply)) {
		expect(1, poll(&pfd, 1, DEADLINE_MS));
		expect_true(kvmi_vm_pump(vm) >= 0);
	}
	return reply;
}

/* Many commands are under way, and one of them is refused. */
static void test_submitted(struct kvmi_vm *vm)
{
	const struct kvmi_vcpu_hdr nobody = { .vcpu = 77 };
	struct kvmi_error error = { .size = sizeof(error) };
	static uint8_t memory[PIECES * 16];
	struct kvmi_reply *reply;
	uint32_t seqs[PIECES];
	unsigned int i;
	size_t size;

	expect(0, kvmi_vm_read_physical(vm, 0xf0000, memory, sizeof(memory)));
	for (i = 0; i < PIECES; i++)
		submit_read(vm, 0xf0000 + i * 16, &seqs[i]);
	for (i = 0; i < PIECES; i++) {
		reply = poll_reply(vm);
		expect(seqs[i], kvmi_reply_get_seq(reply));
		expect(0, kvmi_reply_get_error(reply, NULL));
		expect_bytes(memory + i * 16, kvmi_reply_get_data(reply, &size),
			     16);
		expect(16, size);
		kvmi_reply_free(reply);
	}

	expect(0, kvmi_vm_submit(vm, KVMI_VCPU_GET_INFO, &nobody,
				 sizeof(nobody), NULL));
	reply = poll_reply(vm);
	expect(-EINVAL, kvmi_reply_get_error(reply, &error));
	expect(77, error.vcpu);
	kvmi_reply_free(reply);
}

static void test_ranges(struct kvmi_vm *vm)
{
	static uint8_t memory[3][20000];
	struct kvmi_error error = { .size = sizeof(error) };
	struct kvmi_vcpu_get_info_reply info;
	struct kvmi_range ranges[] = {
		{ 0xf0001, memory[0], 20000, 1 },
		{ 1ull << 40, memory[1], 8, 0 },
		{ 0x7000, memory[1], 4096, 1 },
	};

	expect(0, kvmi_vm_read_physical(vm, 0xf0001, memory[2], 20000));
	expect(0, kvmi_vm_readv_physical(vm, ranges, 3));
	expect(0, ranges[0].err);
	expect_bytes(memory[2], memory[0], 20000);
	expect(-ENOENT, ranges[1].err);
	expect(0, ranges[2].err);
	expect(0xc3, memory[1][4095]);

	expect(-EINVAL, kvmi_vcpu_get_info(vm, 78, &info));
	expect(0, kvmi_vm_get_error(vm, &error));
	expect(KVMI_VCPU_GET_INFO, error.command);
	expect(78, error.vcpu);
}

#define SEEN		0x8f00		/* a page ends in the middle of it */
#define SEEN_SIZE	0x200

/* Memory as QEMU has it. */
static void look(struct qemu *qemu, uint8_t *bytes)
{
	char path[128], arguments[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/seen", qemu->folder);
	snprintf(arguments, sizeof(arguments),
		 "{ 'val': %d, 'size': %d, 'filename': '%s' }", SEEN, SEEN_SIZE,
		 path);
	qmp(&qemu->qmp, "pmemsave", arguments);
	file = fopen(path, "r");
	expect_true(file);
	expect(SEEN_SIZE, fread(bytes, 1, SEEN_SIZE, file));
	fclose(file);
	expect(0, unlink(path));
}

/* Over the end of a page, of two ranges for one byte the later; no other byte. */
static void test_written_ranges(struct kvmi_vm *vm, struct qemu *qemu)
{
	uint8_t before[SEEN_SIZE], wanted[SEEN_SIZE], seen[SEEN_SIZE];
	uint8_t first[0x60], second[0x20], hole[8] = { 0 };
	struct kvmi_range ranges[] = {
		{ SEEN + 0xd0, first, sizeof(first), 1 },
		{ 1ull << 40, hole, sizeof(hole), 0 },
		{ SEEN + 0xf8, second, sizeof(second), 1 },
	};
	struct kvmi_range all = { SEEN, before, sizeof(before), 1 };

	look(qemu, before);
	memcpy(wanted, before, sizeof(wanted));
	memset(first, 0x5a, sizeof(first));
	memset(second, 0xa7, sizeof(second));
	memcpy(wanted + 0xd0, first, sizeof(first));
	memcpy(wanted + 0xf8, second, sizeof(second));

	expect(0, kvmi_vm_writev_physical(vm, ranges, 3));
	expect(0, ranges[0].err);
	expect(-ENOENT, ranges[1].err);
	expect(0, ranges[2].err);
	look(qemu, seen);
	expect_bytes(wanted, seen, sizeof(seen));
	expect(0, kvmi_vm_read_physical(vm, SEEN, seen, sizeof(seen)));
	expect_bytes(wanted, seen, sizeof(seen));

	expect(0, kvmi_vm_writev_physical(vm, &all, 1));
	expect(0, all.err);
	look(qemu, seen);
	expect_bytes(before, seen, sizeof(seen));
}

static enum kvmi_run run_of(struct kvmi_vm *vm,
			    const struct kvmi_identity *before)
{
	struct kvmi_identity now = { .size = sizeof(now) };

	expect(0, kvmi_vm_get_identity(vm, &now));
	return kvmi_identity_compare(before, &now);
}

/* An event of the library, with data that begins so. */
static void expect_own(struct kvmi_vm *vm, unsigned int id, uint32_t value)
{
	struct kvmi_event *event;
	const uint32_t *data;
	size_t size;

	expect(0, kvmi_vm_next_event(vm, DEADLINE_MS, &event));
	expect(id, kvmi_event_get_id(event));
	data = kvmi_event_get_data(event, &size);
	expect(value, *data);
	kvmi_event_free(event);
}

int main(void)
{
	struct qemu_options options = {
		.more = { "-object", "secret,id=k,data=a secret of the test" },
		.object = ",key=k",
		.stopped = true,
	};
	struct kvmi_identity first = { .size = sizeof(first) };
	struct kvmi_listener *listener;
	struct kvmi_get_version_reply version;
	struct kvmi_options opts;
	struct kvmi_event *event;
	struct kvmi_vm *vm;
	struct qemu qemu;

	kvmi_options_init(&opts);
	opts.key = "a secret of the test";
	opts.key_size = strlen(opts.key);
	opts.own_events = 1;
	qemu_prepare(&qemu);
	expect(0, kvmi_listener_open_unix(&listener, qemu.socket, &opts));
	qemu_start(&qemu, &options);
	vm = accept_vm(listener);
	test_commands(vm);
	test_areas(vm);
	test_submitted(vm);
	test_ranges(vm);
	test_written_ranges(vm, &qemu);
	expect(0, kvmi_vm_get_identity(vm, &first));
	kvmi_vm_close(vm);

	/* QEMU comes back; a reset ends the session, and it comes again. */
	vm = accept_vm(listener);
	expect(KVMI_RUN_SAME, run_of(vm, &first));
	expect_own(vm, KVMI_OWN_EVENT_RETURN, KVMI_RUN_SAME);
	expect(0, kvmi_get_version(vm, &version));
	expect(KVMI_END_NONE, kvmi_vm_get_end(vm));
	qmp(&qemu.qmp, "system_reset", NULL);
	expect_own(vm, KVMI_OWN_EVENT_END, KVMI_END_LOST);
	expect(-ECONNRESET, kvmi_vm_next_event(vm, DEADLINE_MS, &event));
	expect(-ECONNRESET, kvmi_get_version(vm, &version));
	expect(KVMI_END_LOST, kvmi_vm_get_end(vm));
	kvmi_vm_close(vm);
	vm = accept_vm(listener);
	expect(KVMI_RUN_NEWER, run_of(vm, &first));
	expect_own(vm, KVMI_OWN_EVENT_RETURN, KVMI_RUN_NEWER);
	expect(0, kvmi_get_version(vm, &version));

	qemu_quit(&qemu);
	expect_own(vm, KVMI_OWN_EVENT_END, KVMI_END_LOST);
	expect(-ECONNRESET, kvmi_vm_next_event(vm, DEADLINE_MS, &event));
	kvmi_vm_close(vm);
	kvmi_listener_close(listener);
	return 0;
}
