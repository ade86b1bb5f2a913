/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The native library, which is linked into this one, and the old interface in
 * one file. They have two names in common; here the old ones give way.
 */
#ifndef KVMI_COMPAT_NATIVE_H
#define KVMI_COMPAT_NATIVE_H

/* The copy in this library was compiled with this name. */
#define kvmi_get_version kvmi_native_get_version
#include <kvmi/kvmi.h>

#include "clock.h"
#include "event.h"
#include "vm.h"
#undef kvmi_get_version

#define kvmi_event kvmi_v1_event
#include <libkvmi.h>
#undef kvmi_event

#endif
