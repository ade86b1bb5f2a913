# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Run tests in level 1 and judge what comes over the result port.

BOOT_LIMIT=180		# seconds from power-on to the runner's first word
SLACK=60		# seconds beyond a test's own limit
PATIENCE=${LAB_PATIENCE:-1}
STRESS=${STRESS:-0}	# seconds of a test under load; 0: as the test has it
PACE=1			# most seconds here for one second of level 1's clock

passed=0 failed=0 skipped=0 dirty=0
kernel='?' params=''
declare -A verdict=()

# The source of test $1, where its wishes are written.
test_source()
{
	local file

	for file in "$TOP/tests/live/$1".{c,sh} "$TOP/lab/selftest/$1.sh" "$TOP/lab/demo/$1.sh"; do
		[ -e "$file" ] && echo "$file" && return
	done
	return 1
}

# A wish is a comment in the test's source: "lab: own timeout=90 cpus=1", or
# "lab: own params=kvm_intel.ept=0".
wish()
{
	local file

	file=$(test_source "$1") || return 0
	sed -nE 's/^[ */#]*lab: (.*)/ \1 /p' "$file" |
		grep -oE "[ ]$2(=[^ ]+)?[ ]" | head -n 1 | tr -d ' ' | sed 's/^[^=]*=//' || :
}

# Not for parameters alone, where the run has them.
wants_own()
{
	local words

	words=$(wish "$1" params)
	[ -z "$words" ] || [[ " $run_kernel " != *" $words "* ]] || return 1
	[ -n "$(wish "$1" own)" ] ||
		grep -qxF "$1" "$TOP/tests/live/own-lab" 2>/dev/null
}

limit_of()
{
	local limit

	limit=$(wish "$1" timeout)
	echo $(((${limit:-60} + STRESS) * PATIENCE))
}

# All live tests, by name.
all_tests()
{
	find_tests | sed -nE 's,^.*/tests/live/([^/]*)$,\1,p' | sed 's/\.sh$//'
}

# Whether test $1 is one of the short list: it proves a cell of the matrix, or
# has the wish "short".
in_short_list()
{
	[ -n "$(wish "$1" short)" ] ||
		grep -q '[^a-z_]cell(' "$(test_source "$1")"
}

# Whether test $1 is one of the part that was asked for.
in_part()
{
	local aside

	aside=$(wish "$1" aside)
	case $part in
	main) [ -z "$aside" ] ;;
	aside) [ -n "$aside" ] ;;
	esac
}

# Those to run when none is named.
default_tests()
{
	local name

	all_tests | while read -r name; do
		[ "$emulator_name" = qemu ] || [ -n "$all" ] ||
			! want_qemu "$name" || continue
		[ -z "$short" ] || in_short_list "$name" || continue
		in_part "$name" || continue
		echo "$name"
	done
}

settle()
{
	local word=$1 name=$2 seconds=$3 reason=$4

	verdict[$name]="$word $reason"
	echo "$word $name" >>"$RESULTS/verdicts"
	case $word in
	ok)
		passed=$((passed + 1))
		word=$(paint 32 ok)
		;;
	skip)
		skipped=$((skipped + 1))
		word=$(paint 33 skip)
		;;
	*)
		failed=$((failed + 1))
		word=$(paint 31 'not ok')
		reason="${reason:-failed}: ${RESULTS#"$TOP/"}/$name.log"
		;;
	esac
	case $reason in
	*'kernel log'*) dirty=$((dirty + 1)) ;;
	esac
	printf '%s %s %s s%s\n' "$word" "$name" "$seconds" "${reason:+ $reason}"
	case $1 in
	ok | skip) ;;
	*) show_why "$name" ;;
	esac
}

# The log may be gone when somebody comes to look: its end goes with the verdict.
show_why()
{
	[ ! -s "$RESULTS/$1.log" ] ||
		grep -v '^.klog' "$RESULTS/$1.log" | tail -n 8 | sed 's/^/    | /'
}

# Read lines of the result port on descriptor 7. Returns 0 when all tests of
# this boot reported; else 1, and $gone says how level 1 left $current, the
# test it was in.
listen()
{
	local tag rest name limit=$((BOOT_LIMIT * PATIENCE * PACE)) log=$RESULTS/boot.log code=0

	current=boot
	: >"$log"
	while :; do
		read -r -t "$limit" tag rest <&7 || {
			code=$?
			break
		}
		case $tag in
		hello)
			kernel=$rest
			;;
		start)
			read -r name limit <<<"$rest"
			limit=$(((limit + SLACK * PATIENCE) * PACE))
			current=$name
			log=$RESULTS/$name.log
			: >"$log"
			;;
		out)
			echo "$rest" >>"$log"
			case $rest in
			'cell '*) echo "${rest#cell } $current" >>"$RESULTS/cells" ;;
			esac
			show_output "$rest"
			;;
		klog | dirt)
			echo "[$tag] $rest" >>"$log"
			;;
		fact)
			take_fact "$rest"
			;;
		exits)
			take_exits "$rest"
			;;
		ok | notok | skip)
			read -r name seconds reason <<<"$rest"
			case $name:$tag in
			boot:ok | end:ok) ;;
			*) settle "$tag" "$name" "$seconds" "$reason" ;;
			esac
			current=
			limit=$((SLACK * PATIENCE * PACE))
			;;
		done)
			return 0
			;;
		broken)
			current=
			return 1
			;;
		esac
	done
	# Bash tells a time limit from an end of file by a code beyond 128.
	gone="level 1 went away"
	[ $code -le 128 ] || gone="level 1 gave no sign of life for $limit s"
	return 1
}

# A hook for those who show output while it comes: see demo.sh.
show_output()
{
	[ -z "${V-}" ] || printf '    %s\n' "$1"
}

# Boot once with the tests $@; those not reported are left in $left.
boot_and_listen()
{
	local name stress=
	local -a list=()

	for name in "$@"; do
		list+=("$name $(limit_of "$name")")
	done
	make_initrd "${list[@]}"
	[ "$STRESS" = 0 ] || stress=" lab.stress=$STRESS"
	describe_machine "$cpus" "$run_kernel $params$stress lab.patience=$PATIENCE" \
		-chardev "file,id=console,path=$CONSOLE_LOG" \
		-serial chardev:console
	say LAB "level 1 boots ($emulator_words, $cpus CPUs, $variant modules, $# tests)"
	start_machine "$timeout"
	exec 7<"$RUN/result"
	if ! listen && [ -n "$current" ]; then
		settle notok "$current" '?' "$gone"
		grep -aE 'Oops|panic|BUG|RIP: 0010|Call Trace' "$CONSOLE_LOG" |
			sed 's/^/[console] /' | head -n 40 >>"$RESULTS/$current.log" || :
	fi
	exec 7<&-
	stop_machine
	left=()
	for name in "$@"; do
		[ -n "${verdict[$name]-}" ] || left+=("$name")
	done
}

# Boot level 1 with $1 CPUs for all of the rest; one that died is replaced.
run_shared()
{
	local common=$cpus
	local -a waiting=()

	cpus=$1
	shift
	waiting=("$@")
	while [ ${#waiting[@]} -gt 0 ] && [ -z "$untrue" ]; do
		boot_and_listen "${waiting[@]}"
		[ ${#left[@]} -lt ${#waiting[@]} ] || break
		waiting=("${left[@]}")
	done
	cpus=$common
}

run_own()
{
	local own_cpus

	own_cpus=$(wish "$1" cpus)
	# The kernel keeps a module's parameter until the module is loaded.
	params=$(wish "$1" params)
	[ "$emulator_name" = bochs ] && own_cpus=''
	run_shared "${own_cpus:-$cpus}" "$1"
	params=
}

# Run all of $@, in as few boots as they allow. A test that is "calm" boots a
# whole guest with two vCPUs: it shares a level 1 with one CPU, as such a guest
# hardly gets anywhere where two take turns.
run_tests()
{
	local name begin=$SECONDS
	local -a shared=() calm=() own=()

	for name in "$@"; do
		if wants_own "$name"; then
			own+=("$name")
		elif [ -n "$(wish "$name" calm)" ]; then
			calm+=("$name")
		else
			shared+=("$name")
		fi
	done
	rm -f "$RESULTS"/*.log "$RESULTS"/{cells,facts,summary,verdicts}
	touch "$RESULTS/cells"
	run_shared "$cpus" "${shared[@]}"
	run_shared 1 "${calm[@]}"
	for name in "${own[@]}"; do
		run_own "$name"
	done
	elapsed=$((SECONDS - begin))
	for name in "$@"; do
		[ -n "${verdict[$name]-}" ] ||
			settle notok "$name" 0 "${untrue:-did not report}"
	done
	[ -z "$run_name" ] || judge_exits
}

summary()
{
	local log=clean

	[ "$dirty" -eq 0 ] || log="dirty ($dirty)"
	printf '%s: %d passed, %d failed, %d skipped; log %s; %s, kernel %s, %d s\n' \
		"lab${run_name:+ run $run_name}" "$passed" "$failed" "$skipped" "$log" "$emulator_words" \
		"$kernel" "$elapsed" |
		tee "$RESULTS/summary"
	[ "$failed" -eq 0 ]
}
