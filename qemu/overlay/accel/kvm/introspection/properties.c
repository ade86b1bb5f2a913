/*
 * The introspection object's properties.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-builtin-visit.h"
#include "qapi/visitor.h"
#include "qom/object.h"
#include "names.h"
#include "properties.h"
#include "session.h"

static char *introspection_get_chardev(Object *obj, Error **errp)
{
    return g_strdup(INTROSPECTION(obj)->chardev);
}

/* The character device and the key are taken once. */
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

static bool introspection_get_old_auth(Object *obj, Error **errp)
{
    return INTROSPECTION(obj)->old_auth;
}

static void introspection_set_old_auth(Object *obj, bool value, Error **errp)
{
    Introspection *s = INTROSPECTION(obj);

    if (introspection_settable(s, "old-auth", errp)) {
        s->old_auth = value;
    }
}

static bool introspection_get_share_memory(Object *obj, Error **errp)
{
    return INTROSPECTION(obj)->share_memory;
}

static void introspection_set_share_memory(Object *obj, bool value,
                                           Error **errp)
{
    Introspection *s = INTROSPECTION(obj);

    if (introspection_settable(s, "share-memory", errp)) {
        s->share_memory = value;
    }
}

static char *introspection_get_problem(Object *obj, Error **errp)
{
    return g_strdup(INTROSPECTION(obj)->problem ?: "");
}

static uint32_t *introspection_seconds(Object *obj, void *opaque)
{
    return (uint32_t *)((char *)INTROSPECTION(obj) + (uintptr_t)opaque);
}

static void introspection_get_seconds(Object *obj, Visitor *v,
                                      const char *name, void *opaque,
                                      Error **errp)
{
    visit_type_uint32(v, name, introspection_seconds(obj, opaque), errp);
}

/* Taken up by the next connection, session or action. */
static void introspection_set_seconds(Object *obj, Visitor *v,
                                      const char *name, void *opaque,
                                      Error **errp)
{
    visit_type_uint32(v, name, introspection_seconds(obj, opaque), errp);
}

static bool introspection_get_async_unhook(Object *obj, Error **errp)
{
    return INTROSPECTION(obj)->async_unhook;
}

static void introspection_set_async_unhook(Object *obj, bool value,
                                           Error **errp)
{
    INTROSPECTION(obj)->async_unhook = value;
}

static bool introspection_get_unhook_on_shutdown(Object *obj, Error **errp)
{
    return INTROSPECTION(obj)->unhook_on_shutdown;
}

static void introspection_set_unhook_on_shutdown(Object *obj, bool value,
                                                 Error **errp)
{
    INTROSPECTION(obj)->unhook_on_shutdown = value;
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

static void add_seconds(ObjectClass *oc, const char *name, size_t offset,
                        const char *description)
{
    object_class_property_add(oc, name, "uint32", introspection_get_seconds,
                              introspection_set_seconds, NULL,
                              (void *)(uintptr_t)offset);
    object_class_property_set_description(oc, name, description);
}

void introspection_add_properties(ObjectClass *oc)
{
    object_class_property_add_str(oc, "chardev", introspection_get_chardev,
                                  introspection_set_chardev);
    object_class_property_set_description(oc, "chardev",
        "ID of the client socket that connects to the tool");
    object_class_property_add_str(oc, "key", introspection_get_key,
                                  introspection_set_key);
    object_class_property_set_description(oc, "key",
        "ID of the secret that the tool has to know");
    object_class_property_add_bool(oc, "old-auth", introspection_get_old_auth,
                                   introspection_set_old_auth);
    object_class_property_set_description(oc, "old-auth",
        "Whether to let in tools that send the SHA-1 digest of the key");
    object_class_property_add_bool(oc, "share-memory",
                                   introspection_get_share_memory,
                                   introspection_set_share_memory);
    object_class_property_set_description(oc, "share-memory",
        "Whether to give descriptors of the memory to a tool that asks");
    object_class_property_add_str(oc, "problem", introspection_get_problem,
                                  NULL);
    object_class_property_set_description(oc, "problem",
        "Why there was no session at the last attempt, empty with one");
    add_seconds(oc, "handshake_timeout",
                offsetof(Introspection, handshake_timeout),
                "Seconds for the tool to answer, 0 for no limit");
    add_seconds(oc, "unhook_timeout", offsetof(Introspection, unhook_timeout),
                "Seconds for the tool to leave, 0 for not to wait");
    add_seconds(oc, "stall_timeout", offsetof(Introspection, stall_timeout),
                "Seconds that QEMU may stand still, 0 for no limit");
    object_class_property_add_bool(oc, "async_unhook",
                                   introspection_get_async_unhook,
                                   introspection_set_async_unhook);
    object_class_property_set_description(oc, "async_unhook",
        "Whether other commands work while one waits for the tool to leave");
    object_class_property_add_bool(oc, "unhook_on_shutdown",
                                   introspection_get_unhook_on_shutdown,
                                   introspection_set_unhook_on_shutdown);
    object_class_property_set_description(oc, "unhook_on_shutdown",
        "Whether the guest is powered down only after the tool has left");
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
