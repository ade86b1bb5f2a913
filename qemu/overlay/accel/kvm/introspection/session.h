/*
 * The session with a tool: from the connection to its end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ACCEL_KVM_INTROSPECTION_SESSION_H
#define ACCEL_KVM_INTROSPECTION_SESSION_H

#include "qapi/qapi-builtin-types.h"
#include "qemu/main-loop.h"
#include "qemu/notify.h"
#include "qemu/timer.h"
#include "qom/object.h"
#include "chardev/char-fe.h"
#include "handshake.h"

#define TYPE_INTROSPECTION "introspection"
OBJECT_DECLARE_SIMPLE_TYPE(Introspection, INTROSPECTION)

typedef enum IntrospectionState {
    INTROSPECTION_WAITING,
    INTROSPECTION_HANDSHAKE,
    INTROSPECTION_HOOKED,
} IntrospectionState;

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

    /* what keeps a session from beginning, if that is known */
    char *problem;
    GHashTable *warned;
    unsigned int eexist_in_a_row;

    Notifier machine_ready;
    Notifier shutdown;
};

/* There is one VM, so there is one object, or none. */
extern Introspection *the_introspection;

/**
 * introspection_id:
 * @s: the object
 *
 * Returns: the object's name for messages; owned by the object
 */
const char *introspection_id(Introspection *s);

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
