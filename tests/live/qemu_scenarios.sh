#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The tests of the QEMU object, qemu/tests, on a KVM that knows introspection:
# what only their fake kernel does they do on that, in here, too.
#
# lab: calm qemu python timeout=900

set -u

# The guests of 4 GiB touch little of it.
echo 1 >/proc/sys/vm/overcommit_memory
cd /lab/qemu-tests || exit 1
said=/tmp/scenarios
status=0
# shellcheck disable=SC2013 # words of one line
for program in $(cat programs); do
	SLOWNESS=5 python3 -B "$program.py" /usr/bin/qemu-system-x86_64 . \
		>"$said.$program" 2>&1 || status=1
	cat "$said.$program"
done
# What failed is to be seen at the end, too.
grep -h -A 4 '^  FAIL' $said.*
exit $status
