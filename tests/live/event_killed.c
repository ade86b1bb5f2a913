// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device manager is killed while an event is unanswered: it ends at once
 * and the tool sees the end of the session.
 */
#include <signal.h>
#include <unistd.h>

#include "../lib/event.h"
#include "../lib/test.h"

static const uint64_t kinds[] = { EVENT_KINDS, GUEST_TRAP };

static void child(int fd, uint64_t kind)
{
	struct vmm *vm = vmm_create(NULL);
	int i;

	for (i = 0; i < 2; i++)
		vmm_vcpu_load_long(vmm_vcpu_create(vm, i), kind);
	expect(0, __hook_fd(vm, fd));
	close(fd);
	hook_allow_all(vm);
	for (i = 0; i < 2; i++) {
		vmm_vcpu_allow(&vm->vcpus[i], 1000000);
		vmm_vcpu_start(&vm->vcpus[i]);
	}
	for (;;)
		pause();
}

/* The child allows all in its own time. */
static void wait_until_allowed(struct peer *peer)
{
	struct kvmi_vm_check_event check = { .id = KVMI_VCPU_EVENT_CR };

	wait_for(!__peer_command(peer, KVMI_VM_CHECK_EVENT, &check,
				 sizeof(check), NULL, 0));
}

static void test_kind(uint64_t kind)
{
	struct event event;
	struct peer peer;
	uint64_t start;
	int fd = peer_open(&peer);
	int i, pid;

	note("kind %d", (int)kind);
	pid = must(fork());
	if (!pid) {
		peer_close(&peer);
		child(fd, kind);
	}
	close(fd);
	wait_until_allowed(&peer);
	kind_control(&peer, 0, kind, 1);
	kind_control(&peer, 1, kind, 1);
	kind_provoke(&peer, 0, kind);
	kind_provoke(&peer, 1, kind);
	for (i = 0; i < 2; i++)
		event_receive(&peer, kind_event(kind), &event);
	start = now_ms();
	must(kill(pid, SIGKILL));
	peer_expect_closed(&peer);
	expect(128 + SIGKILL, wait_child(pid));
	expect_true(now_ms() - start < PROMPT_MS);
	cell("closing:vcpu_killed");
	peer_close(&peer);
}

int main(void)
{
	struct vmm *vm = vmm_create(NULL);
	size_t i;

	hook_require(vm);
	vmm_destroy(vm);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (vmm_kind_possible(kinds[i]))
			test_kind(kinds[i]);
	return 0;
}
