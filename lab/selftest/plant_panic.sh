#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel dies: level 1 goes away, and the tests after this one run in a
# new one.

echo c >/proc/sysrq-trigger
