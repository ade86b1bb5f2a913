# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 'make demo': run lab/demo/story.sh in a level 1 and show it as a story.

# A line that the next one overwrites; nothing where that cannot work.
progress()
{
	[ -z "$colour" ] || printf '\r\033[K    %s' "$1"
}

show_step()
{
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
	local begin=$SECONDS steps=0 broken=''

	[ "$variant" = ours ] || die "the demo needs our modules: run 'make modules' first"
	build_image ours '' '' story
	[ -n "$(find "$LAB" -name tests.key)" ] || exit 1
	show_output() { show_step "$1"; }
	settle() { verdict[$2]="$1 $4"; }
	rm -f "$RESULTS"/*.log
	printf '\n%s\n' "$(paint '1' 'A host in a box boots; this takes some seconds')"
	run_shared 1 story
	printf '\n'
	case ${verdict[story]-} in
	'ok '*)
		printf '%s\n' "$(paint 32 "demo: told to its end, every step checked; kernel log clean; $((SECONDS - begin)) s")"
		;;
	*)
		printf '%s\n' "$(paint 31 "demo: failed at: ${broken:-${verdict[story]-level 1 never came up}}")"
		printf 'see build/lab/results/story.log, build/log/lab-console.log\n'
		return 1
		;;
	esac
}
