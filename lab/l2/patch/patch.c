// SPDX-License-Identifier: GPL-2.0-only
/*
 * Patches the guest's kernel as those do who hide in it: by another mapping, which
 * is writable, of memory that the kernel has protected. What it patches are a
 * system call, which returns a number of ours then, and its entry in the table.
 * Both are put back when it goes.
 *
 *	insmod patch.ko function=ADDRESS entry=ADDRESS
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

#define BEHIND_ENDBR	4
#define ANSWER		0xccccc300001267b8	/* mov $4711, %eax; ret */

static ulong function;
module_param(function, ulong, 0444);
MODULE_PARM_DESC(function, "of the system call");

static ulong entry;
module_param(entry, ulong, 0444);
MODULE_PARM_DESC(entry, "of the system call in its table");

static int changed;
module_param(changed, int, 0444);
MODULE_PARM_DESC(changed, "how many of the two have changed");

static struct place {
	u64 *at;	/* where it can be written */
	u64 old;
} places[2];

static void patch(struct place *place, u64 value)
{
	if (place->at)
		WRITE_ONCE(*place->at, value);
}

/* Into text and read-only data, with no regard for their protection. */
static int prepare(struct place *place, unsigned long address)
{
	struct page *page = pfn_to_page(__pa(address) >> PAGE_SHIFT);
	void *alias = vmap(&page, 1, VM_MAP, PAGE_KERNEL);

	if (!alias)
		return -ENOMEM;
	place->at = alias + offset_in_page(address);
	place->old = READ_ONCE(*place->at);
	return 0;
}

static int __init patch_init(void)
{
	int i;

	if (!function || !entry ||
	    prepare(&places[0], function + BEHIND_ENDBR) ||
	    prepare(&places[1], entry))
		return -EINVAL;

	patch(&places[0], ANSWER);
	patch(&places[1], function + BEHIND_ENDBR);
	for (i = 0; i < 2; i++)
		changed += READ_ONCE(*places[i].at) != places[i].old;
	return 0;
}
module_init(patch_init);

static void __exit patch_exit(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (READ_ONCE(*places[i].at) != places[i].old)
			patch(&places[i], places[i].old);
		vunmap((void *)((ulong)places[i].at & PAGE_MASK));
	}
}
module_exit(patch_exit);

MODULE_DESCRIPTION("Patches a system call");
MODULE_LICENSE("GPL");
