/*
 * The ioctls that give a socket to KVM and take it away.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "system/kvm.h"
#include <linux/kvm.h>
#include <kvmi/assert.h>
#include "hook.h"
#include "names.h"
#include "refusal.h"
#include "trace.h"

/* What an id stands for when it is no id: everything. */
#define ALL_IDS (-1)

typedef struct Permission {
    const char *kind;
    unsigned long ioctl;
    bool (*parse)(const char *text, int32_t *id, Error **errp);
} Permission;

static const Permission command_permission = {
    .kind = "command",
    .ioctl = KVM_INTROSPECTION_COMMAND,
    .parse = introspection_parse_command,
};

static const Permission event_permission = {
    .kind = "event",
    .ioctl = KVM_INTROSPECTION_EVENT,
    .parse = introspection_parse_event,
};

bool introspection_supported(Error **errp)
{
    ERRP_GUARD();

    if (!kvm_enabled()) {
        error_setg(errp, "VM introspection needs the KVM accelerator");
        error_append_hint(errp, "Start QEMU with -accel kvm.\n");
        return false;
    }
    if (kvm_check_extension(kvm_state, KVM_CAP_INTROSPECTION) <= 0) {
        introspection_refusal(introspection_not_offered(), errp);
        return false;
    }
    return true;
}

static int allow(const Permission *permission, int32_t id, Error **errp)
{
    struct kvm_introspection_feature feature = { .allow = 1, .id = id };
    int ret = kvm_vm_ioctl(kvm_state, permission->ioctl, &feature);

    trace_introspection_ioctl_allow(permission->kind, id, ret);
    if (ret < 0 && id == ALL_IDS) {
        error_setg_errno(errp, -ret, "KVM does not allow all %ss",
                         permission->kind);
    } else if (ret < 0) {
        error_setg_errno(errp, -ret, "KVM does not allow %s %" PRId32,
                         permission->kind, id);
    }
    return ret;
}

static int allow_list(const Permission *permission, const strList *list,
                      Error **errp)
{
    int ret;

    if (!list) {
        return allow(permission, ALL_IDS, errp);
    }
    for (; list; list = list->next) {
        int32_t id;

        if (!permission->parse(list->value, &id, errp)) {
            return -EINVAL;
        }
        ret = allow(permission, id, errp);
        if (ret < 0) {
            return ret;
        }
    }
    return 0;
}

int introspection_hook(int fd, const QemuUUID *uuid, const strList *commands,
                       const strList *events, Error **errp)
{
    struct kvm_introspection_hook hook = { .fd = fd };
    int ret;

    memcpy(hook.uuid, uuid->data, sizeof(hook.uuid));
    ret = kvm_vm_ioctl(kvm_state, KVM_INTROSPECTION_HOOK, &hook);
    trace_introspection_ioctl_hook(fd, ret);
    if (ret < 0) {
        introspection_refusal(-ret, errp);
        return ret;
    }

    ret = allow_list(&command_permission, commands, errp);
    if (ret >= 0) {
        ret = allow_list(&event_permission, events, errp);
    }
    if (ret < 0) {
        introspection_unhook();
        return ret;
    }
    return 0;
}

int introspection_preunhook(void)
{
    int ret = kvm_vm_ioctl(kvm_state, KVM_INTROSPECTION_PREUNHOOK);

    trace_introspection_ioctl_preunhook(ret);
    return ret;
}

void introspection_unhook(void)
{
    int ret = kvm_vm_ioctl(kvm_state, KVM_INTROSPECTION_UNHOOK);

    trace_introspection_ioctl_unhook(ret);
    if (ret < 0) {
        error_report("introspection: KVM does not end the session: %s",
                     strerror(-ret));
    }
}
