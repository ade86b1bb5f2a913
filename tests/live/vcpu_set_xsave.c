// SPDX-License-Identifier: GPL-2.0-only
/*
 * VCPU_SET_XSAVE: what the guest finds in its vector registers, set while it
 * waits for a tool, runs, or is outside of KVM_RUN. What cannot be is refused
 * and changes nothing.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "../lib/test.h"
#include "../lib/xsave.h"

ALSO_WITH_SPARE_VCPU;

#define MXCSR(area)	((uint32_t *)(area) + 6)
#define MXCSR_MASK(area)	((uint32_t *)(area) + 7)
#define FEATURES(area)	((uint64_t *)(area) + 64)

static int set(struct peer *peer, const struct kvmi_vcpu_get_xsave_reply *area,
	       size_t size)
{
	return __vcpu_command(peer, 0, KVMI_VCPU_SET_XSAVE, area, size, NULL,
			      0);
}

/*
 * A processor may name a feature that has its initial state, or may not. The
 * mask is the processor's own, once it has saved anything.
 */
static void expect_same(struct kvmi_vcpu_get_xsave_reply *want,
			struct kvmi_vcpu_get_xsave_reply *got)
{
	*FEATURES(got) = *FEATURES(want);
	*MXCSR_MASK(got) = *MXCSR_MASK(want);
	expect_bytes(want, got, sizeof(*got));
}

static void put(struct peer *peer, uint8_t byte)
{
	struct kvmi_vcpu_get_xsave_reply area, after;

	xsave_get(peer, &area);
	memset(XSAVE_XMM(&area, 3), byte, 16);
	*FEATURES(&area) |= 2;
	expect(0, set(peer, &area, sizeof(area)));
	xsave_get(peer, &after);
	expect_same(&area, &after);
}

static void expect_seen(struct vmm_vcpu *vcpu, uint8_t byte)
{
	volatile struct guest_state *state = vmm_state(vcpu);
	uint64_t want = byte * 0x0101010101010101ull;

	expect(want, state->saved[0]);
	expect(want, state->saved[1]);
}

static void test_refused(struct peer *peer)
{
	struct kvmi_vcpu_get_xsave_reply before, area, after;

	xsave_get(peer, &before);
	area = before;
	memset(XSAVE_XMM(&area, 3), 0xee, 16);
	*FEATURES(&area) |= 1ull << 62;
	expect(-KVM_EINVAL, set(peer, &area, sizeof(area)));
	/* Tiles are behind the area. */
	*FEATURES(&area) = *FEATURES(&before) | 1ull << 18;
	expect(-KVM_EINVAL, set(peer, &area, sizeof(area)));
	*FEATURES(&area) = *FEATURES(&before) | 2;
	*MXCSR(&area) = 0xffffffff;
	expect(-KVM_EINVAL, set(peer, &area, sizeof(area)));
	xsave_get(peer, &after);
	expect_same(&before, &after);
	cell("message:VCPU_SET_XSAVE:EINVAL");
}

/* What is left out is zero: no feature, so each has its initial state. */
static void test_short(struct vmm_vcpu *vcpu, struct peer *peer, int done)
{
	struct kvmi_vcpu_get_xsave_reply area;
	uint8_t longer[4096 + 64] = { 0 };

	put(peer, 0x77);
	expect(0, set(peer, NULL, 0));
	vmm_vcpu_allow(vcpu, 1);
	vmm_wait_executions(vcpu, done + 1);
	expect_seen(vcpu, 0);
	xsave_get(peer, &area);
	memcpy(longer, &area, sizeof(area));
	memset(longer + sizeof(area), 0xff, 64);
	expect(0, __vcpu_command(peer, 0, KVMI_VCPU_SET_XSAVE, longer,
				 sizeof(longer), NULL, 0));
}

int main(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	struct event event;
	int n;

	vmm_vcpu_load_long(vcpu, GUEST_XMM);
	vmm_vcpu_start_timer(vcpu);
	vmm_vcpu_start(vcpu);
	for (n = 1; n <= 20; n++) {
		put(&peer, n);
		vmm_vcpu_allow(vcpu, 1);
		vmm_wait_executions(vcpu, n);
		expect_seen(vcpu, n);
	}
	note("in an event");
	kind_control(&peer, 0, GUEST_XMM, 1);
	for (; n <= 40; n++) {
		vmm_vcpu_allow(vcpu, 1);
		event_receive(&peer, KVMI_VCPU_EVENT_CR, &event);
		put(&peer, n);
		/* Also over a return to user space. */
		if (n % 2) {
			vmm_vcpu_stop(vcpu);
			vmm_vcpu_start(vcpu);
		}
		event_continue(&peer, &event);
		vmm_wait_executions(vcpu, n);
		expect_seen(vcpu, n);
	}
	kind_control(&peer, 0, GUEST_XMM, 0);
	note("outside");
	for (; n <= 50; n++) {
		vmm_vcpu_stop(vcpu);
		put(&peer, n);
		vmm_vcpu_start(vcpu);
		vmm_vcpu_allow(vcpu, 1);
		vmm_wait_executions(vcpu, n);
		expect_seen(vcpu, n);
	}
	cell("message:VCPU_SET_XSAVE:ok");
	test_refused(&peer);
	vmm_vcpu_stop(vcpu);
	test_refused(&peer);
	vmm_vcpu_start(vcpu);
	test_short(vcpu, &peer, n - 1);
	hooked_end(vm, &peer);
	return 0;
}
