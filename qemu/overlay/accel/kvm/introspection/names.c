/*
 * Names of the commands and events of VM introspection.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/ctype.h"
#include "qemu/cutils.h"
#include "qapi/error.h"
#include <linux/kvmi.h>
#include <kvmi/table.h>
#include "names.h"

typedef struct IntrospectionName {
    const char *stem;
    int32_t id;
} IntrospectionName;

#define ROW(NAME, stem, ...) { #stem, KVMI_##NAME },

static const IntrospectionName command_names[] = {
    KVMI_MESSAGES(ROW)
    KVMI_MESSAGES_PLANNED(ROW)
    { }
};

static const IntrospectionName event_names[] = {
    KVMI_EVENTS(ROW)
    KVMI_EVENTS_PLANNED(ROW)
    { }
};

#undef ROW

static char *name_of(const IntrospectionName *row)
{
    return g_strdelimit(g_strdup(row->stem), "_", '-');
}

/* -1 means "all" to the kernel and is no id: negative values are refused. */
static bool parse(const IntrospectionName *names, const char *kind,
                  const char *text, int32_t *id, Error **errp)
{
    ERRP_GUARD();
    const IntrospectionName *row;
    unsigned int number;

    if (qemu_isdigit(text[0]) &&
        !qemu_strtoui(text, NULL, 0, &number) && number <= INT32_MAX) {
        *id = number;
        return true;
    }

    for (row = names; row->stem; row++) {
        g_autofree char *name = name_of(row);

        if (g_str_equal(name, text)) {
            *id = row->id;
            return true;
        }
    }

    error_setg(errp, "'%s' is neither the name nor the number of an"
               " introspection %s", text, kind);
    error_append_hint(errp, "Known names:");
    for (row = names; row->stem; row++) {
        g_autofree char *name = name_of(row);

        error_append_hint(errp, " %s", name);
    }
    error_append_hint(errp, "\n");
    return false;
}

bool introspection_parse_command(const char *text, int32_t *id, Error **errp)
{
    return parse(command_names, "command", text, id, errp);
}

bool introspection_parse_event(const char *text, int32_t *id, Error **errp)
{
    return parse(event_names, "event", text, id, errp);
}
