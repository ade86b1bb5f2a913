#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel warns while the test itself is content: the log fails it.

modprobe plant warn=1 && rmmod plant
