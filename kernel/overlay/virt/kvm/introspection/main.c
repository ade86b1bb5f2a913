// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection: starts and stops with kvm.ko.
 */
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

#include "introspection.h"

static bool introspection = true;
module_param(introspection, bool, 0444);
MODULE_PARM_DESC(introspection, "allow virtual machine introspection (default Y)");

struct workqueue_struct *kvmi_workqueue;
struct kmem_cache *kvmi_vm_cache;
struct kmem_cache *kvmi_session_cache;
struct kmem_cache *kvmi_vcpu_cache;
struct kmem_cache *kvmi_msg_cache;

bool kvmi_enabled(void)
{
	return introspection;
}

int kvmi_check_extension(void)
{
	return introspection ? KVMI_VERSION : 0;
}

/* Not merged with caches of equal size: a leak shall be seen as ours. */
#define CACHE_FLAGS (SLAB_ACCOUNT | SLAB_NO_MERGE)

static struct kmem_cache *cache_create(const char *name, size_t size)
{
	return kmem_cache_create(name, size, 0, CACHE_FLAGS, NULL);
}

int kvmi_init(void)
{
	kvmi_vm_cache = cache_create("kvmi_vm", sizeof(struct kvmi_vm));
	kvmi_session_cache = cache_create("kvmi_session",
					  sizeof(struct kvmi_session));
	kvmi_vcpu_cache = cache_create("kvmi_vcpu", sizeof(struct kvmi_vcpu));
	/* The data of a message is copied from and to guest memory. */
	kvmi_msg_cache = KMEM_CACHE_USERCOPY(kvmi_msg, CACHE_FLAGS, data);

	/* Its work waits for tools. */
	kvmi_workqueue = alloc_workqueue("kvmi", WQ_UNBOUND, 0);

	if (kvmi_vm_cache && kvmi_session_cache && kvmi_vcpu_cache &&
	    kvmi_msg_cache && kvmi_workqueue)
		return 0;

	kvmi_exit();
	return -ENOMEM;
}

void kvmi_exit(void)
{
	if (kvmi_workqueue)
		destroy_workqueue(kvmi_workqueue);
	kmem_cache_destroy(kvmi_msg_cache);
	kmem_cache_destroy(kvmi_vcpu_cache);
	kmem_cache_destroy(kvmi_session_cache);
	kmem_cache_destroy(kvmi_vm_cache);
}
