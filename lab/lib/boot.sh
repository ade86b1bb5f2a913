# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Start level 1 under an emulator and be sure that it ends.

RUN=$LAB/run
CONSOLE_LOG=$LOGS/lab-console.log

carriers=()

# The emulator's command line into the array $machine.
#	$1 cpus, $2 kernel arguments, rest: more options for QEMU
describe_machine()
{
	local qemu cpus=$1 append=$2 model=max,+svm,la57=${LAB_LA57:-off}

	shift 2
	if [ "$emulator_name" = bochs ]; then
		describe_bochs "$append"
		return
	fi
	# A thread for each CPU loses interrupts and runs stale code: docs/lab.rst.
	# Without these features KVM emulates what it otherwise skips or decodes.
	[ "${LAB_NRIPS:-1}" != 0 ] || model+=,-nrip-save,-decodeassists
	qemu=$(emulator) || exit 1
	machine=("$qemu" -L "$seabios/usr/share/seabios" -L "$blobs/usr/share/qemu"
		-nodefaults -no-user-config -display none -no-reboot -nic none
		-M q35
		-accel "tcg,thread=single,tb-size=512"
		-cpu "$model" -smp "$cpus" -m "${LAB_MEMORY:-4G}"
		-kernel "$vmlinuz" -initrd "$RUN/initrd"
		-append "console=ttyS0 loglevel=5 log_buf_len=4M panic=-1 oops=panic rcupdate.rcu_cpu_stall_timeout=60 $append"
		-device virtio-serial
		-chardev "file,id=result,path=$RUN/result"
		-device "virtserialport,chardev=result,name=lab.result"
		"$@")
}

# Join the parts and the list of tests $@ ("NAME LIMIT" each) into an initrd.
make_initrd()
{
	rm -rf "$RUN/list"
	mkdir -p "$RUN/list/lab"
	printf '%s\n' "$@" >"$RUN/list/lab/list"
	[ -z "$run_name" ] || run_field "$run_name" is has lacks >"$RUN/list/lab/facts"
	pack "$RUN/list" "$RUN/list.cpio"
	cat "${parts[@]}" "$RUN/list.cpio" >"$RUN/initrd"
}

# One level 1 of a processor at a time in one tree; others wait their turn.
claim_lab()
{
	mkdir -p "$RUN"
	exec 8>"$RUN/lock"
	if ! flock -n 8; then
		say LAB "another run holds the lab: waiting"
		flock -w "${LAB_WAIT:-3600}" 8 || die "the lab stays busy"
	fi
	rm -f "$RUN/result"
	mkfifo "$RUN/result"
}

# Start the machine in the background: $emulator_pid. Whatever ends this
# shell, even SIGKILL, ends the emulator; $1 seconds are its longest life. It
# holds the result port open from its first moment to its last.
start_machine()
{
	trap 'stop_machine; exit 130' INT TERM HUP
	trap stop_machine EXIT
	[ "$emulator_name" = qemu ] || connect_bochs "$command"
	setpriv --pdeathsig KILL timeout -k 5 "$1" \
		setpriv --pdeathsig KILL "${machine[@]}" \
		</dev/null >"$LOGS/lab-$emulator_name.log" 2>&1 \
		6>"$RUN/result" 8>&- 9>&- &
	emulator_pid=$!
}

stop_machine()
{
	local pid

	for pid in ${emulator_pid-} "${carriers[@]}"; do
		kill "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	done
	emulator_pid='' carriers=()
}
