// SPDX-License-Identifier: GPL-2.0-or-later
/* The old interface's header and layout in C++. */
#include "layout.h"

/* Behind extern "C", so that a program links. */
extern "C" void *layout_cxx(void);

extern "C" void *layout_cxx(void)
{
	return reinterpret_cast<void *>(&kvmi_init_unix_socket);
}
