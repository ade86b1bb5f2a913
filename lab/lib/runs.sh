# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs with a name: live tests in a level 1 that has a property, as lab/runs
# tells. Level 1 looks itself whether it has it, before the first test.

run_name='' run_kernel='' untrue=''
declare -A exits=()

# Run $1's lines of the other fields: the field and the rest for several of
# them, the rest alone for one.
run_field()
{
	local name=$1

	shift
	awk -v run="$name" -v fields=" $* " '
		$1 == "run" { here = $2 == run }
		here && index(fields, " " $1 " ") {
			if (split(fields, many) == 1)
				sub(/^[ \t]*[^ \t]+[ \t]*/, "")
			print
		}' "$RUNS"
}

# All runs of processor $1, by name.
run_names()
{
	awk -v cpu="$1" '
		$1 == "run" { name = $2 }
		$1 == "cpu" && $2 == cpu { print name }' "$RUNS"
}

# Become run $1: its processor, its parameters, and its tests unless some are
# named.
load_run()
{
	local word

	[ "$(run_field "$1" cpu)" = "$processor" ] ||
		die "$processor has no run '$1', but: $(run_names "$processor" | paste -sd' ')"
	run_name=$1
	RESULTS=${LAB_RESULTS:-$LAB/results-$processor}-$1
	mkdir -p "$RESULTS"
	run_kernel=$(run_field "$1" kernel | paste -sd' ')
	word=$(run_field "$1" model)
	[ -z "$word" ] || export LAB_CPU_MODEL="${LAB_CPU_MODEL:-$word}"
	for word in $(run_field "$1" env); do
		export "${word?}"
	done
	[ ${#tests[@]} -gt 0 ] || mapfile -t tests < <(run_field "$1" tests | xargs -n 1)
}

# "yes FILE VERB VALUE"
take_fact()
{
	local yes path verb value

	read -r yes path verb value <<<"$1"
	[ "$yes" = yes ] || untrue="the run is not what its name says: not so: $path $verb $value"
	say "${yes^^}" "$path $verb $value" | tee -a "$RESULTS/facts"
}

# "REASON COUNT", of one boot
take_exits()
{
	local reason count

	read -r reason count <<<"$1"
	exits[$reason]=$((${exits[$reason]:-0} + count))
}

# Each way out of a guest that the run is about was taken.
judge_exits()
{
	local reason words

	while read -r reason words; do
		say EXITS "${exits[$reason]:-0} for $words ($reason)" |
			tee -a "$RESULTS/facts"
		[ -n "${exits[$reason]-}" ] ||
			settle notok "$run_name" 0 "no guest was left for $words"
	done < <(run_field "$run_name" exit)
}
