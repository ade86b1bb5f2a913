/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kinds of events: what the table says about each. */
#ifndef KVMI_NATIVE_KIND_H
#define KVMI_NATIVE_KIND_H

#include <stdbool.h>
#include <stddef.h>

struct event_kind {
	unsigned int id;
	bool is_vcpu;
	size_t data;		/* bytes of the event, at least */
	size_t reply;		/* bytes of the reply */
	const char *actions;	/* words */
};

/* NULL if the protocol has no such event. */
const struct event_kind *event_kind_find(unsigned int id);
bool event_kind_allows(const struct event_kind *kind, unsigned int action);

#endif
