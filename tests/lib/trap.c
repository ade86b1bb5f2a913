// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest whose handlers count exceptions, and the event that tells of one.
 */
#include "test.h"
#include "trap.h"

struct vmm *trap_vmm(struct peer *peer, uint64_t kind)
{
	struct vmm *vm = hooked_vmm(NULL, peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);

	note("kind %d", (int)kind);
	vmm_vcpu_load_long(vcpu, kind);
	vmm_catch(vm);
	return vm;
}

void trap_receive(struct peer *peer, unsigned int nr, struct event *event)
{
	event_receive(peer, KVMI_VCPU_EVENT_TRAP, event);
	expect(nr, event->trap.nr);
}
