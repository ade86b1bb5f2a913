// SPDX-License-Identifier: GPL-2.0-or-later
/* The contract and the public header, as C++ sees them. */
#include <kvmi/kvmi.h>
#include <kvmi/assert.h>

extern "C" int wire_cxx_version(void);

extern "C" int wire_cxx_version(void)
{
	struct kvmi_options opts;

	kvmi_options_init(&opts);
	return opts.size == sizeof(opts) ? KVMI_VERSION : 0;
}
