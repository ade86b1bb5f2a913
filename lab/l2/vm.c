// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM of the guest's own: writes to a port for ever, ten times a second. Tells
 * once a second how often it did, or what KVM says why it does not.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE	4096
#define TENTH	100000		/* us */

/* 1: out %al, $0x10; jmp 1b */
static const uint8_t code[] = { 0xe6, 0x10, 0xeb, 0xfc };

struct vm {
	int vcpu;
	struct kvm_run *run;
};

static long check(const char *what, long r)
{
	if (r < 0) {
		perror(what);
		exit(1);
	}
	return r;
}

static void create(struct vm *vm)
{
	int kvm = check("vm: /dev/kvm", open("/dev/kvm", O_RDWR));
	int fd = check("vm: KVM_CREATE_VM", ioctl(kvm, KVM_CREATE_VM, 0));
	size_t size = check("vm: mmap size",
			    ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
	void *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region slot = {
		.guest_phys_addr = PAGE,
		.memory_size = PAGE,
		.userspace_addr = (uintptr_t)memory,
	};
	struct kvm_regs regs = { .rip = PAGE, .rflags = 2 };
	struct kvm_sregs sregs;

	/* Intel wants these three pages. */
	check("vm: KVM_SET_TSS_ADDR",
	      ioctl(fd, KVM_SET_TSS_ADDR, 0xfffbd000ul));
	memcpy(memory, code, sizeof(code));
	check("vm: slot", ioctl(fd, KVM_SET_USER_MEMORY_REGION, &slot));
	vm->vcpu = check("vm: KVM_CREATE_VCPU", ioctl(fd, KVM_CREATE_VCPU, 0));
	vm->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
		       vm->vcpu, 0);
	check("vm: sregs", ioctl(vm->vcpu, KVM_GET_SREGS, &sregs));
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	check("vm: sregs", ioctl(vm->vcpu, KVM_SET_SREGS, &sregs));
	check("vm: regs", ioctl(vm->vcpu, KVM_SET_REGS, &regs));
}

int main(void)
{
	long runs = 0, attempts;
	struct vm vm;

	setvbuf(stdout, NULL, _IOLBF, 0);
	create(&vm);
	for (attempts = 1;; attempts++) {
		check("vm: KVM_RUN", ioctl(vm.vcpu, KVM_RUN, 0));
		runs += vm.run->exit_reason == KVM_EXIT_IO;
		usleep(TENTH);
		if (attempts % 10)
			continue;
		if (vm.run->exit_reason == KVM_EXIT_IO)
			printf("vm: ran %ld times\n", runs);
		else if (vm.run->exit_reason == KVM_EXIT_FAIL_ENTRY)
			printf("vm: KVM_EXIT_FAIL_ENTRY, reason 0x%llx\n",
			       (unsigned long long)vm.run->fail_entry
				.hardware_entry_failure_reason);
		else
			printf("vm: exit reason %u\n", vm.run->exit_reason);
	}
}
