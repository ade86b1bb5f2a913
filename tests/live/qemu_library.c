// SPDX-License-Identifier: GPL-2.0-only
/*
 * The client library against our QEMU and our KVM: a listener with a key, a
 * session by the VM's UUID, commands, an event at the end.
 *
 * lab: calm timeout=120
 */
#include <errno.h>
#include <string.h>

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

int main(void)
{
	struct qemu_options options = {
		.more = { "-object", "secret,id=k,data=a secret of the test" },
		.object = ",key=k",
		.stopped = true,
	};
	struct kvmi_listener *listener;
	struct kvmi_get_version_reply version;
	struct kvmi_options opts;
	struct kvmi_event *event;
	struct kvmi_vm *vm;
	struct qemu qemu;

	kvmi_options_init(&opts);
	opts.key = "a secret of the test";
	opts.key_size = strlen(opts.key);
	qemu_prepare(&qemu);
	expect(0, kvmi_listener_open_unix(&listener, qemu.socket, &opts));
	qemu_start(&qemu, &options);
	vm = accept_vm(listener);
	test_commands(vm);
	test_areas(vm);
	kvmi_vm_close(vm);

	/* QEMU comes back; a reset ends the session, and it comes again. */
	vm = accept_vm(listener);
	expect(0, kvmi_get_version(vm, &version));
	qmp(&qemu.qmp, "system_reset", NULL);
	expect(-ECONNRESET, kvmi_vm_next_event(vm, DEADLINE_MS, &event));
	expect(-ECONNRESET, kvmi_get_version(vm, &version));
	kvmi_vm_close(vm);
	vm = accept_vm(listener);
	expect(0, kvmi_get_version(vm, &version));

	qemu_quit(&qemu);
	expect(-ECONNRESET, kvmi_vm_next_event(vm, DEADLINE_MS, &event));
	kvmi_vm_close(vm);
	kvmi_listener_close(listener);
	return 0;
}
