// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The handshake: what is said before KVM takes the socket.
 *
 * Exactly the bytes of the hello are read, never one more: what follows on the
 * stream comes from the kernel.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "clock.h"
#include "handshake.h"

/*
 * Where max_gpa stands an unmerged form of the hello has a count of at most
 * 255 memory areas. No guest has so little memory.
 */
#define MAX_GPA_MIN	4096

static size_t wanted_total(const struct hello *hello)
{
	size_t head = sizeof(hello->msg.struct_size);

	return hello->got < head ? head : hello->msg.struct_size;
}

size_t hello_wants(const struct hello *hello)
{
	return wanted_total(hello) - hello->got;
}

static bool is_possible_size(size_t size)
{
	return size >= KVMI_HANDSHAKE_HELLO_MIN && size <= KVMI_HANDSHAKE_MAX;
}

static struct kvmi_handshake_area row(const struct hello *hello, size_t index)
{
	struct kvmi_handshake_area row;

	memcpy(&row, hello->bytes + hello->tail.areas + index * sizeof(row),
	       sizeof(row));
	return row;
}

static int check_areas(const struct hello *hello)
{
	struct kvmi_handshake_area area;
	size_t i;

	for (i = 0; i < hello->tail.area_count; i++) {
		area = row(hello, i);
		if (area.gpa + area.size < area.gpa)
			return -EPROTO;
	}
	return 0;
}

/* A tail of the unmerged form, or of nobody we know, is dropped. */
static int read_tail(struct hello *hello)
{
	const size_t known = sizeof(hello->msg);
	int err;

	if (hello->got <= known || hello->msg.max_gpa < MAX_GPA_MIN ||
	    !tail_is_ours(hello->bytes, known, hello->got))
		return 0;
	err = tail_read(&hello->tail, hello->bytes, known, hello->got);
	return err ? err : check_areas(hello);
}

int hello_feed(struct hello *hello, const void *bytes, size_t size)
{
	memcpy(hello->bytes + hello->got, bytes, size);
	hello->got += size;
	if (hello->got < sizeof(hello->msg.struct_size))
		return 0;
	if (!is_possible_size(hello->msg.struct_size))
		return -EPROTO;
	return hello_wants(hello) ? 0 : read_tail(hello);
}

int hello_receive(struct hello *hello, int fd)
{
	uint8_t buf[512];
	size_t wants;
	ssize_t n;
	int err;

	while ((wants = hello_wants(hello))) {
		n = recv(fd, buf, wants < sizeof(buf) ? wants : sizeof(buf),
			 MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0)
			return -ECONNRESET;
		err = hello_feed(hello, buf, n);
		if (err)
			return err;
	}
	return 1;
}

int hello_receive_until(struct hello *hello, int fd, int64_t deadline)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int r;

	while (!(r = hello_receive(hello, fd))) {
		r = poll(&pfd, 1, clock_left(deadline));
		if (!r)
			return -ETIMEDOUT;
		if (r < 0 && errno != EINTR)
			return -errno;
	}
	return r < 0 ? r : 0;
}

static uint64_t max_gpa_of(const struct kvmi_qemu2introspector *msg)
{
	if (msg->struct_size < sizeof(*msg) || msg->max_gpa < MAX_GPA_MIN)
		return 0;
	return msg->max_gpa;
}

int hello_identity(const struct hello *hello, struct kvmi_identity *id)
{
	struct kvmi_identity full = { .size = id->size };

	if (id->size < sizeof(id->size))
		return -EINVAL;

	memcpy(full.uuid, hello->msg.uuid, sizeof(full.uuid));
	memcpy(full.name, hello->msg.name, sizeof(full.name));
	full.name[sizeof(full.name) - 1] = '\0';
	full.start_time = hello->msg.start_time;
	full.max_gpa = max_gpa_of(&hello->msg);

	memcpy(id, &full, id->size < sizeof(full) ? id->size : sizeof(full));
	return 0;
}

int hello_area(const struct hello *hello, unsigned int index,
	       struct kvmi_memory_area *area)
{
	struct kvmi_memory_area full = { .size = area->size };
	struct kvmi_handshake_area found;

	if (area->size < sizeof(area->size))
		return -EINVAL;
	if (index >= hello->tail.area_count)
		return -ENOENT;

	found = row(hello, index);
	full.gpa = found.gpa;
	full.length = found.size;
	full.type = found.type;
	memcpy(area, &full,
	       area->size < sizeof(full) ? area->size : sizeof(full));
	return 0;
}

bool hello_is_of(const struct hello *hello, const char *wanted)
{
	struct kvmi_identity id = { .size = sizeof(id) };
	uint8_t uuid[KVMI_UUID_SIZE];

	if (!wanted)
		return true;
	hello_identity(hello, &id);
	if (!kvmi_uuid_parse(wanted, uuid) &&
	    !memcmp(uuid, id.uuid, sizeof(uuid)))
		return true;
	return *wanted && !strcmp(wanted, id.name);
}
