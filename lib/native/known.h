/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The VMs that a listener has had a session with, to tell what became of them. */
#ifndef KVMI_NATIVE_KNOWN_H
#define KVMI_NATIVE_KNOWN_H

#include <kvmi/kvmi.h>

/* Of more the one that was not seen for the longest time is forgotten. */
#define KNOWN_MAX 256

struct known {
	unsigned int count;
	struct kvmi_identity list[KNOWN_MAX];	/* last seen last */
};

/*
 * Tells what has become of the VM, with its start time @before, and remembers what
 * it is @now. KVMI_RUN_OTHER: it is not known.
 */
enum kvmi_run known_note(struct known *known, const struct kvmi_identity *now,
			 int64_t *before);

#endif
