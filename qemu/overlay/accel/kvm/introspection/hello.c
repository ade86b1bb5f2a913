/*
 * The hello: which VM this is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/uuid.h"
#include "hw/i386/e820_memory_layout.h"
#include "system/system.h"
#include "hello.h"
#include "trace.h"

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

bool introspection_send_hello(Introspection *s)
{
    struct kvmi_qemu2introspector hello;

    handshake_fill_hello(&hello, qemu_uuid.data, s->start_time,
                         qemu_get_vm_name(), introspection_max_gpa());
    trace_introspection_hello(introspection_id(s), hello.start_time,
                              hello.max_gpa);
    return qemu_chr_fe_write_all(&s->chr, (const uint8_t *)&hello,
                                 sizeof(hello)) == sizeof(hello);
}
