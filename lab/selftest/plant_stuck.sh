#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A process in the kernel that no signal ends: level 1 is given up, and the
# tests after this one run in a new one.
# lab: timeout=5

modprobe plant stuck=1
