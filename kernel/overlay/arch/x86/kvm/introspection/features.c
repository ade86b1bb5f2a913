// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: what this host has of KVMI_FEATURES, for user space
 * in /sys/module/kvm/parameters/introspection_features: a name a line, and no
 * line without a vendor module.
 */
#include <linux/moduleparam.h>
#include <linux/sysfs.h>
#include <kvmi/features.h>

#include "features.h"

enum {
#define NUMBER(name, meaning, amd, intel, without) FEATURE_##name,
	KVMI_FEATURES(NUMBER)
	FEATURES
};

static const char *const names[] = {
#define NAME(name, meaning, amd, intel, without) [FEATURE_##name] = #name,
	KVMI_FEATURES(NAME)
};

static bool (*const predicates[])(void) = {
#define PREDICATE(name, meaning, amd, intel, without) \
	[FEATURE_##name] = kvmi_has_##name,
	KVMI_FEATURES(PREDICATE)
};

/* A vendor module that goes takes its functions with it, not its answers. */
static unsigned long found;

void kvmi_features_find(void)
{
	unsigned long set = 0;
	unsigned int i;

	for (i = 0; i < FEATURES; i++)
		if (predicates[i]())
			set |= BIT(i);
	WRITE_ONCE(found, set);
}

/* As kvm_x86_vendor_init() has it. */
static bool vendor_is_loaded(void)
{
	return READ_ONCE(kvm_x86_ops.enable_virtualization_cpu);
}

static int features_get(char *buffer, const struct kernel_param *kp)
{
	unsigned long set = vendor_is_loaded() ? READ_ONCE(found) : 0;
	unsigned int i;
	int len = 0;

	for_each_set_bit(i, &set, FEATURES)
		len += sysfs_emit_at(buffer, len, "%s\n", names[i]);

	return len;
}

static int features_set(const char *value, const struct kernel_param *kp)
{
	return -EPERM;
}

static const struct kernel_param_ops features_ops = {
	.get = features_get,
	.set = features_set,
};
module_param_cb(introspection_features, &features_ops, NULL, 0444);
MODULE_PARM_DESC(introspection_features, "what introspection can do on this host (read-only)");
