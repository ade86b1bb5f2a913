// SPDX-License-Identifier: GPL-2.0-only
/*
 * The XSAVE area of a vCPU, as a tool gets it.
 */
#include "xsave.h"

void xsave_get(struct peer *peer, struct kvmi_vcpu_get_xsave_reply *area)
{
	vcpu_command(peer, 0, KVMI_VCPU_GET_XSAVE, NULL, 0, area,
		     sizeof(*area));
}
