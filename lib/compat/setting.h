/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings: what is not in the old interface comes from the environment. */
#ifndef KVMI_COMPAT_SETTING_H
#define KVMI_COMPAT_SETTING_H

#include "native.h"

/* Fills @opts from the settings. The key is to be freed after its use. */
int setting_read(struct kvmi_options *opts);
void setting_free(struct kvmi_options *opts);

#endif
