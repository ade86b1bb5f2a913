/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets of gdb's remote protocol on a stream. */
#ifndef KVMI_TOOL_GDB_PACKET_H
#define KVMI_TOOL_GDB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Bytes between '$' and '#', in either direction. */
#define GDB_PACKET	16384

struct gdb_wire {
	int in, out;		/* descriptors, -1: nobody */
	bool is_plain;		/* without acknowledgements */
	bool is_interrupted;	/* Ctrl-C came */
	uint8_t input[GDB_PACKET + 4];
	size_t input_size;
	char packet[GDB_PACKET + 1];	/* that was taken last, and a NUL */
	size_t packet_size;
	char answer[2 * GDB_PACKET + 4]; /* that was sent last */
	size_t answer_size;
};

void wire_init(struct gdb_wire *wire, int in, int out);
/* Reads what is there. -ECONNRESET: the other side is gone; -errno. */
int wire_read(struct gdb_wire *wire);
/*
 * Takes the next packet from what was read, and acknowledges it.
 * Returns 1: it is in packet; 0: there is none; -errno.
 */
int wire_take(struct gdb_wire *wire);
/* Sends a packet of at most GDB_PACKET bytes. Nothing to do after an error. */
int wire_send(struct gdb_wire *wire, const void *data, size_t size);
int wire_say(struct gdb_wire *wire, const char *text);

/* Hexadecimal digits; returns the bytes, or -EINVAL. */
ssize_t wire_from_hex(const char *hex, uint8_t *to, size_t room);
/* Writes 2 * size digits and a NUL. */
void wire_to_hex(const uint8_t *from, size_t size, char *hex);
/* A number without 0x; moves @text behind it. -EINVAL: there is none. */
int wire_number(const char **text, uint64_t *number);

#endif
