// SPDX-License-Identifier: GPL-2.0-only
/*
 * The comparison that the stress tests rely on sees what it should: a session
 * left open, a file left open, a VM left alive; and says nothing of none.
 */
#include <stdlib.h>
#include <unistd.h>

#include "../lib/hook.h"
#include "../lib/resources.h"
#include "../lib/test.h"

static bool grew(const struct resources *before, enum resource which)
{
	struct resources now;

	resources_take(&now, 0);
	expect_true(now.value[which] >= 0);
	/* The whole comparison must complain as well. */
	if (now.value[which] > before->value[which])
		expect_true(resources_compare(before, &now) > 0);
	return now.value[which] > before->value[which];
}

static void leak_slab_objects(const struct resources *before)
{
	struct vmm *vms[150];
	struct peer peers[150];
	struct resources now;
	int i;

	for (i = 0; i < 150; i++) {
		vms[i] = vmm_create(NULL);
		hook(vms[i], &peers[i]);
	}
	resources_take(&now, 0);
	expect_true(now.value[RESOURCE_KVMI_SESSION] -
		    before->value[RESOURCE_KVMI_SESSION] > 100);
	expect_true(resources_compare(before, &now) > 3);
	for (i = 0; i < 150; i++) {
		peer_close(&peers[i]);
		vmm_destroy(vms[i]);
	}
}

int main(void)
{
	struct vmm *vm = vmm_create(NULL);
	struct resources before;
	struct peer peer;
	int fd;

	hook_require(vm);
	hook_expect_usable(vm);
	resources_take(&before, 0);
	expect_true(before.value[RESOURCE_VENDOR_USERS] >= 0);
	expect(0, resources_compare(&before, &before));

	hook(vm, &peer);
	expect_true(grew(&before, RESOURCE_THREADS));
	expect_true(grew(&before, RESOURCE_FILES));
	unhook(vm);
	peer_close(&peer);
	expect(0, resources_settle(&before, 0));

	fd = must(dup(0));
	expect_true(grew(&before, RESOURCE_FILES));
	close(fd);
	expect(0, resources_settle(&before, 0));

	vm = vmm_create(NULL);
	expect_true(grew(&before, RESOURCE_VENDOR_USERS));
	vmm_destroy(vm);
	/* Not told on a kernel that finds leaks by itself. */
	if (before.value[RESOURCE_KVMI_VM] >= 0)
		leak_slab_objects(&before);
	else
		expect(0, access("/sys/kernel/debug/kmemleak", F_OK));
	return 0;
}
