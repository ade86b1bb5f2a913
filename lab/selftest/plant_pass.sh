#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Passes, in a level 1 that replaced a dead one.

echo "cell plant_pass ok"
