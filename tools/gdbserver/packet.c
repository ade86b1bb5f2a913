// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets of gdb's remote protocol: $content#checksum, with '+' and '-' between
 * them until both sides agree to leave these out.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "packet.h"

#define CTRL_C		3
#define ESCAPE		'}'
#define ESCAPE_BIT	0x20
/* A gdb that takes nothing must not keep the guest waiting for ever. */
#define SEND_MS		5000

static const char digits[] = "0123456789abcdef";

void wire_init(struct gdb_wire *wire, int in, int out)
{
	memset(wire, 0, sizeof(*wire));
	wire->in = in;
	wire->out = out;
}

static int write_all(int fd, const char *data, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	ssize_t n;

	while (size) {
		if (poll(&p, 1, SEND_MS) == 0)
			return -ETIMEDOUT;
		n = write(fd, data, size);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

int wire_read(struct gdb_wire *wire)
{
	size_t room = sizeof(wire->input) - wire->input_size;
	ssize_t n;

	if (!room)
		return -EMSGSIZE;
	n = read(wire->in, wire->input + wire->input_size, room);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0)
		return n ? -errno : -ECONNRESET;
	wire->input_size += (size_t)n;
	return 0;
}

static void drop(struct gdb_wire *wire, size_t size)
{
	wire->input_size -= size;
	memmove(wire->input, wire->input + size, wire->input_size);
}

static int digit(int c)
{
	if (!isxdigit(c))
		return -EINVAL;
	return isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
}

static bool is_intact(const uint8_t *packet, size_t size)
{
	int high = digit(packet[size + 2]), low = digit(packet[size + 3]);
	uint8_t sum = 0;
	size_t i;

	for (i = 1; i <= size; i++)
		sum += packet[i];
	return high >= 0 && low >= 0 && sum == (high << 4 | low);
}

/* Content between '$' and '#', of which '}' takes the next byte along. */
static void unescape(struct gdb_wire *wire, const uint8_t *from, size_t size)
{
	size_t i, n = 0;

	for (i = 0; i < size; i++) {
		if (from[i] == ESCAPE && i + 1 < size)
			wire->packet[n++] = (char)(from[++i] ^ ESCAPE_BIT);
		else
			wire->packet[n++] = (char)from[i];
	}
	wire->packet[n] = '\0';
	wire->packet_size = n;
}

/* What is between packets. Returns whether a packet begins. */
static int take_mark(struct gdb_wire *wire)
{
	uint8_t c = wire->input[0];
	int err = 0;

	if (c == '$')
		return 1;
	if (c == CTRL_C)
		wire->is_interrupted = true;
	if (c == '-' && !wire->is_plain && wire->answer_size)
		err = write_all(wire->out, wire->answer, wire->answer_size);
	drop(wire, 1);
	return err;
}

int wire_take(struct gdb_wire *wire)
{
	const uint8_t *end;
	bool is_good;
	size_t size;
	int err = 0;

	while (wire->input_size && !err)
		err = take_mark(wire);
	if (err <= 0)
		return err;
	end = memchr(wire->input, '#', wire->input_size);
	if (!end)
		return wire->input_size == sizeof(wire->input) ? -EMSGSIZE : 0;
	size = (size_t)(end - wire->input) - 1;
	if (wire->input_size < size + 4)
		return wire->input_size == sizeof(wire->input) ? -EMSGSIZE : 0;

	is_good = wire->is_plain || is_intact(wire->input, size);
	if (is_good)
		unescape(wire, wire->input + 1, size);
	drop(wire, size + 4);
	if (!wire->is_plain)
		err = write_all(wire->out, is_good ? "+" : "-", 1);
	else
		err = 0;
	if (err)
		return err;
	return is_good ? 1 : wire_take(wire);
}

static bool needs_escape(uint8_t c)
{
	return c == '#' || c == '$' || c == '*' || c == ESCAPE;
}

int wire_send(struct gdb_wire *wire, const void *data, size_t size)
{
	const uint8_t *from = data;
	uint8_t sum = 0;
	size_t i, n = 0;

	if (size > GDB_PACKET)
		return -EMSGSIZE;
	wire->answer[n++] = '$';
	for (i = 0; i < size; i++) {
		if (needs_escape(from[i])) {
			wire->answer[n++] = ESCAPE;
			wire->answer[n++] = (char)(from[i] ^ ESCAPE_BIT);
		} else {
			wire->answer[n++] = (char)from[i];
		}
	}
	for (i = 1; i < n; i++)
		sum += (uint8_t)wire->answer[i];
	wire->answer[n++] = '#';
	wire->answer[n++] = digits[sum >> 4];
	wire->answer[n++] = digits[sum & 15];
	wire->answer_size = n;
	return write_all(wire->out, wire->answer, n);
}

int wire_say(struct gdb_wire *wire, const char *text)
{
	return wire_send(wire, text, strlen(text));
}

ssize_t wire_from_hex(const char *hex, uint8_t *to, size_t room)
{
	size_t n;

	for (n = 0; hex[2 * n]; n++) {
		int high = digit((uint8_t)hex[2 * n]);
		int low = high < 0 ? high : digit((uint8_t)hex[2 * n + 1]);

		if (low < 0 || n == room)
			return -EINVAL;
		to[n] = (uint8_t)(high << 4 | low);
	}
	return (ssize_t)n;
}

void wire_to_hex(const uint8_t *from, size_t size, char *hex)
{
	size_t i;

	for (i = 0; i < size; i++) {
		hex[2 * i] = digits[from[i] >> 4];
		hex[2 * i + 1] = digits[from[i] & 15];
	}
	hex[2 * size] = '\0';
}

int wire_number(const char **text, uint64_t *number)
{
	const char *at = *text;
	uint64_t value = 0;

	for (; digit((uint8_t)*at) >= 0; at++) {
		if (value >> 60)
			return -EINVAL;
		value = value << 4 | (uint64_t)digit((uint8_t)*at);
	}
	if (at == *text)
		return -EINVAL;
	*text = at;
	*number = value;
	return 0;
}
