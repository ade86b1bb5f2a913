/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions of the C library that a test makes fail: link with scarce_args. */
#ifndef KVMI_TEST_SCARCE_H
#define KVMI_TEST_SCARCE_H

#include <stdbool.h>

/* No memory for this thread, and no vsock for anyone, as long as they are set. */
extern __thread bool scarce_memory;
extern bool scarce_vsock;

#endif
