#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Leaves a process in a session of its own.

setsid sleep 1000 >/dev/null 2>&1 &
sleep 1
