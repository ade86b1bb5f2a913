// SPDX-License-Identifier: GPL-2.0-only
/*
 * The counters of a VM in debugfs move with what the tool does, are kept over
 * sessions and go with the VM.
 */
#include <unistd.h>

#include "../lib/hook.h"
#include "../lib/test.h"
#include "../lib/trace.h"

static void expect_counters(const char *path, uint64_t sessions,
			    uint64_t commands, uint64_t errors)
{
	expect(sessions, counter_read(path, "sessions"));
	expect(commands, counter_read(path, "commands"));
	expect(errors, counter_read(path, "errors"));
}

static void enable_event(struct peer *peer)
{
	struct kvmi_vm_control_events control = { KVMI_VM_EVENT_UNHOOK, 1,
						  0, 0 };

	peer_command(peer, KVMI_VM_CONTROL_EVENTS, &control, sizeof(control),
		     NULL, 0);
}

int main(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	char path[256];
	uint8_t data[100];

	counters_find(vm, path, sizeof(path));
	expect_counters(path, 1, 0, 0);
	peer_expect_open(&peer);
	expect_counters(path, 1, 1, 0);

	expect(0, __peer_read(&peer, 0x1000, data, 100));
	expect(0, __peer_read(&peer, 0x1000, data, 28));
	expect(0, __peer_put(&peer, 0x1000, data, 7));
	expect(128, counter_read(path, "read_bytes"));
	expect(7, counter_read(path, "written_bytes"));
	expect_counters(path, 1, 4, 0);

	/* What fails is an error, and moves no bytes. */
	expect(-KVM_EINVAL, __peer_read(&peer, 0x1000, data, 0));
	expect(-KVM_ENOENT, __peer_put(&peer, 1ull << 40, data, 1));
	peer_expect_error(&peer, 0xfffe, NULL, 0, KVM_ENOSYS);
	expect_counters(path, 1, 7, 3);
	expect(128, counter_read(path, "read_bytes"));
	expect(7, counter_read(path, "written_bytes"));

	enable_event(&peer);
	expect(0, counter_read(path, "events"));
	expect(0, __preunhook(vm));
	peer_expect_vm_event(&peer, KVMI_VM_EVENT_UNHOOK);
	expect(1, counter_read(path, "events"));

	unhook(vm);
	peer_close(&peer);
	expect_counters(path, 1, 8, 3);
	hook(vm, &peer);
	expect_counters(path, 2, 8, 3);
	unhook(vm);
	peer_close(&peer);
	vmm_destroy(vm);
	expect(-1, access(path, F_OK));
	return 0;
}
