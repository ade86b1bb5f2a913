# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 'make demo': run lab/demo/story.sh in a level 1 and show it as a story.

BOCHS_PATIENCE=4	# a second there has some quarter of the work of one here

# A line that the next one overwrites; nothing where that cannot work.
progress()
{
	[ -z "$colour" ] || printf '\r\033[K    %s' "$1"
}

# Level 1 is silent until its first process runs. Ends with this shell.
tick()
{
	while kill -0 $$ 2>/dev/null; do
		progress "for $((SECONDS - begin)) s"
		sleep 1
	done
}

stop_ticking()
{
	[ -n "$ticker" ] || return 0
	kill "$ticker" 2>/dev/null
	wait "$ticker" 2>/dev/null || :
	ticker=
}

show_step()
{
	stop_ticking
	[ -z "$colour" ] || printf '\r\033[K'
	case $1 in
	'== '*)
		steps=$((steps + 1))
		printf '\n%s\n' "$(paint '1' "$steps. ${1#== }")"
		;;
	'-- '*) printf '   %s %s\n' "$(paint 32 '|')" "${1#-- }" ;;
	'.. '*) progress "${1#.. }" ;;
	'!! '*) broken=${1#!! } ;;
	*) printf '   %s\n' "$1" ;;
	esac
}

demo()
{
	local begin=$SECONDS steps=0 broken='' ticker='' wait='some seconds'

	[ "$variant" = ours ] || die "the demo needs our modules: run 'make modules' first"
	build_image ours '' '' story
	[ -e "${parts[-1]}" ] || exit 1
	show_output() { show_step "$1"; }
	settle() { verdict[$2]="$1 $4"; }
	rm -f "$RESULTS"/*.log
	if [ "$emulator_name" = bochs ]; then
		PATIENCE=$((PATIENCE * BOCHS_PATIENCE))
		wait='two minutes or more'
	fi
	printf '\n%s\n' "$(paint '1' "A host in a box boots; this takes $wait")"
	tick &
	ticker=$!
	run_shared 1 story
	stop_ticking
	printf '\n'
	case ${verdict[story]-} in
	'ok '*)
		printf '%s\n' "$(paint 32 "demo: told to its end, every step checked; kernel log clean; $((SECONDS - begin)) s")"
		;;
	*)
		printf '%s\n' "$(paint 31 "demo: failed at: ${broken:-${verdict[story]-level 1 never came up}}")"
		printf 'see %s/story.log, %s\n' "${RESULTS#"$TOP/"}" "${CONSOLE_LOG#"$TOP/"}"
		return 1
		;;
	esac
}
