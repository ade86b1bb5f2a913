# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prove that the lab sees what goes wrong: run tests that go wrong on
# purpose, with stock modules, and compare its words with what is expected.

# Build the module that plants faults, against the headers of the kernel.
build_plant()
{
	local headers=$BUILD/kernel/headers/build out=$LAB/plant

	[ -d "$headers" ] || headers=/usr/src/linux-headers-$1
	[ -d "$headers" ] || die "no headers of $1: run 'make modules' first"
	[ -e "$out/plant.ko" ] && [ "$out/plant.ko" -nt "$TOP/lab/selftest/plant/plant.c" ] &&
		[ "$(cat "$out/release" 2>/dev/null)" = "$1" ] && return
	mkdir -p "$out"
	cp "$TOP"/lab/selftest/plant/{Makefile,plant.c} "$out/"
	quietly make -C "$headers" M="$out" modules
	strip --strip-debug "$out/plant.ko"
	echo "$1" >"$out/release"
}

selftest()
{
	local name want wrong=0 release_now begin=$SECONDS
	local -a names=()

	image=$(unpack "$(kernel_package)") || exit 1
	release_now=$(basename "$image"/boot/vmlinuz-*)
	build_plant "${release_now#vmlinuz-}"
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
