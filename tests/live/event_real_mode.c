// SPDX-License-Identifier: GPL-2.0-only
/*
 * As many events as executions where KVM does what the processor cannot: in
 * real mode without "unrestricted guest" it emulates each write of a control
 * register and each interrupt. A timer ticks up to 1000 times a second, signals
 * come all the time, the tool is slow; no tick is lost or comes twice.
 *
 * lab: own timeout=120 params=kvm_intel.unrestricted_guest=0 short
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../lib/event.h"
#include "../lib/test.h"

#define EACH	100

static const struct {
	uint32_t kind;
	int cr;
	const uint8_t *label;
} kinds[] = {
	{ GUEST_REAL_LMSW, 0, guest_real_lmsw },
	{ GUEST_REAL_CR0, 0, guest_real_cr0 },
	{ GUEST_REAL_CR3, 3, guest_real_cr3 },
	{ GUEST_REAL_CR4, 4, guest_real_cr4 },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static atomic_bool done;

static volatile struct guest_real_state *state_of(struct vmm_vcpu *vcpu)
{
	return vmm_host(vcpu->vm, GUEST_REAL);
}

static uint16_t offset_of(const uint8_t *label)
{
	return guest_real.gpa + (label - guest_real.code);
}

static void require_emulation(void)
{
	FILE *f = fopen("/sys/module/kvm_intel/parameters/unrestricted_guest",
			"r");
	int word;

	if (!f)
		skip("kvm_intel is not in use: real mode is the processor's");
	word = fgetc(f);
	fclose(f);
	if (word != 'N')
		skip("load kvm_intel with unrestricted_guest=0");
}

static void load(struct vmm_vcpu *vcpu)
{
	struct kvm_pit_config config = { .flags = 0 };
	struct kvm_reinject_control control = { .pit_reinject = 0 };
	uint32_t *vectors = vmm_host(vcpu->vm, 0);
	struct kvm_regs regs;
	int i;

	for (i = 0; i < 256; i++)
		vectors[i] = offset_of(guest_real_on_other);
	vectors[GUEST_REAL_VECTOR] = offset_of(guest_real_on_timer);
	vmm_vcpu_load(vcpu, &guest_real);
	must(ioctl(vcpu->fd, KVM_GET_REGS, &regs));
	regs.rflags = 2;
	regs.rsp = GUEST_REAL_STACK;
	must(ioctl(vcpu->fd, KVM_SET_REGS, &regs));
	must(ioctl(vcpu->vm->fd, KVM_CREATE_PIT2, &config));
	must(ioctl(vcpu->vm->fd, KVM_REINJECT_CONTROL, &control));
}

/* What KVM says that it injected into this VM. */
static uint64_t injections(struct vmm *vm)
{
	unsigned long long count = 0;
	char path[80];
	FILE *f;

	snprintf(path, sizeof(path),
		 "/sys/kernel/debug/kvm/%d-%d/irq_injections", getpid(),
		 vm->fd);
	f = fopen(path, "r");
	expect_true(f);
	expect(1, fscanf(f, "%llu", &count));
	fclose(f);
	return count;
}

/* Signals, and now and then a longer time outside. */
static void *disturb(void *arg)
{
	struct vmm_vcpu *vcpu = arg;
	unsigned int i;

	for (i = 0; !done; i++) {
		vmm_vcpu_kick(vcpu);
		sleep_ms(i % 7);
		if (i % 5)
			continue;
		vmm_vcpu_stop(vcpu);
		sleep_ms(i % 3);
		vmm_vcpu_start(vcpu);
	}
	return NULL;
}

static void wait_executions(struct vmm_vcpu *vcpu, uint32_t count)
{
	volatile struct guest_real_state *state = state_of(vcpu);

	wait_for(state->executions == count || vcpu->error ||
		 vcpu->exit_reason || vcpu->exited);
	expect(0, vcpu->error);
	expect(0, vcpu->exit_reason);
	expect(count, state->executions);
	expect(count, state->attempts);
	expect(0, state->wrong);
}

static uint32_t answer(struct peer *peer, const struct event *event, int n)
{
	struct kvm_regs regs = event->arch.regs;

	if (n % 3 == 0)
		sleep_ms(3);
	regs.rsi = n % 2 ? 1 : 3;
	vcpu_set_registers(peer, 0, &regs);
	event_continue(peer, event);
	return regs.rsi;
}

/* All that was injected was handled, once; then there is no more of it. */
static void expect_ticks(struct vmm_vcpu *vcpu)
{
	volatile struct guest_real_state *state = state_of(vcpu);
	uint32_t ticks = state->ticks_done;

	wait_for(state->ticks_done > ticks + 2);
	state->kind = GUEST_REAL_QUIET;
	state->limit++;
	wait_executions(vcpu, EACH + 1);
	sleep_ms(20);
	vmm_vcpu_stop(vcpu);
	note("%u ticks", state->ticks);
	expect(state->ticks, state->ticks_done);
	expect(injections(vcpu->vm), state->ticks);
}

static void test_kind(size_t i)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	volatile struct guest_real_state *state = state_of(vcpu);
	uint32_t marks = 0;
	pthread_t thread;
	struct event event;
	int n;

	note("kind %u", kinds[i].kind);
	load(vcpu);
	state->kind = kinds[i].kind;
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_CR, 1);
	vcpu_control_cr(&peer, 0, 0, 1);
	vcpu_control_cr(&peer, 0, 3, 1);
	vcpu_control_cr(&peer, 0, 4, 1);
	vmm_vcpu_start(vcpu);
	wait_for(state->ticks_done > 2);
	state->limit = EACH;
	done = false;
	expect(0, pthread_create(&thread, NULL, disturb, vcpu));
	for (n = 1; n <= EACH; n++) {
		event_receive(&peer, KVMI_VCPU_EVENT_CR, &event);
		expect(n, event.seq);
		expect(kinds[i].cr, event.cr.cr);
		expect(offset_of(kinds[i].label), event.arch.regs.rip);
		expect(2, event.arch.mode);
		expect(n, state->attempts);
		expect(state->wanted, event.cr.new_value);
		marks += answer(&peer, &event, n);
	}
	done = true;
	pthread_join(thread, NULL);
	wait_executions(vcpu, EACH);
	expect(marks, state->marks);
	expect(state->wanted, state->result);
	event_expect_none(&peer);
	expect_ticks(vcpu);
	hooked_end(vm, &peer);
}

int main(void)
{
	size_t i;

	require_emulation();
	for (i = 0; i < KINDS; i++)
		test_kind(i);
	return 0;
}
