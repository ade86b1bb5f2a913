/*
 * Why there is no introspection, in words.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/boards.h"
#include "system/kvm.h"
#include "refusal.h"

/* Is the switch @name of a module off? Not if the host has no such switch. */
static bool switched_off(const char *module, const char *name)
{
    g_autofree char *path = g_strdup_printf("/sys/module/%s/parameters/%s",
                                            module, name);
    g_autofree char *value = NULL;

    return g_file_get_contents(path, &value, NULL, NULL) &&
           (value[0] == 'N' || value[0] == '0');
}

/* The first of EOPNOTSUPP's causes that can be seen from here. */
static const char *unsupported(void)
{
    if (!kvm_irqchip_in_kernel()) {
        return "its interrupt controllers are in QEMU: start it with"
               " -machine kernel-irqchip=on";
    }
    if (MACHINE(qdev_get_machine())->cgs) {
        return "its memory is encrypted or private, so that there is nothing"
               " to look into: start it without"
               " -machine confidential-guest-support";
    }
    if (switched_off("kvm_amd", "npt")) {
        return "the host's KVM does not use nested paging: load kvm_amd with"
               " the parameter npt=1";
    }
    if (switched_off("kvm_intel", "ept")) {
        return "the host's KVM does not use nested paging: load kvm_intel"
               " with the parameter ept=1";
    }
    if (switched_off("kvm", "tdp_mmu")) {
        return "the host's KVM does not use its TDP MMU: load kvm with the"
               " parameter tdp_mmu=1";
    }
    return "it needs a host with nested paging and guest memory that is"
           " neither encrypted nor private";
}

int introspection_not_offered(void)
{
    return switched_off("kvm", "introspection") ? EPERM : ENOTTY;
}

void introspection_refusal(int err, Error **errp)
{
    switch (err) {
    case EPERM:
        error_setg(errp, "introspection is switched off in the host's KVM:"
                   " load kvm with the parameter introspection=1");
        break;
    case EBUSY:
        error_setg(errp, "a vCPU is running a nested guest of its own:"
                   " introspection starts when that guest is idle or gone,"
                   " trying again");
        break;
    case EEXIST:
        error_setg(errp, "an earlier introspection session of this VM has not"
                   " ended: if this stays, see the host's kernel log");
        break;
    case EOPNOTSUPP:
        error_setg(errp, "this VM cannot be introspected: %s", unsupported());
        break;
    case ENOTTY:
        error_setg(errp, "the host's KVM does not know introspection: load KVM"
                   " modules that are built with it");
        break;
    default:
        error_setg_errno(errp, err, "KVM does not take the socket");
        break;
    }
}
