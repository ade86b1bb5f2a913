/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions that a tool can carry out with registers alone. */
#ifndef KVMI_TOOL_STEP_H
#define KVMI_TOOL_STEP_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of a NOP or ENDBR at the beginning of 64-bit code; 0: another. */
size_t step_size(const uint8_t *code, size_t size);

#endif
