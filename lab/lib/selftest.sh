# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prove that the lab sees what goes wrong: run tests that go wrong on
# purpose, with stock modules, and compare its words with what is expected.

selftest()
{
	local name want wrong=0 release_now begin=$SECONDS
	local -a names=()

	image=$(unpack "$(kernel_package 6.12)") || exit 1
	release_now=$(basename "$image"/boot/vmlinuz-*)
	# It plants the faults.
	build_module "$TOP/lab/selftest/plant" "${release_now#vmlinuz-}" >/dev/null
	mapfile -t names < <(awk '$1 !~ /^#/ && NF { print $1 }' "$TOP/lab/selftest/expected")
	variant=stock
	build_image stock '' ''
	run_tests "${names[@]}" >"$LOGS/lab-selftest.log" 2>&1
	while IFS=$'\t' read -r name want; do
		case $name in '' | '#'*) continue ;; esac
		if grep -qE "^($want)" <<<"${verdict[$name]}"; then
			printf '%s selftest %s\n' "$(paint 32 ok)" "$name"
		else
			printf '%s selftest %s: expected "%s", the lab said "%s"\n' \
				"$(paint 31 'not ok')" "$name" "$want" "${verdict[$name]}"
			grep -v '^.klog' "$RESULTS/$name.log" | tail -n 20 | sed 's/^/    /'
			wrong=$((wrong + 1))
		fi
	done <"$TOP/lab/selftest/expected"
	grep -qx 'plant_pass ok plant_pass' "$RESULTS/cells" || {
		echo "not ok selftest cells: plant_pass wrote one, none arrived"
		wrong=$((wrong + 1))
	}
	printf 'lab selftest: %d passed, %d failed; %d s\n' \
		$((${#names[@]} + 1 - wrong)) "$wrong" $((SECONDS - begin))
	[ "$wrong" -eq 0 ]
}
