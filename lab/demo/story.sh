#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The story of 'make demo', told from inside level 1. A line that begins with
# "== " opens a step, "-- " shows what was seen, ".. " is progress; the host
# side gives them their looks. Each step is checked against what the guest
# prints on its own console, not against what we wish.
# lab: own timeout=240

CONSOLE=/tmp/guest.console
LOG=/tmp/qemu.log
SOCKET=/tmp/kvmi.sock
NAME=demo-guest
UUID=5f1c0a52-3b0e-4c4e-9d5a-8a2f6d1b7c33
OLD='all is well in the guest'
NEW='goodbye, says the other side'

step()
{
	step=$1
	echo "== $1"
}

see()
{
	echo "-- $1"
}

fail()
{
	echo "!! $step: $1"
	for file in "$CONSOLE" "$LOG" /tmp/kvmi.err; do
		[ -s "$file" ] || continue
		echo "   last lines of ${file##*/}:"
		tail -n 8 "$file" | sed 's/^/   /'
	done
	kill "$guest" 2>/dev/null
	exit 1
}

# wait_for SECONDS PATTERN: until the guest's console shows it.
wait_for()
{
	left=$1
	until grep -q -- "$2" "$CONSOLE"; do
		kill -0 "$guest" 2>/dev/null || fail "the guest ended too early"
		[ "$left" -gt 0 ] || fail "the guest's console never showed: $2"
		left=$((left - 1))
		echo ".. waiting for the guest, $left s left"
		sleep 1
	done
}

# One command of the tool; it listens, QEMU calls, the guest is let go after.
kvmi_run()
{
	verb=$1
	shift
	timeout 60 kvmi "$verb" -s "$SOCKET" "$@" 2>/tmp/kvmi.err ||
		fail "kvmi $verb failed: $(head -n 1 /tmp/kvmi.err)"
}

beats()
{
	grep -c '^beacon: .* [0-9]' "$CONSOLE"
}

guest=
step "A host: Debian's own kernel, KVM replaced by our modules"
grep -q . /sys/module/kvm/parameters/introspection 2>/dev/null ||
	fail "kvm.ko has no parameter 'introspection': not our module"
see "Linux $(uname -r), kvm.introspection=$(cat /sys/module/kvm/parameters/introspection)"
[ -c /dev/kvm ] || fail "no /dev/kvm"

step "A guest: stock Debian kernel, two vCPUs, nothing of ours inside"
/lab/guest -name "$NAME" -uuid "$UUID" \
	-chardev "socket,id=door,path=$SOCKET,reconnect-ms=200" \
	-object introspection,id=eye,chardev=door \
	>"$CONSOLE" 2>"$LOG" </dev/null &
guest=$!
wait_for 90 '^guest: Linux'
see "$(sed -n 's/^guest: //p' "$CONSOLE" | head -n 1 | tr -d '\r')"
wait_for 30 "^beacon: $OLD 2"
see "a program in it prints: $(sed -n 's/^beacon: \(.* [0-9]*\)\r*$/\1/p' "$CONSOLE" | tail -n 1)"

step "The tool accepts the guest and learns who it is"
kvmi_run info >/tmp/info
# What follows the empty line are the tables of what is allowed.
sed '/^$/,$d; s/^/-- /' /tmp/info
grep -q "$NAME" /tmp/info || fail "the name $NAME is not in its answer"
grep -qi "$UUID" /tmp/info || fail "the UUID $UUID is not in its answer"

step "It finds the kernel's version in the guest's memory"
kvmi_run search --first 'Linux version 6.' >/tmp/search
gpa=$(grep -oE '0x[0-9a-f]+' /tmp/search | head -n 1)
[ -n "$gpa" ] || fail "the banner was not found"
kvmi_run read --raw "$gpa" 120 | tr -d '\0' | head -n 1 >/tmp/banner
see "at $gpa: $(cut -c1-60 /tmp/banner)"
release=$(sed -n 's/^guest: Linux \([^ ]*\) .*/\1/p' "$CONSOLE" | head -n 1)
grep -q "Linux version $release " /tmp/banner ||
	fail "memory does not say what the guest's uname says: $release"
see "the guest's own uname agrees: $release"

step "It changes the string behind the program's back"
gpa=$(sed -n 's/^beacon: at .* gpa \(0x[0-9a-f]*\).*/\1/p' "$CONSOLE")
[ -n "$gpa" ] || fail "the program did not tell its address"
[ ${#NEW} -gt ${#OLD} ] || fail "the new string would not cover the old one"
kvmi_run write --string "$NEW" "$gpa" >/tmp/write
see "$(cat /tmp/write)"
wait_for 20 "^beacon: $NEW"
see "the program now prints: $(sed -n 's/^beacon: \(.* [0-9]*\)\r*$/\1/p' "$CONSOLE" | tail -n 1)"

step "The tool is gone; the guest goes on and powers off by itself"
before=$(beats)
wait_for 30 '^guest: powering off'
after=$(beats)
[ "$after" -gt "$before" ] || fail "not one line after the tool had left"
see "$((after - before)) more lines, then: $(grep '^guest: powering' "$CONSOLE" | tr -d '\r')"
left=20
while kill -0 "$guest" 2>/dev/null; do
	[ "$left" -gt 0 ] || fail "QEMU does not end"
	left=$((left - 1))
	sleep 1
done
wait "$guest" || fail "QEMU ended with code $?"
see "QEMU ended with code 0"
