/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Halts for ever.
 */
#include "guest.h"

GUEST_BEGIN(halt)
1:	hlt
	jmp	1b
GUEST_END(halt)
