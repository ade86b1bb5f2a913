/*
 * The session with a tool: from the connection to its end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ACCEL_KVM_INTROSPECTION_SESSION_H
#define ACCEL_KVM_INTROSPECTION_SESSION_H

#include "qapi/qapi-builtin-types.h"
#include "qapi/qapi-types-vmi.h"
#include "qemu/main-loop.h"
#include "qemu/notify.h"
#include "qemu/timer.h"
#include "qom/object.h"
#include "chardev/char-fe.h"
#include "exec/memory.h"
#include "system/runstate.h"
#include "handshake.h"

#define TYPE_INTROSPECTION "introspection"
OBJECT_DECLARE_SIMPLE_TYPE(Introspection, INTROSPECTION)

typedef struct IntrospectionWatchdog IntrospectionWatchdog;

struct Introspection {
    Object parent_obj;

    /* properties */
    char *chardev;
    char *key;
    bool old_auth;
    bool share_memory;
    uint32_t handshake_timeout;
    uint32_t unhook_timeout;
    uint32_t stall_timeout;
    bool async_unhook;
    bool unhook_on_shutdown;
    strList *command;
    strList *event;

    bool started;
    uint8_t *secret;
    size_t secret_size;
    uint8_t *key_digest;    /* with old_auth */
    int64_t start_time;
    Notifier machine_ready;
    Notifier shutdown;

    /* session.c; "held" is not among its states */
    CharBackend chr;
    IntrospectionState state;
    int64_t state_since;    /* ms, QEMU_CLOCK_REALTIME */
    uint32_t offered;       /* KVMI_FEATURE_... */
    GByteArray *said;       /* the hello, then the reply: what is proved */
    HandshakeReader reader;
    QEMUTimer *handshake_timer;
    QEMUBH *bh;
    int fd;                 /* that KVM has, of our own */
    bool authenticated;
    unsigned int eexist_in_a_row;

    /* notes of the character device's callbacks for introspection_bh() */
    bool opened;
    bool closed;

    /* share.c */
    GArray *shared;         /* what the session was told of the memory */
    MemoryListener memory_listener;
    QEMUBH *share_bh;

    /* report.c */
    char *problem;
    GHashTable *warned;
    uint64_t connections;
    uint64_t sessions;
    bool has_last_reason;
    IntrospectionReason last_reason;

    /* hold.c */
    bool held;
    QEMUTimer *hold_timer;
    VMChangeStateEntry *vm_state;

    /* intercept.c */
    uint32_t pending;       /* a bit for each IntrospectionAction */
    QEMUTimer *unhook_timer;
    GSList *replies[INTROSPECTION_ACTION__MAX];
    GSList *coroutines;
    unsigned int snapshots; /* that wait or are being made */
    bool powerdown_released;
    bool shutting_down;

    /* migrate.c */
    NotifierWithReturn migration;
    bool unplug_pending;    /* also read by the thread of the migration */
    Error *cpr_blocker;

    IntrospectionWatchdog *watchdog;
};

/* There is one VM, so there is one object, or none. */
extern Introspection *the_introspection;

/**
 * introspection_started:
 *
 * Returns: the VM's introspection object if it takes connections, or NULL
 */
Introspection *introspection_started(void);

/**
 * introspection_id:
 * @s: the object
 *
 * Returns: the object's name for messages; owned by the object
 */
const char *introspection_id(Introspection *s);

/**
 * introspection_set_state:
 * @s: the object
 * @state: what it does from now on
 */
void introspection_set_state(Introspection *s, IntrospectionState state);

/**
 * introspection_cut:
 * @s: the object
 * @reason: why, for those who manage the VM
 *
 * End the connection, and with it the handshake or the session: what waits
 * for the tool to leave is done.  Harmless without a connection.  Main thread.
 */
void introspection_cut(Introspection *s, IntrospectionReason reason);

/**
 * introspection_session_init:
 * @s: the object
 *
 * Make what sessions need.  introspection_session_destroy() frees it.
 */
void introspection_session_init(Introspection *s);

/**
 * introspection_session_destroy:
 * @s: the object
 *
 * End the session, if there is one, and let go of the character device.
 */
void introspection_session_destroy(Introspection *s);

/**
 * introspection_session_start:
 * @s: the object, with its character device
 *
 * Take connections from now on.
 */
void introspection_session_start(Introspection *s);

#endif
