// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plants in a kernel what the lab must find: a warning, a leaked object, a
 * process that no signal ends.
 *
 *	insmod plant.ko warn=1 | leak=1 | stuck=1
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/slab.h>

static bool warn;
module_param(warn, bool, 0444);
MODULE_PARM_DESC(warn, "raise a kernel warning");

static bool leak;
module_param(leak, bool, 0444);
MODULE_PARM_DESC(leak, "destroy a slab cache that still has an object");

static bool stuck;
module_param(stuck, bool, 0444);
MODULE_PARM_DESC(stuck, "never return, and heed no signal");

static int plant_leak(void)
{
	struct kmem_cache *cache;

	cache = kmem_cache_create("plant", 100, 0, SLAB_NO_MERGE, NULL);
	if (!cache)
		return -ENOMEM;
	if (!kmem_cache_alloc(cache, GFP_KERNEL))
		pr_err("plant: no object to leak\n");
	kmem_cache_destroy(cache);
	return 0;
}

static int __init plant_init(void)
{
	WARN(warn, "plant: this warning is here to be found\n");
	if (leak)
		return plant_leak();
	while (stuck)
		msleep(1000);
	return 0;
}
module_init(plant_init);

static void __exit plant_exit(void)
{
}
module_exit(plant_exit);

MODULE_DESCRIPTION("What the lab must find");
MODULE_LICENSE("GPL");
