// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vCPUs of the small VMM: registers, threads, the run loop.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"
#include "vmm.h"

/* The ring of dirty pages begins at this page of the vCPU's file. */
#define RING_OFFSET	(KVM_DIRTY_LOG_PAGE_OFFSET * 4096ul)

#define SPARE_ID	250

static void kick(int signal)
{
	(void)signal;
}

struct vmm_vcpu *vmm_vcpu_create(struct vmm *vm, int id)
{
	struct sigaction action = { .sa_handler = kick };
	struct vmm_vcpu *vcpu = &vm->vcpus[vm->nvcpus];
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	size_t size = must(ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0));

	expect_true(vm->nvcpus < VMM_VCPUS);
	sigaction(SIGUSR1, &action, NULL);
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->fd = must(ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)id));
	vcpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 vcpu->fd, 0);
	expect_true(vcpu->run != MAP_FAILED);
	if (vm->options.dirty_ring) {
		vcpu->ring = mmap(NULL, vm->options.dirty_ring,
				  PROT_READ | PROT_WRITE, MAP_SHARED,
				  vcpu->fd, RING_OFFSET);
		expect_true(vcpu->ring != MAP_FAILED);
	}
	/* Nobody sends INIT and SIPI here. */
	if (vm->options.irqchip != VMM_IRQCHIP_NONE)
		must(ioctl(vcpu->fd, KVM_SET_MP_STATE, &runnable));
	test_vcpus = ++vm->nvcpus;
	return vcpu;
}

void vmm_vcpu_load(struct vmm_vcpu *vcpu, const struct guest *guest)
{
	struct kvm_regs regs = { .rip = guest->gpa, .rflags = 0x202 };
	struct kvm_sregs sregs;

	memcpy(vmm_host(vcpu->vm, guest->gpa), guest->code,
	       guest->end - guest->code);
	must(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs));
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	must(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
	regs.rdi = vcpu - vcpu->vm->vcpus;
	must(ioctl(vcpu->fd, KVM_SET_REGS, &regs));
}

/* Returns false when the guest is done. */
static bool handle_io(struct vmm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint32_t value = 0;

	memcpy(&value, (char *)run + run->io.data_offset, run->io.size);
	if (run->io.port == GUEST_PORT_EXIT) {
		vcpu->exited = true;
		return false;
	}
	vcpu->report = value;
	vcpu->reports++;
	return true;
}

static void *run_thread(void *arg)
{
	struct vmm_vcpu *vcpu = arg;

	while (!vcpu->stop) {
		if (ioctl(vcpu->fd, KVM_RUN, 0) < 0) {
			if (errno == EINTR)
				vcpu->interrupted++;
			if (errno == EINTR || errno == EAGAIN)
				continue;
			vcpu->error = -errno;
			break;
		}
		if (vcpu->run->exit_reason == KVM_EXIT_IO && handle_io(vcpu))
			continue;
		if (vcpu->run->exit_reason == KVM_EXIT_DIRTY_RING_FULL) {
			ioctl(vcpu->vm->fd, KVM_RESET_DIRTY_RINGS, 0);
			continue;
		}
		vcpu->exit_reason = vcpu->run->exit_reason;
		break;
	}
	return NULL;
}

/* It comes when the test has made its own, so that their indexes stay. */
static void spare_start(struct vmm *vm)
{
	if (!test_spare_vcpu || vm->has_spare)
		return;
	vm->has_spare = true;
	vmm_vcpu_run(vm, SPARE_ID, &guest_busy);
}

void vmm_vcpu_start(struct vmm_vcpu *vcpu)
{
	spare_start(vcpu->vm);
	vcpu->stop = false;
	vcpu->run->immediate_exit = 0;
	expect(0, pthread_create(&vcpu->thread, NULL, run_thread, vcpu));
	vcpu->started = true;
}

void vmm_vcpu_kick(struct vmm_vcpu *vcpu)
{
	expect(0, pthread_kill(vcpu->thread, SIGUSR1));
}

void vmm_vcpu_stop(struct vmm_vcpu *vcpu)
{
	if (!vcpu->started)
		return;
	vcpu->stop = true;
	vcpu->run->immediate_exit = 1;
	pthread_kill(vcpu->thread, SIGUSR1);
	pthread_join(vcpu->thread, NULL);
	vcpu->started = false;
}

struct vmm_vcpu *vmm_vcpu_run(struct vmm *vm, int id,
			      const struct guest *guest)
{
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, id);

	vmm_vcpu_load(vcpu, guest);
	vmm_vcpu_start(vcpu);
	return vcpu;
}

void vmm_expect_alive(struct vmm_vcpu *vcpu)
{
	volatile uint32_t *count = vmm_host(vcpu->vm, GUEST_COUNTERS +
					    4 * (vcpu - vcpu->vm->vcpus));
	uint32_t before = *count;

	wait_for(*count - before >= 2 || vcpu->error || vcpu->exit_reason);
	expect(0, vcpu->error);
	expect(0, vcpu->exit_reason);
}

void vmm_wait_report(struct vmm_vcpu *vcpu, uint32_t value)
{
	wait_for(vcpu->report == value);
}
