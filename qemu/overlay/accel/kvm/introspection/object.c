/*
 * The introspection object: connects to an introspection tool through a
 * socket character device, tells it which VM this is, authenticates it and
 * hands the socket to KVM.  From then on the tool talks to the kernel, and
 * QEMU keeps the character device only to see the connection end.
 *
 *   WAITING     not connected; the character device retries
 *   HANDSHAKE   connected, the hello is sent, the reply is awaited
 *   HOOKED      KVM has the socket
 *
 * All transitions are made by introspection_bh(), by the handshake timer or
 * by introspection_cut(), in the main loop.  The character device's callbacks
 * only take notes, because CHR_EVENT_CLOSED comes with the device's lock held
 * and leaves no way to disconnect or to write.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-builtin-visit.h"
#include "qapi/qapi-types-run-state.h"
#include "qapi/visitor.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "qemu/notify.h"
#include "qemu/timer.h"
#include "qemu/uuid.h"
#include "qom/object_interfaces.h"
#include "chardev/char-fe.h"
#include "chardev/char-socket.h"
#include "crypto/hash.h"
#include "crypto/secret_common.h"
#include "hw/core/cpu.h"
#include "hw/i386/e820_memory_layout.h"
#include "hw/qdev-core.h"
#include "system/introspection.h"
#include "system/runstate.h"
#include "system/system.h"
#include <linux/kvmi.h>
#include "handshake.h"
#include "hook.h"
#include "names.h"
#include "trace.h"

#define TYPE_INTROSPECTION "introspection"
OBJECT_DECLARE_SIMPLE_TYPE(Introspection, INTROSPECTION)

#define DEFAULT_HANDSHAKE_TIMEOUT 10

/*
 * A session that ends may still be taken down when the next one begins: only
 * this many refusals in a row are worth a warning.
 */
#define EEXIST_TOLERATED 5

typedef enum IntrospectionState {
    INTROSPECTION_WAITING,
    INTROSPECTION_HANDSHAKE,
    INTROSPECTION_HOOKED,
} IntrospectionState;

static const char *const state_names[] = {
    [INTROSPECTION_WAITING] = "waiting",
    [INTROSPECTION_HANDSHAKE] = "handshake",
    [INTROSPECTION_HOOKED] = "hooked",
};

struct Introspection {
    Object parent_obj;

    /* properties */
    char *chardev;
    char *key;
    uint32_t handshake_timeout;
    strList *command;
    strList *event;

    bool started;
    uint8_t *key_digest;
    int64_t start_time;

    CharBackend chr;
    IntrospectionState state;
    HandshakeReader reader;
    QEMUTimer *handshake_timer;
    QEMUBH *bh;

    /* notes of the character device's callbacks for introspection_bh() */
    bool opened;
    bool closed;

    GHashTable *warned;
    unsigned int eexist_in_a_row;

    Notifier machine_ready;
    Notifier shutdown;
};

/* There is one VM, so there is one object. */
static Introspection *the_introspection;

static const char *introspection_id(Introspection *s)
{
    return object_get_canonical_path_component(OBJECT(s)) ?: "-";
}

static void introspection_set_state(Introspection *s, IntrospectionState state)
{
    trace_introspection_state(introspection_id(s), state_names[s->state],
                              state_names[state]);
    s->state = state;
}

/*
 * The character device tries again for ever, and what went wrong is likely to
 * go wrong again: say it once until a session begins.
 */
static void introspection_warn(Introspection *s, const char *text)
{
    trace_introspection_warning(introspection_id(s), text);
    if (g_hash_table_add(s->warned, g_strdup(text))) {
        warn_report("introspection '%s', chardev '%s': %s",
                    introspection_id(s), s->chardev, text);
    }
}

static uint64_t introspection_max_gpa(void)
{
    struct e820_entry *table;
    int i, n = e820_get_table(&table);
    uint64_t max_gpa = 0;

    for (i = 0; i < n; i++) {
        if (le32_to_cpu(table[i].type) == E820_RAM) {
            max_gpa = MAX(max_gpa, le64_to_cpu(table[i].address) +
                                   le64_to_cpu(table[i].length));
        }
    }
    return max_gpa;
}

/* Tools tell sessions of a VM apart by it: never the same twice. */
static void introspection_renew_start_time(Introspection *s)
{
    s->start_time = MAX(g_get_real_time() / G_USEC_PER_SEC, s->start_time + 1);
}

/* The connection is gone: end what was made of it. */
static void introspection_end(Introspection *s, const char *reason)
{
    if (s->state == INTROSPECTION_WAITING) {
        return;
    }

    trace_introspection_end(introspection_id(s), reason);
    timer_del(s->handshake_timer);
    if (s->state == INTROSPECTION_HOOKED) {
        introspection_unhook();
    }
    introspection_set_state(s, INTROSPECTION_WAITING);
}

/* End the connection, and with it the handshake or the session. */
static void introspection_cut(Introspection *s, const char *reason)
{
    Chardev *chr = qemu_chr_fe_get_driver(&s->chr);

    if (s->state == INTROSPECTION_WAITING) {
        return;
    }

    /*
     * KVM has a reference of its own to the socket, so closing ours would
     * tell nobody.  Shutting it down tells the tool and lets go all vCPUs
     * that wait for the tool.
     */
    if (chr && SOCKET_CHARDEV(chr)->sioc) {
        shutdown(SOCKET_CHARDEV(chr)->sioc->fd, SHUT_RDWR);
    }
    qemu_chr_fe_disconnect(&s->chr);
    introspection_end(s, reason);
}

static void introspection_handshake_timeout(void *opaque)
{
    Introspection *s = opaque;

    introspection_warn(s, "the tool did not complete the handshake in time");
    introspection_cut(s, "handshake timeout");
}

/* While INMIGRATE there is no guest yet to look into. */
static bool introspection_may_connect(void)
{
    return !runstate_check(RUN_STATE_INMIGRATE) &&
           !runstate_check(RUN_STATE_SHUTDOWN);
}

static void introspection_connected(Introspection *s)
{
    struct kvmi_qemu2introspector hello;

    if (!introspection_may_connect()) {
        trace_introspection_refused(introspection_id(s),
                                    RunState_str(runstate_get()));
        qemu_chr_fe_disconnect(&s->chr);
        return;
    }

    handshake_fill_hello(&hello, qemu_uuid.data, s->start_time,
                         qemu_get_vm_name(), introspection_max_gpa());
    trace_introspection_hello(introspection_id(s), hello.start_time,
                              hello.max_gpa);

    introspection_set_state(s, INTROSPECTION_HANDSHAKE);
    handshake_reader_init(&s->reader);
    if (s->handshake_timeout) {
        timer_mod(s->handshake_timer,
                  qemu_clock_get_ms(QEMU_CLOCK_REALTIME) +
                  s->handshake_timeout * INT64_C(1000));
    }

    if (qemu_chr_fe_write_all(&s->chr, (const uint8_t *)&hello,
                              sizeof(hello)) != sizeof(hello)) {
        introspection_warn(s, "the handshake could not be sent");
        introspection_cut(s, "cannot write");
    }
    qemu_chr_fe_accept_input(&s->chr);
}

/* The reply is complete, or can never be. */
static void introspection_replied(Introspection *s)
{
    Chardev *chr = qemu_chr_fe_get_driver(&s->chr);
    Error *err = NULL;
    int ret;

    timer_del(s->handshake_timer);
    trace_introspection_reply(introspection_id(s), s->reader.reply.struct_size);

    if (s->reader.status == HANDSHAKE_MALFORMED) {
        introspection_warn(s, "the tool sent a malformed handshake");
        introspection_cut(s, "malformed handshake");
        return;
    }
    if (s->key_digest && !handshake_reply_matches(&s->reader, s->key_digest)) {
        introspection_warn(s, "the tool does not have the key");
        introspection_cut(s, "wrong key");
        return;
    }

    ret = introspection_hook(SOCKET_CHARDEV(chr)->sioc->fd, &qemu_uuid,
                             s->command, s->event, &err);
    s->eexist_in_a_row = ret == -EEXIST ? s->eexist_in_a_row + 1 : 0;
    if (ret < 0) {
        if (ret != -EEXIST || s->eexist_in_a_row >= EEXIST_TOLERATED) {
            introspection_warn(s, error_get_pretty(err));
        }
        error_free(err);
        introspection_cut(s, "not hooked");
        return;
    }

    introspection_set_state(s, INTROSPECTION_HOOKED);
    g_hash_table_remove_all(s->warned);
}

static void introspection_bh(void *opaque)
{
    Introspection *s = opaque;

    if (s->closed) {
        s->closed = false;
        if (s->state == INTROSPECTION_HANDSHAKE) {
            introspection_warn(s, "the connection ended during the handshake");
        }
        introspection_end(s, "connection ended");
    }
    if (s->opened) {
        s->opened = false;
        introspection_connected(s);
    }
    if (s->state == INTROSPECTION_HANDSHAKE &&
        s->reader.status != HANDSHAKE_MORE) {
        introspection_replied(s);
    }
}

static void introspection_chr_event(void *opaque, QEMUChrEvent event)
{
    Introspection *s = opaque;

    switch (event) {
    case CHR_EVENT_OPENED:
        s->opened = true;
        break;
    case CHR_EVENT_CLOSED:
        /* One that came and went unseen needs no answer. */
        s->closed = true;
        s->opened = false;
        break;
    default:
        return;
    }
    qemu_bh_schedule(s->bh);
}

static int introspection_chr_can_read(void *opaque)
{
    Introspection *s = opaque;

    if (s->state != INTROSPECTION_HANDSHAKE || s->closed) {
        return 0;
    }
    return handshake_reader_wants(&s->reader);
}

static void introspection_chr_read(void *opaque, const uint8_t *buf, int size)
{
    Introspection *s = opaque;

    if (handshake_reader_feed(&s->reader, buf, size) != HANDSHAKE_MORE) {
        qemu_bh_schedule(s->bh);
    }
}

/* Keep the digest only: the secret itself is not needed again. */
static bool introspection_load_key(Introspection *s, Error **errp)
{
    size_t digest_len = 0;
    uint8_t *data;
    size_t len;
    int ret;

    if (!s->key) {
        warn_report("introspection '%s': no key, the tool is not"
                    " authenticated", introspection_id(s));
        return true;
    }
    if (qcrypto_secret_lookup(s->key, &data, &len, errp) < 0) {
        return false;
    }
    ret = qcrypto_hash_bytes(QCRYPTO_HASH_ALGO_SHA1, (const char *)data, len,
                             &s->key_digest, &digest_len, errp);
    explicit_bzero(data, len);
    g_free(data);
    if (ret < 0) {
        return false;
    }
    assert(digest_len == KVMI_HANDSHAKE_HASH_SIZE);
    return true;
}

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

    if (!introspection_supported(errp) || !introspection_load_key(s, errp)) {
        return false;
    }
    chr = qemu_chr_find(s->chardev);
    if (!chr) {
        error_setg(errp, "chardev '%s' not found", s->chardev);
        return false;
    }
    if (!introspection_check_chardev(s, chr, errp) ||
        !qemu_chr_fe_init(&s->chr, chr, errp)) {
        return false;
    }
    if (!qemu_uuid_set) {
        warn_report("introspection '%s': the VM has no UUID, by which tools"
                    " know it: give it one with -uuid", introspection_id(s));
    }

    introspection_renew_start_time(s);
    qemu_register_shutdown_notifier(&s->shutdown);
    s->started = true;
    qemu_chr_fe_set_handlers(&s->chr, introspection_chr_can_read,
                             introspection_chr_read, introspection_chr_event,
                             NULL, s, NULL, true);
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

/* Comes before the vCPUs are stopped for good. */
static void introspection_shutdown(Notifier *notifier, void *data)
{
    Introspection *s = container_of(notifier, Introspection, shutdown);

    introspection_cut(s, "shutdown");
}

void introspection_before_reset(void)
{
    if (the_introspection && the_introspection->started) {
        introspection_cut(the_introspection, "reset");
        introspection_renew_start_time(the_introspection);
    }
}

bool introspection_crashed(CPUState *cpu, uint16_t run_flags)
{
    g_autofree char *text = NULL;
    GuestPanicInformation *info;

    if (!(run_flags & KVM_RUN_X86_INTROSPECTION_CRASH)) {
        return false;
    }

    trace_introspection_crash(cpu->cpu_index);
    info = g_new0(GuestPanicInformation, 1);
    info->type = GUEST_PANIC_INFORMATION_TYPE_INTROSPECTION;
    info->u.introspection.cpu_index = cpu->cpu_index;
    text = g_strdup_printf("the tool crashed the guest on vCPU %d",
                           cpu->cpu_index);

    bql_lock();
    /* KVM may have come to this just before the object was deleted. */
    if (the_introspection) {
        introspection_warn(the_introspection, text);
    }
    qemu_system_guest_panicked(info);
    bql_unlock();
    return true;
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

    return s->state == INTROSPECTION_WAITING &&
           !qemu_chr_fe_backend_open(&s->chr);
}

static char *introspection_get_chardev(Object *obj, Error **errp)
{
    return g_strdup(INTROSPECTION(obj)->chardev);
}

/* The character device and the key's digest are taken once. */
static bool introspection_settable(Introspection *s, const char *name,
                                   Error **errp)
{
    if (s->started) {
        error_setg(errp, "Property '%s' cannot be changed any more", name);
    }
    return !s->started;
}

static void introspection_set_chardev(Object *obj, const char *value,
                                      Error **errp)
{
    Introspection *s = INTROSPECTION(obj);

    if (introspection_settable(s, "chardev", errp)) {
        g_free(s->chardev);
        s->chardev = g_strdup(value);
    }
}

static char *introspection_get_key(Object *obj, Error **errp)
{
    return g_strdup(INTROSPECTION(obj)->key);
}

static void introspection_set_key(Object *obj, const char *value, Error **errp)
{
    Introspection *s = INTROSPECTION(obj);

    if (introspection_settable(s, "key", errp)) {
        g_free(s->key);
        s->key = g_strdup(value);
    }
}

static void introspection_get_handshake_timeout(Object *obj, Visitor *v,
                                                const char *name, void *opaque,
                                                Error **errp)
{
    Introspection *s = INTROSPECTION(obj);

    visit_type_uint32(v, name, &s->handshake_timeout, errp);
}

static void introspection_set_handshake_timeout(Object *obj, Visitor *v,
                                                const char *name, void *opaque,
                                                Error **errp)
{
    Introspection *s = INTROSPECTION(obj);

    visit_type_uint32(v, name, &s->handshake_timeout, errp);
}

static void introspection_get_command(Object *obj, Visitor *v,
                                      const char *name, void *opaque,
                                      Error **errp)
{
    visit_type_strList(v, name, &INTROSPECTION(obj)->command, errp);
}

static void introspection_get_event(Object *obj, Visitor *v, const char *name,
                                    void *opaque, Error **errp)
{
    visit_type_strList(v, name, &INTROSPECTION(obj)->event, errp);
}

static void introspection_set_list(strList **target, Visitor *v,
                                   const char *name,
                                   bool (*parse)(const char *text, int32_t *id,
                                                 Error **errp),
                                   Error **errp)
{
    g_autoptr(strList) list = NULL;
    strList *item;
    int32_t id;

    if (!visit_type_strList(v, name, &list, errp)) {
        return;
    }
    for (item = list; item; item = item->next) {
        if (!parse(item->value, &id, errp)) {
            return;
        }
    }
    qapi_free_strList(*target);
    *target = g_steal_pointer(&list);
}

static void introspection_set_command(Object *obj, Visitor *v,
                                      const char *name, void *opaque,
                                      Error **errp)
{
    introspection_set_list(&INTROSPECTION(obj)->command, v, name,
                           introspection_parse_command, errp);
}

static void introspection_set_event(Object *obj, Visitor *v, const char *name,
                                    void *opaque, Error **errp)
{
    introspection_set_list(&INTROSPECTION(obj)->event, v, name,
                           introspection_parse_event, errp);
}

static void introspection_init(Object *obj)
{
    Introspection *s = INTROSPECTION(obj);

    s->handshake_timeout = DEFAULT_HANDSHAKE_TIMEOUT;
    s->handshake_timer = timer_new_ms(QEMU_CLOCK_REALTIME,
                                      introspection_handshake_timeout, s);
    s->bh = qemu_bh_new(introspection_bh, s);
    s->warned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    s->shutdown.notify = introspection_shutdown;
}

static void introspection_finalize(Object *obj)
{
    Introspection *s = INTROSPECTION(obj);

    introspection_cut(s, "deleted");
    qemu_chr_fe_deinit(&s->chr, false);
    if (s->started) {
        notifier_remove(&s->shutdown);
    }
    if (s->machine_ready.notify) {
        qemu_remove_machine_init_done_notifier(&s->machine_ready);
    }
    if (the_introspection == s) {
        the_introspection = NULL;
    }

    timer_free(s->handshake_timer);
    qemu_bh_delete(s->bh);
    g_hash_table_unref(s->warned);
    g_free(s->key_digest);
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

    object_class_property_add_str(oc, "chardev", introspection_get_chardev,
                                  introspection_set_chardev);
    object_class_property_set_description(oc, "chardev",
        "ID of the client socket that connects to the tool");
    object_class_property_add_str(oc, "key", introspection_get_key,
                                  introspection_set_key);
    object_class_property_set_description(oc, "key",
        "ID of the secret that the tool has to know");
    object_class_property_add(oc, "handshake_timeout", "uint32",
                              introspection_get_handshake_timeout,
                              introspection_set_handshake_timeout, NULL, NULL);
    object_class_property_set_description(oc, "handshake_timeout",
        "Seconds for the tool to answer, 0 for no limit");
    object_class_property_add(oc, "command", "strList",
                              introspection_get_command,
                              introspection_set_command, NULL, NULL);
    object_class_property_set_description(oc, "command",
        "Commands that the tool may use, by name or number");
    object_class_property_add(oc, "event", "strList",
                              introspection_get_event,
                              introspection_set_event, NULL, NULL);
    object_class_property_set_description(oc, "event",
        "Events that the tool may be told, by name or number");
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
