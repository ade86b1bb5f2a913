// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers, MSRs, bytes and files from the command line. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "kvmi.h"

static int shift_of(const char *suffix)
{
	static const char units[] = "KMGT";
	const char *unit;

	if (!*suffix)
		return 0;
	unit = strchr(units, toupper((unsigned char)*suffix));
	if (!unit || suffix[1])
		return -EINVAL;
	return (int)(unit - units + 1) * 10;
}

int parse_number(const char *text, uint64_t *number)
{
	unsigned long long value;
	char *end;
	int shift;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno)
		return -ERANGE;

	shift = shift_of(end);
	if (shift < 0)
		return shift;
	if (value << shift >> shift != value)
		return -ERANGE;
	*number = value << shift;
	return 0;
}

static int digit(char c)
{
	if (!isxdigit((unsigned char)c))
		return -EINVAL;
	return isdigit((unsigned char)c) ? c - '0' :
					   tolower((unsigned char)c) - 'a' + 10;
}

static int parse_bytes(const char *text, uint8_t *bytes, size_t *size)
{
	size_t n = 0;

	for (; *text; text++) {
		if (*text == ' ' || *text == ':')
			continue;
		if (digit(text[0]) < 0 || digit(text[1]) < 0)
			return -EINVAL;
		bytes[n++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
		text++;
	}
	*size = n;
	return n ? 0 : -EINVAL;
}

int parse_hex(const char *text, uint8_t **data, size_t *size)
{
	uint8_t *bytes;
	int err;

	if (!strncmp(text, "0x", 2))
		text += 2;
	bytes = malloc(strlen(text) / 2 + 1);
	if (!bytes)
		return -ENOMEM;

	err = parse_bytes(text, bytes, size);
	if (err) {
		free(bytes);
		return err;
	}
	*data = bytes;
	return 0;
}

static int read_all(int fd, uint8_t *bytes, size_t max, size_t *size)
{
	size_t fill = 0;
	ssize_t n;

	while ((n = read(fd, bytes + fill, max - fill)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		fill += (size_t)n;
		if (fill == max)
			return -EFBIG;
	}
	*size = fill;
	return 0;
}

int read_file(const char *path, size_t max, uint8_t **data, size_t *size)
{
	uint8_t *bytes;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	bytes = malloc(max + 1);
	err = bytes ? read_all(fd, bytes, max + 1, size) : -ENOMEM;
	close(fd);
	if (err) {
		free(bytes);
		return err;
	}
	*data = bytes;
	return 0;
}

static const struct {
	const char *name;
	uint32_t index;
} msrs[] = {
	{ "tsc", 0x10 }, { "apic_base", 0x1b }, { "sysenter_cs", 0x174 },
	{ "sysenter_esp", 0x175 }, { "sysenter_eip", 0x176 },
	{ "misc_enable", 0x1a0 }, { "pat", 0x277 }, { "efer", 0xc0000080 },
	{ "star", 0xc0000081 }, { "lstar", 0xc0000082 },
	{ "cstar", 0xc0000083 }, { "sfmask", 0xc0000084 },
	{ "fs_base", 0xc0000100 }, { "gs_base", 0xc0000101 },
	{ "kernel_gs_base", 0xc0000102 }, { "tsc_aux", 0xc0000103 },
};

int parse_msr(const char *text, uint32_t *msr)
{
	uint64_t number;
	size_t i;

	for (i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++) {
		if (strcasecmp(msrs[i].name, text))
			continue;
		*msr = msrs[i].index;
		return 0;
	}
	if (parse_number(text, &number) || number > UINT32_MAX)
		return -EINVAL;
	*msr = (uint32_t)number;
	return 0;
}

const char *msr_name(uint32_t msr)
{
	size_t i;

	for (i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++)
		if (msrs[i].index == msr)
			return msrs[i].name;
	return NULL;
}
