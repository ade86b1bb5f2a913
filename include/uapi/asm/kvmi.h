/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/* For user space: forwards to the architecture's part of the contract. */
#include "../asm-x86/kvmi.h"
