// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection: a VM's counters, in debugfs under KVM's own directory of
 * the VM. They are kept over sessions.
 */
#include <linux/debugfs.h>

#include "introspection.h"

void kvmi_counters_create(struct kvmi_vm *kvmi)
{
	struct kvmi_counters *c = &kvmi->counters;
	struct dentry *dir;

	dir = debugfs_create_dir("introspection", kvmi->kvm->debugfs_dentry);
	debugfs_create_u64("sessions", 0444, dir, &c->sessions);
	debugfs_create_u64("commands", 0444, dir, &c->commands);
	debugfs_create_u64("errors", 0444, dir, &c->errors);
	debugfs_create_u64("events", 0444, dir, &c->events);
	debugfs_create_u64("read_bytes", 0444, dir, &c->read_bytes);
	debugfs_create_u64("written_bytes", 0444, dir, &c->written_bytes);
	debugfs_create_atomic_t("zaps", 0444, dir, &c->zaps);
	debugfs_create_atomic_t("zap_flushes", 0444, dir, &c->zap_flushes);
	debugfs_create_atomic_t("view_switches", 0444, dir, &c->view_switches);
	debugfs_create_atomic_t("view_flushes", 0444, dir, &c->view_flushes);
	kvmi->debugfs = dir;
}

/* Waits for those who read, so that the counters can be freed. */
void kvmi_counters_destroy(struct kvmi_vm *kvmi)
{
	debugfs_remove(kvmi->debugfs);
}
