// SPDX-License-Identifier: LGPL-2.1-or-later
/* Identities: what has become of a VM that was known before. */
#include <stdbool.h>

#include <kvmi/kvmi.h>

static struct kvmi_identity complete(const struct kvmi_identity *id)
{
	struct kvmi_identity full = { 0 };

	memcpy(&full, id, id->size < sizeof(full) ? id->size : sizeof(full));
	return full;
}

/* One without UUID has only its name. */
static bool is_same_vm(const struct kvmi_identity *a,
		       const struct kvmi_identity *b)
{
	static const uint8_t none[KVMI_UUID_SIZE];

	if (memcmp(a->uuid, b->uuid, sizeof(a->uuid)))
		return false;
	return memcmp(a->uuid, none, sizeof(none)) ||
	       !strncmp(a->name, b->name, sizeof(a->name));
}

enum kvmi_run kvmi_identity_compare(const struct kvmi_identity *before,
				    const struct kvmi_identity *now)
{
	const struct kvmi_identity a = complete(before), b = complete(now);

	if (!is_same_vm(&a, &b))
		return KVMI_RUN_OTHER;
	if (!a.start_time || !b.start_time)
		return KVMI_RUN_UNKNOWN;
	if (a.start_time == b.start_time)
		return KVMI_RUN_SAME;
	return a.start_time < b.start_time ? KVMI_RUN_NEWER : KVMI_RUN_OLDER;
}
