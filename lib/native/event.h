/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An event, from its arrival until the program frees it. */
#ifndef KVMI_NATIVE_EVENT_H
#define KVMI_NATIVE_EVENT_H

#include <kvmi/kvmi.h>

#include "channel.h"

struct kvmi_event {
	struct kvmi_event *next;
	const struct kvmi_vcpu_event *state;	/* in body; NULL: of the VM */
	const uint8_t *data;	/* in body */
	size_t size;		/* of data */
	uint32_t seq;
	uint32_t id;
	bool is_answered;	/* atomic */
	_Alignas(8) uint8_t body[];	/* what followed kvmi_event_hdr */
};

/* An event of the library itself. NULL: no memory. */
struct kvmi_event *event_create_own(enum kvmi_own_event id, const void *data,
				    size_t size);
/* Behind all others, with lock held. */
void event_append(struct channel *ch, struct kvmi_event *event);
/* Before all others. */
void event_prepend(struct channel *ch, struct kvmi_event *event);
/* The last one of the session, if it was prepared, with lock held. */
void event_tell_end(struct channel *ch);

#endif
