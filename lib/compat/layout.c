// SPDX-License-Identifier: LGPL-2.1-or-later
/* The layout that programs were compiled with, asserted. */
#include "layout.h"
