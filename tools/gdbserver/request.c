// SPDX-License-Identifier: GPL-2.0-or-later
/* What gdb asks of memory, and where it wants the guest to stop. */
#include <sys/types.h>

#include "gdb.h"

#define READ_MAX	(GDB_PACKET / 2 - 8)

/* ADDRESS,LENGTH */
static bool read_range(const char **text, uint64_t *gva, uint64_t *size)
{
	return !wire_number(text, gva) && *(*text)++ == ',' &&
	       !wire_number(text, size);
}

void gdb_ask_memory(struct gdb *g, const char *text)
{
	static uint8_t bytes[READ_MAX];
	static char hex[2 * READ_MAX + 1];
	uint64_t gva, size;
	ssize_t n;

	if (!read_range(&text, &gva, &size) || !size || gva + size - 1 < gva) {
		wire_say(&g->wire, "E16");
		return;
	}
	n = gdb_read_memory(g, gva, bytes, size < READ_MAX ? size : READ_MAX);
	if (n <= 0) {
		wire_say(&g->wire, "E0e");
		return;
	}
	wire_to_hex(bytes, (size_t)n, hex);
	wire_say(&g->wire, hex);
}

/* M has digits, X has bytes, of which it may have none to ask for it. */
void gdb_change_memory(struct gdb *g, const char *text, bool is_hex)
{
	const char *end = g->wire.packet + g->wire.packet_size;
	static uint8_t bytes[GDB_PACKET];
	uint64_t gva, size;
	ssize_t n;

	if (!read_range(&text, &gva, &size) || *text++ != ':' ||
	    gva + size < gva) {
		wire_say(&g->wire, "E16");
		return;
	}
	if (is_hex) {
		n = wire_from_hex(text, bytes, sizeof(bytes));
	} else {
		n = end - text;
		memcpy(bytes, text, (size_t)n);
	}
	if (n < 0 || (uint64_t)n != size)
		wire_say(&g->wire, "E16");
	else
		wire_say(&g->wire, gdb_write_memory(g, gva, bytes, size) ?
			 "E0e" : "OK");
}

/* KIND,ADDRESS,SIZE; conditions may follow, which gdb was not promised. */
void gdb_change_point(struct gdb *g, const char *text, bool is_new)
{
	uint64_t kind, gva, size;
	int err;

	if (wire_number(&text, &kind) || *text++ != ',' ||
	    !read_range(&text, &gva, &size)) {
		wire_say(&g->wire, "E16");
		return;
	}
	if (kind > GDB_ACCESS) {
		wire_say(&g->wire, "");
		return;
	}
	err = (is_new ? gdb_insert : gdb_remove)(g, (enum gdb_kind)kind, gva,
						 size);
	wire_say(&g->wire, err ? "E0e" : "OK");
}
