/*
 * The introspection object's properties.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ACCEL_KVM_INTROSPECTION_PROPERTIES_H
#define ACCEL_KVM_INTROSPECTION_PROPERTIES_H

#include "qom/object.h"

/**
 * introspection_add_properties:
 * @oc: the class of the introspection object
 */
void introspection_add_properties(ObjectClass *oc);

#endif
