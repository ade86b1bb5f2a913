#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs for ever: the time limit ends it.
# lab: timeout=5

echo "waiting for nothing"
while :; do
	sleep 1000
done
