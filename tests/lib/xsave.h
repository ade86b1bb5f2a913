/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The XSAVE area of a vCPU, as a tool gets it.
 */
#ifndef TESTS_LIB_XSAVE_H
#define TESTS_LIB_XSAVE_H

#include "event.h"

/* The 16 bytes of register XMMn in it. */
#define XSAVE_XMM(area, n)	((uint8_t *)(area) + 160 + 16 * (n))

/* That of the first vCPU. */
void xsave_get(struct peer *peer, struct kvmi_vcpu_get_xsave_reply *area);

#endif /* TESTS_LIB_XSAVE_H */
