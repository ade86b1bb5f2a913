// SPDX-License-Identifier: GPL-2.0-only
/*
 * With introspection=0 the capability is 0 and each ioctl is refused with
 * EPERM, before anything else is judged. Loads KVM anew, so no VM may run on
 * this host, and puts it back.
 *
 * lab: own timeout=90 cpus=2
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../lib/hook.h"
#include "../lib/test.h"

static const char *vendor = "kvm_amd";

static char parameter(void)
{
	FILE *f = fopen("/sys/module/kvm/parameters/introspection", "r");
	int c = f ? fgetc(f) : 0;

	if (f)
		fclose(f);
	return c;
}

static void require_idle(void)
{
	char path[64], users[16];
	FILE *f;

	if (!access("/sys/module/kvm_intel", F_OK))
		vendor = "kvm_intel";
	if (!parameter())
		skip("KVM has no introspection: load the modules");
	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", vendor);
	f = fopen(path, "r");
	if (!f || !fgets(users, sizeof(users), f))
		skip("%s cannot be unloaded", vendor);
	fclose(f);
	if (atoi(users))
		skip("a VM runs on this host");
}

static void reload(const char *parameters)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "rmmod %s && rmmod kvm && modprobe kvm %s && modprobe %s",
		 vendor, parameters, vendor);
	note("%s", command);
	expect(0, system(command));
}

static void put_back(void)
{
	if (parameter() == 'N')
		reload("");
}

static void test_refused(void)
{
	struct vmm *vm = vmm_create(NULL);
	struct vmm_vcpu *vcpu;
	struct peer peer;

	expect(0, ioctl(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_INTROSPECTION));
	expect(-EPERM, __hook_ioctl(vm, NULL));
	expect(-EPERM, __hook(vm, &peer));
	cell("ioctl:HOOK:EPERM");
	expect(-EPERM, __unhook(vm));
	cell("ioctl:UNHOOK:EPERM");
	expect(-EPERM, __hook_command(vm, -2, 2));
	expect(-EPERM, __hook_command(vm, -1, 1));
	cell("ioctl:COMMAND:EPERM");
	expect(-EPERM, __hook_event(vm, -2, 2));
	expect(-EPERM, __hook_event(vm, -1, 1));
	cell("ioctl:EVENT:EPERM");
	expect(-EPERM, __preunhook(vm));
	cell("ioctl:PREUNHOOK:EPERM");

	/* A VM as any other. */
	vcpu = vmm_vcpu_run(vm, 0, &guest_busy);
	vmm_expect_alive(vcpu);
	vmm_destroy(vm);
}

int main(void)
{
	struct vmm *vm;

	require_idle();
	atexit(put_back);
	reload("introspection=0");
	expect('N', parameter());
	test_refused();

	reload("");
	expect('Y', parameter());
	vm = vmm_create(NULL);
	hook_expect_usable(vm);
	vmm_destroy(vm);
	return 0;
}
