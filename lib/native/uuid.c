// SPDX-License-Identifier: LGPL-2.1-or-later
/* UUIDs and their text. */
#include <errno.h>
#include <stdio.h>

#include <kvmi/kvmi.h>

static bool has_dash_before(int byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void kvmi_uuid_format(const uint8_t uuid[KVMI_UUID_SIZE],
		      char text[KVMI_UUID_TEXT_SIZE])
{
	int i;

	for (i = 0; i < KVMI_UUID_SIZE; i++) {
		if (has_dash_before(i))
			*text++ = '-';
		snprintf(text, 3, "%02x", uuid[i]);
		text += 2;
	}
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -EINVAL;
}

int kvmi_uuid_parse(const char *text, uint8_t uuid[KVMI_UUID_SIZE])
{
	uint8_t bytes[KVMI_UUID_SIZE];
	int high, low, i;

	for (i = 0; i < KVMI_UUID_SIZE; i++) {
		if (has_dash_before(i) && *text++ != '-')
			return -EINVAL;
		high = digit(*text++);
		if (high < 0)
			return high;
		low = digit(*text++);
		if (low < 0)
			return low;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	if (*text)
		return -EINVAL;

	memcpy(uuid, bytes, sizeof(bytes));
	return 0;
}
