// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU with a guest of its own. HOOK while it is inside: refused with EBUSY.
 * HOOK while it comes and goes: refused without a trace, or from then on every
 * entry fails as with a bad VMCB or VMCS, until UNHOOK. User space cannot put a
 * vCPU into its guest either. The guest is of a few instructions.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../lib/hook.h"
#include "../lib/nested.h"
#include "../lib/test.h"

#define ROUNDS		30	/* with each of the outcomes */
#define PAUSE_MIN	1000
#define PAUSE_MAX	1000000

static uint32_t read32(struct vmm *vm, uint64_t gpa)
{
	return *(volatile uint32_t *)vmm_host(vm, gpa);
}

static void stay_inside(struct vmm *vm, uint32_t stay)
{
	*(volatile uint32_t *)vmm_host(vm, GUEST_TRIGGER) = stay;
}

static void expect_refused(struct vmm *vm)
{
	struct peer peer;

	expect(-EBUSY, __hook_fd(vm, -1));
	expect(-EBUSY, __hook(vm, &peer));
}

static void expect_entering(struct vmm_vcpu *vcpu)
{
	uint32_t before = read32(vcpu->vm, GUEST_ENTRIES);

	wait_for(read32(vcpu->vm, GUEST_ENTRIES) - before >= 2 ||
		 vcpu->exit_reason || vcpu->error || vcpu->exited);
	expect(0, vcpu->exit_reason);
	expect(0, vcpu->error);
	expect(0, vcpu->exited);
}

/* One entry can have ended and not be counted yet. */
static void expect_failing(struct vmm_vcpu *vcpu)
{
	uint32_t failed = read32(vcpu->vm, GUEST_ENTRIES_FAILED);
	uint32_t entries = read32(vcpu->vm, GUEST_ENTRIES);

	wait_for(read32(vcpu->vm, GUEST_ENTRIES_FAILED) - failed >= 3 ||
		 vcpu->exit_reason || vcpu->error || vcpu->exited);
	expect_true(read32(vcpu->vm, GUEST_ENTRIES) - entries <= 1);
	expect(0, vcpu->exit_reason);
	expect(0, vcpu->error);
	expect(0, vcpu->exited);
}

/*
 * How long an entry takes depends on the machine: be as long outside as inside,
 * about, so that HOOK comes to both.
 */
static void balance(struct vmm *vm, int refused, int hooked)
{
	volatile uint32_t *pause = vmm_host(vm, GUEST_ENTRIES_PAUSE);

	if (refused > hooked && *pause < PAUSE_MAX)
		*pause *= 2;
	else if (refused < hooked && *pause > PAUSE_MIN)
		*pause /= 2;
}

/* An attempt that fails lets no entry fail; one that succeeds, all. */
static void hook_in_motion(struct vmm_vcpu *vcpu)
{
	uint64_t end = now_ms() + DEADLINE_MS;
	int r, refused = 0, hooked = 0;
	uint32_t failed = 0;
	struct peer peer;

	while (refused < ROUNDS || hooked < ROUNDS) {
		expect_true(now_ms() < end);
		balance(vcpu->vm, refused, hooked);
		r = __hook(vcpu->vm, &peer);
		if (r) {
			expect(-EBUSY, r);
			expect(failed, read32(vcpu->vm, GUEST_ENTRIES_FAILED));
			refused++;
			continue;
		}
		hooked++;
		expect_failing(vcpu);
		unhook(vcpu->vm);
		peer_close(&peer);
		expect_entering(vcpu);
		failed = read32(vcpu->vm, GUEST_ENTRIES_FAILED);
	}
	note("HOOK refused %d times, successful %d times", refused, hooked);
}

static struct kvm_nested_state *nested_state(struct vmm_vcpu *vcpu)
{
	const uint32_t size = 16384;
	struct kvm_nested_state *state = calloc(1, size);

	expect_true(state);
	state->size = size;
	must(ioctl(vcpu->fd, KVM_GET_NESTED_STATE, state));
	return state;
}

/* Stops the vCPU inside of its guest, or outside. */
static struct kvm_nested_state *stop(struct vmm_vcpu *vcpu, bool inside)
{
	struct kvm_nested_state *state;
	uint64_t end = now_ms() + DEADLINE_MS;

	stay_inside(vcpu->vm, inside);
	for (;;) {
		vmm_vcpu_stop(vcpu);
		state = nested_state(vcpu);
		if (inside == !!(state->flags & KVM_STATE_NESTED_GUEST_MODE))
			return state;
		free(state);
		expect_true(now_ms() < end);
		vmm_vcpu_start(vcpu);
		sleep_ms(10 + rand() % 20);
	}
}

static int __set_nested_state(struct vmm_vcpu *vcpu,
			      struct kvm_nested_state *state)
{
	return ioctl(vcpu->fd, KVM_SET_NESTED_STATE, state) ? -errno : 0;
}

static void nested_state_is_refused(struct vmm_vcpu *vcpu)
{
	struct kvm_nested_state *inside = stop(vcpu, true), *outside;
	struct peer peer;

	expect_refused(vcpu->vm);
	vmm_vcpu_start(vcpu);
	outside = stop(vcpu, false);

	hook(vcpu->vm, &peer);
	expect(-EBUSY, __set_nested_state(vcpu, inside));
	expect(0, __set_nested_state(vcpu, outside));
	vmm_vcpu_start(vcpu);
	expect_failing(vcpu);
	unhook(vcpu->vm);
	peer_close(&peer);
	expect_entering(vcpu);
	vmm_vcpu_stop(vcpu);
	expect(0, __set_nested_state(vcpu, inside));
	free(inside);
	free(outside);
}

int main(void)
{
	struct vmm *vm = vmm_create(NULL);
	struct vmm_vcpu *vcpu;

	hook_require(vm);
	vcpu = vmm_vcpu_create(vm, 0);
	nested_load(vcpu);

	/* Virtualisation that is merely on is no reason to refuse. */
	hook_expect_usable(vm);

	stay_inside(vm, 1);
	vmm_vcpu_start(vcpu);
	vmm_expect_alive(vcpu);
	expect_refused(vm);
	cell("ioctl:HOOK:EBUSY");
	vmm_expect_alive(vcpu);
	expect(0, read32(vm, GUEST_ENTRIES_FAILED));

	stay_inside(vm, 0);
	expect_entering(vcpu);
	hook_in_motion(vcpu);
	nested_state_is_refused(vcpu);
	vmm_destroy(vm);
	return 0;
}
