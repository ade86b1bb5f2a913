#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A stock guest with two vCPUs boots under KVM, shows its beacon and powers
# off by itself.
# lab: calm timeout=120

[ -e /dev/kvm ] || { echo "no /dev/kvm"; exit 1; }
/lab/guest -a beacon.seconds=2 >/tmp/console || { cat /tmp/console; exit 1; }
cat /tmp/console
grep -q 'guest: Linux .* is up on 2 vCPUs' /tmp/console || exit 1
grep -q 'beacon: at gva 0x[0-9a-f]* gpa 0x[1-9a-f]' /tmp/console || exit 1
grep -q 'beacon: all is well in the guest 2' /tmp/console || exit 1
grep -q 'guest: powering off' /tmp/console
