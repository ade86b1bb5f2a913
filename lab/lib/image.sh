# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What level 1 boots: a kernel and an initramfs of parts, each rebuilt only
# when its inputs change, and joined for every run:
#
#	base	busybox, runner
#	qemu	QEMU with libraries and firmware, the guest
#	mods	the kernel's modules, with stock or with our KVM
#	tests	test programs and the kvmi tool
#	list	which tests to run now
#
#	python	the tests of the QEMU object
#	older	a guest's kernel of Linux 6.1
#	gdb	Debian's, for the tests that wish it
#
# Bochs is slow: its level 1 gets the programs of the tests to run now and no
# other, and QEMU only when one of them wants it.

# What a build folder or ours gives to /tests: programs and scripts. With
# LAB_TESTS, what that folder has and nothing else.
find_tests()
{
	if [ -n "${LAB_TESTS-}" ]; then
		find "$LAB_TESTS" -type f -executable
		return
	fi
	find "$BUILD"/user/tests/{live,guest} "$BUILD"/tests/{live,guest} \
		-type f -executable ! -name '*.so*' 2>/dev/null || :
	find "$TOP/tests/live" "$TOP/lab/selftest" "$TOP/lab/demo" \
		-name '*.sh' -executable 2>/dev/null || :
}

# Of the paths on stdin those of the tests $@, all without a name; what runs
# in a guest always.
choose()
{
	[ $# -gt 0 ] || exec cat
	grep -E "/guest/[^/]*\$|/($(printf '|%s' "$@" | cut -c2-))(\.sh)?\$" || :
}

# Part tests: the executable tests $@, all without a name, the tool under test
# and the examples.
build_tests()
{
	local part=tests stage file name tool
	local -a tests=() libraries=() examples=()

	[ $# -eq 0 ] || part='tests-chosen'
	stage=$LAB/stage/$part
	parts+=("$LAB/$part.cpio")
	mapfile -t tests < <(find_tests | choose "$@" | sort)
	tool=$BUILD/user/tools/kvmi
	mapfile -t libraries < <(
		find "$BUILD/user/lib" -name 'libkvmi*.so*' 2>/dev/null)
	mapfile -t examples < <(find "$BUILD/user/examples" -maxdepth 1 \
		-type f -executable 2>/dev/null)
	LAB_LIBRARIES=$(printf '%s\n' "${libraries[@]%/*}" | sort -u | paste -sd:)
	part_is_new "$part" "${tests[@]}" "$tool" \
		"${libraries[@]}" "${examples[@]}" && return
	mkdir -p "$stage/tests" "$stage/usr/bin"
	for file in "${tests[@]}"; do
		name=${file##*/}
		name=${name%.sh}
		case $file in
		*/guest/*) name=guest/$name ;;
		esac
		stage_program "$file" "/tests/$name" "$stage"
	done
	stage_program "$tool" /usr/bin/kvmi "$stage"
	# Programs open this name, so none of them shows it to ldd.
	stage_program "$BUILD/user/lib/compat/libkvmi.so" \
		/lib/x86_64-linux-gnu/libkvmi.so "$stage"
	for file in "${examples[@]}"; do
		stage_program "$file" "/examples/${file##*/}" "$stage"
	done
	[ $# -eq 0 ] ||
		find "$stage" -type f -exec strip --strip-debug {} + 2>/dev/null || :
	part_done "$part"
}

# Whether one of the tests $@ starts QEMU.
want_qemu()
{
	local name file

	for name in "$@"; do
		file=$(test_source "$name") || continue
		! grep -qE 'lib/(qemu|bare|lock|pages)\.h"|qemu-system|/lab/guest|lab: .*qemu' "$file" ||
			return 0
	done
	return 1
}

# Whether one of the tests $2... has the wish $1.
is_wished()
{
	local word=$1 name

	shift
	for name; do
		[ -z "$(wish "$name" "$word")" ] || return 0
	done
	return 1
}

# Set the kernel and build all parts. $1 variant, $2 kernel, $3 its modules,
# rest: the tests to run, which matter to Bochs only.
build_image()
{
	local variant=$1 kernel=$2 kmods=$3 file name

	shift 3
	for file in cpio dpkg xz strip depmod "${CC:-gcc}"; do
		PATH=$PATH:/sbin:/usr/sbin command -v "$file" >/dev/null ||
			die "$file is missing: run mk/install-packages lab"
	done
	PATH=$PATH:/sbin:/usr/sbin
	image=$(unpack "$(kernel_package 6.12)") || exit 1
	busybox=$(unpack busybox-static) || exit 1
	guest_vmlinuz=$(find "$image/boot" -name 'vmlinuz-*')
	vmlinuz=$guest_vmlinuz
	release=${vmlinuz##*/vmlinuz-}
	if [ -n "$kernel" ]; then
		variant=custom
		vmlinuz=$kernel
		release=$(find "$kmods" -name '*.ko' -exec modinfo -F vermagic {} + |
			awk 'NR == 1 { print $1 }')
		[ -n "$release" ] || die "$kmods: no modules there"
	fi
	# The parts are for all processors.
	exec 4>"$LAB/lock"
	flock 4
	build_base
	build_modules "$variant" "$kmods"
	parts=("$LAB/base.cpio" "$LAB/mods-$variant.cpio")
	if [ "$emulator_name" = qemu ] || want_qemu "$@"; then
		seabios=$(unpack seabios) || exit 1
		blobs=$(unpack qemu-system-data) || exit 1
		build_guest
		build_qemu
		parts+=("$LAB/qemu.cpio")
	fi
	for name in python older gdb; do
		is_wished "$name" "$@" || continue
		"build_$name"
		parts+=("$LAB/$name.cpio")
	done
	[ "$emulator_name" = bochs ] || set --
	build_tests "$@"
	exec 4>&-
}
