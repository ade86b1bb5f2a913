# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The parts of level 1's image that do not depend on the tests to run. Each is
# an archive, built again only when what it is made from changes: the files
# that its builder names, and these scripts.

# Begin part $1 unless it was built from the very files that follow, by the
# very scripts.
part_is_new()
{
	local name=$1 key

	shift
	key=$(fingerprint "$@" "$TOP"/lab/lib/{stage,part,python,image}.sh)
	if [ -e "$LAB/$name.cpio" ] && [ "$(cat "$LAB/$name.key" 2>/dev/null)" = "$key" ]; then
		return 0
	fi
	rm -rf "$LAB/stage/$name" "$LAB/$name.key"
	mkdir -p "$LAB/stage/$name"
	echo "$key" >"$LAB/$name.key.new"
	return 1
}

# Pack stage $1 into archive $2.
pack()
{
	(cd "$1" && find . -mindepth 1 -print0 | sort -z |
		cpio --quiet -0 -o -H newc -R 0:0) >"$2.tmp" ||
		die "cannot pack $2"
	mv "$2.tmp" "$2"
}

part_done()
{
	pack "$LAB/stage/$1" "$LAB/$1.cpio"
	mv "$LAB/$1.key.new" "$LAB/$1.key"
	rm -rf "$LAB/stage/$1"
	say LAB "$1.cpio"
}

build_guest()
{
	local stage=$LAB/stage/guest guest_release=${guest_vmlinuz##*/vmlinuz-}
	local name file
	local -a modules=()

	for name in store patch hide attack; do
		file=$(build_module "$TOP/lab/l2/$name" "$guest_release") || exit 1
		modules+=("$file")
	done
	part_is_new guest "$busybox/bin/busybox" "$guest_vmlinuz" "${modules[@]}" \
		"$TOP"/lab/l2/* && return
	stage_busybox "$stage"
	cp "$TOP/lab/l2/init" "$stage/init"
	cp "$TOP/lab/l2/watcher" "$stage/bin/watcher"
	compile "$stage/bin/beacon" "$TOP/lab/l2/beacon.c"
	compile "$stage/bin/vm" "$TOP/lab/l2/vm.c"
	stage_modules "$stage" "$guest_release" kvm_amd kvm_intel \
		vmw_vsock_virtio_transport
	quietly depmod -b "$stage" "$guest_release"
	cp "${modules[@]}" "$stage/lib/modules/"
	compile "$stage/bin/chores" "$TOP/lab/l2/chores.c"
	part_done guest
}

build_base()
{
	local stage=$LAB/stage/base

	part_is_new base "$busybox/bin/busybox" "$TOP"/lab/l1/* && return
	stage_busybox "$stage"
	mkdir -p "$stage/lab"
	cp "$TOP/lab/l1/init" "$stage/init"
	cp "$TOP/lab/l1/modules" "$TOP/lab/l1/motd" "$TOP/lab/l1/guest" "$stage/lab/"
	compile "$stage/lab/runner" "$TOP"/lab/l1/*.c
	strip "$stage/lab/runner"
	part_done base
}

build_qemu()
{
	local stage=$LAB/stage/qemu qemu img firmware reader

	qemu=$(emulator) || exit 1
	img=$(dirname "$qemu")/qemu-img
	firmware=$(dirname "$(dirname "$qemu")")/share/qemu
	# It reads the cores of guests.
	reader=$(command -v makedumpfile || :)
	part_is_new qemu "$guest_vmlinuz" "$LAB/guest.cpio" "$qemu" "$img" \
		${reader:+"$reader"} && return
	mkdir -p "$stage/l2" "$stage/usr/bin" "$stage/usr/share/qemu"
	cp "$guest_vmlinuz" "$stage/l2/vmlinuz"
	cp "$LAB/guest.cpio" "$stage/l2/initrd"
	stage_program "$qemu" /usr/bin/qemu-system-x86_64 "$stage"
	stage_program "$img" /usr/bin/qemu-img "$stage"
	stage_program "$reader" /usr/bin/makedumpfile "$stage"
	find "$stage/usr/bin" -type f -exec strip --strip-debug {} + 2>/dev/null
	cp "$seabios"/usr/share/seabios/*.bin "$stage/usr/share/qemu/"
	find "$blobs/usr/share/qemu" -maxdepth 1 -type f -size -20k -name '*.bin' \
		-exec cp {} "$stage/usr/share/qemu/" \;
	find "$firmware" -maxdepth 1 -type f -size -300k -name '*.bin' \
		-exec cp {} "$stage/usr/share/qemu/" \; 2>/dev/null || :
	part_done qemu
}

# Part older: the kernel of the series 6.1, whose modules nobody needs.
build_older()
{
	local stage=$LAB/stage/older deb

	deb=$("$TOP/mk/fetch" "$LOCK" "$(kernel_package 6.1)" "$LAB/deb") || exit 1
	part_is_new older "$deb" && return
	mkdir -p "$stage/l2"
	dpkg --fsys-tarfile "$deb" | tar -xO --wildcards './boot/vmlinuz-*' \
		>"$stage/l2/vmlinuz-6.1" || die "no kernel in ${deb##*/}"
	part_done older
}

# Part gdb: the one without Python, with the libraries of this machine.
build_gdb()
{
	local stage=$LAB/stage/gdb gdb

	gdb=$(unpack gdb-minimal)/usr/bin/gdb || exit 1
	! ldd "$gdb" | grep -q 'not found' ||
		die "gdb lacks libraries: run mk/install-packages lab"
	part_is_new gdb "$gdb" && return
	stage_program "$gdb" /usr/bin/gdb "$stage"
	part_done gdb
}

# Part mods-$1: stock, ours, or the folder $2 for a kernel of one's own.
build_modules()
{
	local variant=$1 file
	local stage=$LAB/stage/mods-$variant into=lib/modules/$release
	local -a own=() wanted=()

	case $variant in
	ours) own=("$BUILD"/kernel/modules/kvm{,-amd,-intel}.ko) ;;
	custom) mapfile -t own < <(find "$2" -name '*.ko') ;;
	esac
	[ ${#own[@]} -eq 0 ] || [ -e "${own[0]}" ] ||
		die "no modules of ours: run 'make modules' first"
	mapfile -t -O ${#own[@]} own < <(ls "$LAB"/plant/*.ko 2>/dev/null)
	part_is_new "mods-$variant" "$vmlinuz" "$TOP/lab/l1/modules" \
		"${own[@]}" && return
	mkdir -p "$stage/$into/kernel"
	if [ "$variant" != custom ]; then
		mapfile -t wanted < <(
			awk '$1 !~ /^#/ && NF { print $1 }' "$TOP/lab/l1/modules")
		stage_modules "$stage" "$release" "${wanted[@]}" \
			kvm_amd kvm_intel nls_ascii
	fi
	for file in "${own[@]}"; do
		cp "$file" "$stage/$into/kernel/"
	done
	find "$stage" -name '*.ko' -exec strip --strip-debug {} +
	quietly depmod -b "$stage" "$release"
	part_done "mods-$variant"
}
