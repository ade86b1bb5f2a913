#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Switching a host to our modules and back: refused while a VM runs, with its
# process named and nothing touched; done else.
#
# lab: own timeout=120 cpus=2

here=$(cd "$(dirname "$0")" && pwd)
load=$here/kernel-load
[ -e "$load" ] || load=$here/../../kernel/load
qemu=${KVMI_QEMU:-qemu-system-x86_64}
vm=

skip()
{
	echo "skipped: $1" >&2
	exit 77
}

fail()
{
	echo "load_unload: $1" >&2
	[ ! -e "$folder/said" ] || cat "$folder/said" >&2
	exit 1
}

end_vm()
{
	[ -z "$vm" ] || kill -9 "$vm" 2>/dev/null
	wait 2>/dev/null
	vm=
}

# The script's words are kept for who reads them after.
switch()
{
	sh "$load" "$@" >"$folder/said" 2>&1
}

[ -e "$load" ] || skip "no kernel/load here"
command -v "$qemu" >/dev/null || skip "no QEMU here"
[ -e /sys/module/kvm/parameters/introspection ] ||
	skip "KVM has no introspection: load the modules"
folder=$(mktemp -d) || exit 1
trap 'end_vm; rm -rf "$folder"' EXIT

# Our modules in a folder of their own, as the build leaves them.
kernel=$(uname -r)
for name in kvm kvm-amd kvm-intel; do
	file=$(find "/lib/modules/$kernel" -name "$name.ko" | head -n 1)
	[ -z "$file" ] || cp "$file" "$folder/"
done
[ -e "$folder/kvm.ko" ] || skip "no kvm.ko below /lib/modules/$kernel"

switch status || fail "status fails"
grep -q 'with introspection' "$folder/said" || fail "status does not know ours"

"$qemu" -L "${KVMI_QEMU_DATA:-/usr/share/qemu}" -nodefaults -display none -M q35,accel=kvm -S \
	>"$folder/qemu" 2>&1 &
vm=$!
for _ in $(seq 100); do
	[ "$(cat /sys/module/kvm_*/refcnt)" = 0 ] || break
	sleep 0.1
done
for act in load unload; do
	switch $act "$folder" && fail "$act while a VM runs"
	grep -q "process $vm " "$folder/said" || fail "$act does not name the VM"
	kill -0 "$vm" || fail "$act ended the VM"
	[ -e /dev/kvm ] || fail "$act took KVM away"
done
end_vm

switch load "$folder" || fail "load fails"
switch status
grep -q 'with introspection' "$folder/said" || fail "load did not load ours"
switch unload || fail "unload fails"
[ -e /dev/kvm ] || fail "unload leaves no KVM"
switch load "$folder/none" && fail "load from nowhere succeeds"
[ -e /dev/kvm ] || fail "a load that fails takes KVM away"
exit 0
