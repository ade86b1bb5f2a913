#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Dies of a signal.

kill -SEGV $$
