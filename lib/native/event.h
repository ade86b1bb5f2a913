/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An event, from its arrival until the program frees it. */
#ifndef KVMI_NATIVE_EVENT_H
#define KVMI_NATIVE_EVENT_H

#include <kvmi/kvmi.h>

struct kvmi_event {
	struct kvmi_event *next;
	const struct kvmi_vcpu_event *state;	/* in body; NULL: of the VM */
	const uint8_t *data;	/* in body */
	size_t size;		/* of data */
	uint32_t seq;
	uint16_t id;
	bool is_answered;	/* atomic */
	_Alignas(8) uint8_t body[];	/* what followed kvmi_event_hdr */
};

#endif
