/*
 * The introspection object: what the user makes, and its checks of the
 * character device and of the key.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/module.h"
#include "qemu/uuid.h"
#include "qom/object_interfaces.h"
#include "chardev/char-socket.h"
#include "hw/qdev-core.h"
#include "migration/misc.h"
#include "system/system.h"
#include "auth.h"
#include "hook.h"
#include "properties.h"
#include "session.h"
#include "share.h"

#define DEFAULT_HANDSHAKE_TIMEOUT 10
#define DEFAULT_UNHOOK_TIMEOUT 60
#define DEFAULT_STALL_TIMEOUT 60

/* KVM gets the bare socket, and QEMU is the one who connects. */
static bool introspection_check_chardev(Introspection *s, Chardev *chr,
                                        Error **errp)
{
    ERRP_GUARD();
    SocketChardev *sock;

    sock = (SocketChardev *)object_dynamic_cast(OBJECT(chr),
                                                TYPE_CHARDEV_SOCKET);
    if (!sock) {
        error_setg(errp, "chardev '%s' is not a socket", s->chardev);
        return false;
    }
    if (sock->is_listen) {
        error_setg(errp, "chardev '%s' is a server, introspection needs a"
                   " client", s->chardev);
        error_append_hint(errp, "Use server=off, and in QMP"
                          " \"server\": false.\n");
        return false;
    }
    if (sock->tls_creds || sock->is_websock || sock->is_telnet ||
        sock->is_tn3270) {
        error_setg(errp, "chardev '%s' is not a raw stream: KVM cannot talk"
                   " TLS, websocket, telnet or tn3270", s->chardev);
        return false;
    }
    if (!sock->reconnect_time_ms) {
        error_setg(errp, "chardev '%s' does not reconnect", s->chardev);
        error_append_hint(errp, "Give it a period, such as"
                          " reconnect-ms=10000.\n");
        return false;
    }
    return true;
}

static bool introspection_start(Introspection *s, Error **errp)
{
    Chardev *chr;

    if (!introspection_supported(errp) || !introspection_auth_load(s, errp)) {
        return false;
    }
    chr = qemu_chr_find(s->chardev);
    if (!chr) {
        error_setg(errp, "chardev '%s' not found", s->chardev);
        return false;
    }
    if (!introspection_check_chardev(s, chr, errp) ||
        !qemu_chr_fe_init(&s->chr, chr, errp) ||
        !introspection_share_start(s, errp)) {
        return false;
    }
    if (!qemu_uuid_set) {
        warn_report("introspection '%s': the VM has no UUID, by which tools"
                    " know it: give it one with -uuid", introspection_id(s));
    }

    introspection_session_start(s);
    return true;
}

static void introspection_machine_ready(Notifier *notifier, void *data)
{
    Introspection *s = container_of(notifier, Introspection, machine_ready);
    Error *err = NULL;

    if (!introspection_start(s, &err)) {
        error_reportf_err(err, "introspection '%s': ", introspection_id(s));
        exit(EXIT_FAILURE);
    }
}

static void introspection_complete(UserCreatable *uc, Error **errp)
{
    Introspection *s = INTROSPECTION(uc);

    if (the_introspection) {
        error_setg(errp, "the VM has an introspection object already, '%s'",
                   introspection_id(the_introspection));
        return;
    }
    if (!s->chardev) {
        error_setg(errp, "Parameter 'chardev' is missing");
        return;
    }

    if (phase_check(PHASE_MACHINE_READY)) {
        if (!introspection_start(s, errp)) {
            return;
        }
    } else {
        s->machine_ready.notify = introspection_machine_ready;
        qemu_add_machine_init_done_notifier(&s->machine_ready);
    }
    the_introspection = s;
}

static bool introspection_can_be_deleted(UserCreatable *uc)
{
    Introspection *s = INTROSPECTION(uc);

    return s->state == INTROSPECTION_STATE_WAITING && !s->snapshots &&
           !migration_is_running() && !qemu_chr_fe_backend_open(&s->chr);
}

static void introspection_init(Object *obj)
{
    Introspection *s = INTROSPECTION(obj);

    s->handshake_timeout = DEFAULT_HANDSHAKE_TIMEOUT;
    s->unhook_timeout = DEFAULT_UNHOOK_TIMEOUT;
    s->stall_timeout = DEFAULT_STALL_TIMEOUT;
    s->async_unhook = true;
    s->unhook_on_shutdown = true;
    introspection_session_init(s);
}

static void introspection_finalize(Object *obj)
{
    Introspection *s = INTROSPECTION(obj);

    introspection_session_destroy(s);
    if (s->machine_ready.notify) {
        qemu_remove_machine_init_done_notifier(&s->machine_ready);
    }
    if (the_introspection == s) {
        the_introspection = NULL;
    }

    introspection_auth_unload(s);
    g_free(s->chardev);
    g_free(s->key);
    qapi_free_strList(s->command);
    qapi_free_strList(s->event);
}

static void introspection_class_init(ObjectClass *oc, void *data)
{
    UserCreatableClass *ucc = USER_CREATABLE_CLASS(oc);

    ucc->complete = introspection_complete;
    ucc->can_be_deleted = introspection_can_be_deleted;
    introspection_add_properties(oc);
}

static const TypeInfo introspection_info = {
    .parent = TYPE_OBJECT,
    .name = TYPE_INTROSPECTION,
    .instance_size = sizeof(Introspection),
    .instance_init = introspection_init,
    .instance_finalize = introspection_finalize,
    .class_init = introspection_class_init,
    .interfaces = (InterfaceInfo[]) {
        { TYPE_USER_CREATABLE },
        { }
    }
};

static void introspection_register_types(void)
{
    type_register_static(&introspection_info);
}

type_init(introspection_register_types);
