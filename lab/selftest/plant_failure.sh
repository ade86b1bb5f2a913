#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Fails by its exit code.

echo "this test fails"
exit 3
