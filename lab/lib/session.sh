# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Level 1 by hand: a shell on this terminal, or one that runs in the
# background until 'lab down' or its time limit.

CONSOLE=$RUN/console.sock

# Drop the result port's lines that only the harness needs.
drain_results()
{
	while read -r tag rest; do
		case $tag:$rest in
		ok:boot* | ok:end*) ;;
		ok:* | notok:* | skip:*) printf '%s %s\r\n' "$tag" "$rest" ;;
		esac
	done <"$RUN/result"
}

# Boot with the tests $@, then give a shell on this terminal.
shell_session()
{
	local name tests=none
	local -a list=()

	for name in "$@"; do
		list+=("$name $(limit_of "$name")")
		tests=list
	done
	make_initrd "${list[@]}"
	describe_machine "$cpus" "lab.shell=1 lab.tests=$tests" -serial mon:stdio
	if [ "$emulator_name" = bochs ]; then
		say LAB "level 1 boots in a minute or two; 'exit' ends it"
		drain_results &
		exec 5<&0
		start_machine "$timeout"
		wait "$emulator_pid" || :
		stop_machine
		wait
		return
	fi
	say LAB "level 1 boots; 'exit' ends it, so does Ctrl-a x"
	drain_results &
	setpriv --pdeathsig KILL timeout --foreground -k 5 "$timeout" \
		setpriv --pdeathsig KILL "${machine[@]}" 8>&- || :
	wait
}

session_pid()
{
	local pid

	[ -r "$RUN/session.pid" ] || return 1
	pid=$(cat "$RUN/session.pid")
	# A number can have a new owner: be sure it is ours.
	tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$RUN/initrd" || return 1
	echo "$pid"
}

session_up()
{
	local wait=0

	! session_pid >/dev/null || die "level 1 is up: 'lab attach' or 'lab down'"
	claim_lab
	rm -f "$RUN/result" "$CONSOLE"
	build_image "$variant" "$kernel_file" "$kmods"
	make_initrd
	describe_machine "$cpus" "lab.shell=1 lab.tests=none" \
		-chardev "socket,id=console,path=$CONSOLE,server=on,wait=off,logfile=$CONSOLE_LOG" \
		-serial chardev:console
	# It keeps the lock for its life: others wait for 'lab down'.
	setsid timeout -k 5 "$timeout" "${machine[@]}" \
		</dev/null >"$LOGS/lab-qemu.log" 2>&1 &
	echo $! >"$RUN/session.pid"
	until grep -qa 'This is level 1' "$CONSOLE_LOG" 2>/dev/null; do
		session_pid >/dev/null || [ $wait -lt 3 ] ||
			die "level 1 did not start: see build/log/lab-qemu.log"
		[ $((wait += 1)) -lt "$BOOT_LIMIT" ] || {
			session_down
			die "level 1 did not boot: see build/log/lab-console.log"
		}
		sleep 1
	done
	say LAB "level 1 is up for at most $timeout s: 'lab attach', 'lab down'"
}

session_attach()
{
	session_pid >/dev/null || die "level 1 is not up: 'lab up' first"
	command -v socat >/dev/null || die "socat is missing: run mk/install-packages lab"
	if [ -t 0 ]; then
		echo "(Ctrl-] leaves the console)"
		socat STDIO,raw,echo=0,escape=0x1d "UNIX-CONNECT:$CONSOLE"
	else
		socat -t 5 STDIO "UNIX-CONNECT:$CONSOLE"
	fi
}

session_log()
{
	[ -r "$CONSOLE_LOG" ] || die "nothing has run yet"
	cat "$CONSOLE_LOG"
}

session_down()
{
	local pid i

	pid=$(session_pid) || return 0
	kill "$pid"
	for ((i = 0; i < 50; i++)); do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	rm -f "$RUN/session.pid" "$CONSOLE"
	say LAB "level 1 is down"
}
