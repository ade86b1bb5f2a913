# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Paths and words that all parts of the lab share.

BUILD=$TOP/build
LAB=$BUILD/lab
LOGS=$BUILD/log
RESULTS=${LAB_RESULTS:-$LAB/results}
LOCK=$TOP/lab/images.lock
RUNS=${LAB_RUNS:-$TOP/lab/runs}

mkdir -p "$LAB" "$LOGS" "$RESULTS"

colour=
if [ -t 1 ] && [ -z "${NO_COLOR-}" ] && [ "${TERM-dumb}" != dumb ]; then
	colour=1
fi

# paint CODE TEXT: coloured on a terminal, plain elsewhere.
paint()
{
	if [ -n "$colour" ]; then
		printf '\033[%sm%s\033[0m' "$1" "$2"
	else
		printf '%s' "$2"
	fi
}

# A line of progress may be there.
say()
{
	[ -z "$colour" ] || printf '\r\033[K'
	printf '  %-7s %s\n' "$1" "$2"
}

die()
{
	printf 'lab: %s\n' "$*" >&2
	exit 1
}

# Run a command quietly, its words in the log; with V=1 on the terminal too.
quietly()
{
	if [ -n "${V-}" ]; then
		echo "+ $*" >&2
		"$@" >&2
	else
		"$@" >>"$LOGS/lab.log" 2>&1 ||
			die "${1##*/} failed: see build/log/lab.log"
	fi
}

# Changes when one of the named files does.
fingerprint()
{
	{
		printf '%s\n' "$@"
		stat -L -c '%n %s %Y' "$@" 2>/dev/null || :
	} | sha256sum | cut -d' ' -f1
}

emulator()
{
	local own=$BUILD/qemu/install/bin/qemu-system-x86_64

	if [ -n "${LAB_QEMU-}" ]; then
		echo "$LAB_QEMU"
	elif [ -x "$own" ]; then
		echo "$own"
	else
		command -v qemu-system-x86_64 ||
			die "no emulator: run 'make qemu' first"
	fi
}
