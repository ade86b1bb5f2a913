/*
 * The guest's memory for a tool that wants to read it without KVM.
 *
 * What is shared is what is RAM in the guest's physical addresses, whatever
 * aliases put it there, but for the part below 1 MiB that firmware switches
 * between RAM and other things.  A session is told once; when it is no longer
 * true it ends, and the tool's next one is told anew.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "chardev/char-socket.h"
#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "exec/ramblock.h"
#include "hw/i386/e820_memory_layout.h"
#include <linux/kvmi.h>
#include "names.h"
#include "share.h"
#include "trace.h"

#define LEGACY_BEGIN 0xa0000
#define LEGACY_END   0x100000

/* What a ready has room for, and more than DIMMs and holes make. */
#define RANGES_MAX   1024

typedef struct Map {
    GArray *ranges;         /* struct kvmi_handshake_range */
    int fds[KVMI_HANDSHAKE_FDS_MAX];    /* QEMU's own */
    unsigned int fd_count;
    bool overflow;
    char *private;          /* RAM that no other process can map, or NULL */
} Map;

static bool is_main_memory(uint64_t gpa)
{
    uint64_t start, size;
    int i, n = e820_get_table(NULL);

    for (i = 0; i < n; i++) {
        if (e820_get_entry(i, E820_RAM, &start, &size) &&
            gpa >= start && gpa - start < size) {
            return true;
        }
    }
    return false;
}

static bool find_fd(Map *map, int fd, uint32_t *index)
{
    unsigned int i;

    for (i = 0; i < map->fd_count && map->fds[i] != fd; i++) {
        ;
    }
    if (i == KVMI_HANDSHAKE_FDS_MAX) {
        map->overflow = true;
        return false;
    }
    map->fds[i] = fd;
    map->fd_count = MAX(map->fd_count, i + 1);
    *index = i;
    return true;
}

static void add_range(Map *map, struct kvmi_handshake_range range)
{
    struct kvmi_handshake_range *last;

    if (map->ranges->len) {
        last = &g_array_index(map->ranges, struct kvmi_handshake_range,
                              map->ranges->len - 1);
        if (last->fd == range.fd && last->gpa + last->size == range.gpa &&
            last->offset + last->size == range.offset) {
            last->size += range.size;
            return;
        }
    }
    g_array_append_val(map->ranges, range);
}

/* The parts of a range below and above what changes its nature. */
static void add_around_legacy(Map *map, struct kvmi_handshake_range range)
{
    struct kvmi_handshake_range part = range;
    uint64_t end = range.gpa + range.size, skip;

    if (range.gpa < LEGACY_BEGIN) {
        part.size = MIN(end, LEGACY_BEGIN) - range.gpa;
        add_range(map, part);
    }
    if (end > LEGACY_END) {
        skip = range.gpa < LEGACY_END ? LEGACY_END - range.gpa : 0;
        part.gpa = range.gpa + skip;
        part.size = range.size - skip;
        part.offset = range.offset + skip;
        add_range(map, part);
    }
}

static bool take(Int128 start, Int128 len, const MemoryRegion *mr,
                 hwaddr offset, void *opaque)
{
    struct kvmi_handshake_range range = {
        .gpa = int128_get64(start),
        .size = int128_get64(len),
    };
    RAMBlock *block = mr->ram_block;
    Map *map = opaque;

    if (!memory_region_is_ram((MemoryRegion *)mr) || mr->rom_device ||
        memory_region_is_rom((MemoryRegion *)mr) || mr->ram_device) {
        return false;
    }
    if (qemu_ram_get_fd(block) < 0 || !qemu_ram_is_shared(block)) {
        if (!map->private && is_main_memory(range.gpa)) {
            map->private = g_strdup(memory_region_name(mr));
        }
        return false;
    }
    if (find_fd(map, qemu_ram_get_fd(block), &range.fd)) {
        range.offset = block->fd_offset + offset;
        add_around_legacy(map, range);
    }
    return false;
}

static void map_free(Map *map)
{
    g_array_unref(map->ranges);
    g_free(map->private);
    g_free(map);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Map, map_free)

static Map *map_now(void)
{
    Map *map = g_new0(Map, 1);

    map->ranges = g_array_new(false, true,
                              sizeof(struct kvmi_handshake_range));
    RCU_READ_LOCK_GUARD();
    flatview_for_each_range(address_space_to_flatview(&address_space_memory),
                            take, map);
    return map;
}

static bool same_map(const GArray *a, const GArray *b)
{
    return a->len == b->len &&
           !memcmp(a->data, b->data,
                   a->len * sizeof(struct kvmi_handshake_range));
}

static void introspection_share_commit(MemoryListener *listener)
{
    Introspection *s = container_of(listener, Introspection, memory_listener);
    g_autoptr(Map) map = NULL;

    if (!s->shared) {
        return;
    }
    map = map_now();
    if (!same_map(map->ranges, s->shared)) {
        trace_introspection_share_changed(introspection_id(s));
        qemu_bh_schedule(s->share_bh);
    }
}

static void introspection_share_changed(void *opaque)
{
    Introspection *s = opaque;

    if (s->shared) {
        introspection_cut(s, INTROSPECTION_REASON_MEMORY_CHANGED);
    }
}

static bool may_read(Introspection *s)
{
    strList *item;
    int32_t id;

    for (item = s->command; item; item = item->next) {
        if (introspection_parse_command(item->value, &id, NULL) &&
            id == KVMI_VM_READ_PHYSICAL) {
            return true;
        }
    }
    return !s->command;
}

static bool check_setup(Introspection *s, Error **errp)
{
    Chardev *chr = qemu_chr_fe_get_driver(&s->chr);
    SocketAddressType type = SOCKET_CHARDEV(chr)->addr->type;

    if (type != SOCKET_ADDRESS_TYPE_UNIX && type != SOCKET_ADDRESS_TYPE_FD) {
        error_setg(errp, "share-memory=on needs a UNIX socket: give chardev"
                   " '%s' a path", s->chardev);
        return false;
    }
    if (!may_read(s)) {
        error_setg(errp, "share-memory=on lets the tool read memory, which the"
                   " commands given do not: add command=vm-read-physical");
        return false;
    }
    return true;
}

bool introspection_share_start(Introspection *s, Error **errp)
{
    g_autoptr(Map) map = NULL;

    if (!s->share_memory) {
        return true;
    }
    if (!check_setup(s, errp)) {
        return false;
    }
    map = map_now();
    if (map->private) {
        error_setg(errp, "share-memory=on needs memory that other processes can"
                   " map, and '%s' is private: use -object memory-backend-memfd"
                   ",id=ram,size=...,share=on -machine memory-backend=ram",
                   map->private);
        return false;
    }
    s->share_bh = qemu_bh_new(introspection_share_changed, s);
    s->memory_listener = (MemoryListener) {
        .name = "introspection",
        .commit = introspection_share_commit,
    };
    memory_listener_register(&s->memory_listener, &address_space_memory);
    return true;
}

void introspection_share_destroy(Introspection *s)
{
    introspection_share_stop(s);
    if (s->share_bh) {
        memory_listener_unregister(&s->memory_listener);
        qemu_bh_delete(s->share_bh);
        s->share_bh = NULL;
    }
}

uint32_t introspection_share_features(Introspection *s)
{
    return s->share_memory ? KVMI_FEATURE_MEMORY : 0;
}

/* Another open file, which cannot be written to. */
static int open_read_only(int fd, Error **errp)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);

    return qemu_open(path, O_RDONLY, errp);
}

static void close_all(int *fds, int count)
{
    while (count) {
        close(fds[--count]);
    }
}

static int open_all(const Map *map, int *fds, Error **errp)
{
    unsigned int i;

    if (map->overflow || map->ranges->len > RANGES_MAX) {
        error_setg(errp, "the memory is in more than %d files or %d ranges, too"
                   " many to be shared", KVMI_HANDSHAKE_FDS_MAX, RANGES_MAX);
        return -1;
    }
    for (i = 0; i < map->fd_count; i++) {
        fds[i] = open_read_only(map->fds[i], errp);
        if (fds[i] < 0) {
            error_prepend(errp, "the memory cannot be shared: ");
            close_all(fds, i);
            return -1;
        }
    }
    return map->fd_count;
}

int introspection_share_append(Introspection *s, GByteArray *ready, int *fds,
                               Error **errp)
{
    g_autoptr(Map) map = map_now();
    int count = open_all(map, fds, errp);

    if (count < 0) {
        return -1;
    }
    handshake_append(ready, KVMI_RECORD_MEMORY, map->ranges->data,
                     map->ranges->len * sizeof(struct kvmi_handshake_range));
    introspection_share_stop(s);
    s->shared = g_array_ref(map->ranges);
    return count;
}

void introspection_share_stop(Introspection *s)
{
    g_clear_pointer(&s->shared, g_array_unref);
}
