// SPDX-License-Identifier: GPL-2.0-only
/*
 * The result port: whole lines, written at once. Where the emulator has no
 * virtio it is a serial line, which must not be a terminal then.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "runner.h"

static int port = -1;

int report_open(const char *path)
{
	struct termios line;

	port = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (port < 0)
		return -errno;
	if (!tcgetattr(port, &line)) {
		cfmakeraw(&line);
		cfsetspeed(&line, B115200);
		line.c_cflag |= CLOCAL;
		if (tcsetattr(port, TCSANOW, &line))
			return -errno;
	}
	return 0;
}

static void send_all(const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(port, data, size);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return;
		if (n > 0) {
			data += n;
			size -= n;
		}
	}
}

void report(const char *format, ...)
{
	char line[2048];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n] = '\n';
	send_all(line, n + 1);
}

/* One line of somebody else's text: what a terminal would obey is a dot. */
void report_text(const char *tag, const char *text, size_t size)
{
	char clean[1536];

	/* A guest's console ends its lines in carriage returns. */
	while (size && text[size - 1] == '\r')
		size--;
	if (size > sizeof(clean) - 1)
		size = sizeof(clean) - 1;
	for (size_t i = 0; i < size; i++) {
		unsigned char c = text[i];

		clean[i] = (c < 0x20 && c != '\t') || c == 0x7f ? '.' : c;
	}
	clean[size] = '\0';
	report("%s %s", tag, clean);
}
