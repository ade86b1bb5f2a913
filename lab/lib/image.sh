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

# Unpack package $1 of the lock file once; print the folder.
unpack()
{
	local name=$1 deb dir

	deb=$("$TOP/mk/fetch" "$LOCK" "$name" "$LAB/deb") || exit 1
	dir=$LAB/unpacked/$(basename "$deb" .deb)
	if [ ! -d "$dir" ]; then
		rm -rf "$dir.tmp"
		mkdir -p "$dir.tmp"
		quietly dpkg -x "$deb" "$dir.tmp"
		mv "$dir.tmp" "$dir"
	fi
	echo "$dir"
}

# The package of the kernel of series $1, as 6.12.
kernel_package()
{
	awk -v series="linux-image-$1." 'index($2, series) == 1 { print $2; exit }' "$LOCK"
}

# Copy program or library $1 to $2 below stage $3, with all libraries it needs.
stage_program()
{
	local from=$1 to=$3$2 lib

	[ -r "$from" ] || return 0
	mkdir -p "$(dirname "$to")"
	cp -L "$from" "$to"
	# Scripts and static programs need none: ldd refuses them.
	{ LD_LIBRARY_PATH=${LAB_LIBRARIES-} ldd "$from" 2>/dev/null || :; } |
		awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' |
	while read -r lib; do
		case $lib in
		/lib64/*) to=$3$lib ;;
		*) to=$3/lib/x86_64-linux-gnu/${lib##*/} ;;
		esac
		[ -e "$to" ] && continue
		mkdir -p "$(dirname "$to")"
		cp -L "$lib" "$to"
	done
}

compile()
{
	local out=$1

	shift
	quietly "${CC:-gcc}" -D_GNU_SOURCE -std=gnu11 -O2 -Wall -Wextra -static \
		-o "$out" "$@"
}

# Pack stage $1 into archive $2.
pack()
{
	(cd "$1" && find . -mindepth 1 -print0 | sort -z |
		cpio --quiet -0 -o -H newc -R 0:0) >"$2.tmp" ||
		die "cannot pack $2"
	mv "$2.tmp" "$2"
}

# Begin part $1 unless it was built from the very files that follow.
part_is_new()
{
	local name=$1 key

	shift
	key=$(fingerprint "$@")
	if [ -e "$LAB/$name.cpio" ] && [ "$(cat "$LAB/$name.key" 2>/dev/null)" = "$key" ]; then
		return 0
	fi
	rm -rf "$LAB/stage/$name" "$LAB/$name.key"
	mkdir -p "$LAB/stage/$name"
	echo "$key" >"$LAB/$name.key.new"
	return 1
}

part_done()
{
	pack "$LAB/stage/$1" "$LAB/$1.cpio"
	mv "$LAB/$1.key.new" "$LAB/$1.key"
	rm -rf "$LAB/stage/$1"
	say LAB "$1.cpio"
}

# Give stage $1 a /bin full of busybox.
stage_busybox()
{
	local name

	mkdir -p "$1/bin" "$1/dev" "$1/proc" "$1/sys" "$1/tmp" "$1/run" "$1/root" "$1/etc"
	cp "$busybox/bin/busybox" "$1/bin/busybox"
	"$busybox/bin/busybox" --list | while read -r name; do
		[ "$name" = busybox ] || ln -s busybox "$1/bin/$name"
	done
	ln -s bin "$1/sbin"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$1/etc/passwd"
	echo 'root:x:0:' >"$1/etc/group"
}

# The modules $2... of tree $1 and all they depend on, as paths in the tree.
module_closure()
{
	local tree=$1

	shift
	printf '%s\n' "$@" | awk '
		FILENAME != "-" {
			file = $1
			sub(/:$/, "", file)
			name = file
			sub(/.*\//, "", name)
			sub(/\.ko.*/, "", name)
			gsub(/-/, "_", name)
			path[name] = file
			need[name] = $0
			sub(/^[^:]*:/, "", need[name])
			next
		}
		path[$1] { print path[$1] "\n" need[$1] }' "$tree/modules.dep" - |
		tr ' ' '\n' | sed '/^$/d' | sort -u
}

# Give stage $1 the distribution's modules $3... of release $2.
stage_modules()
{
	local into=$1/lib/modules/$2 tree=$image/lib/modules/$2 file

	[ -e "$tree/modules.dep" ] || quietly depmod -b "$image" "$2"
	shift 2
	mkdir -p "$into/kernel"
	module_closure "$tree" "$@" | while read -r file; do
		xz -dc "$tree/$file" >"$into/kernel/$(basename "$file" .xz)"
	done
	cp "$tree"/modules.builtin* "$tree/modules.order" "$into/"
	find "$into" -name '*.ko' -exec strip --strip-debug {} +
}

# Build the module of folder $1 against the headers of release $2; print it.
build_module()
{
	local name=${1##*/} headers=$BUILD/kernel/headers/build
	local out=$LAB/$name file

	[ -d "$headers" ] || headers=/usr/src/linux-headers-$2
	[ -d "$headers" ] || die "no headers of $2: run 'make modules' first"
	file=$out/$name.ko
	if [ ! -e "$file" ] || [ -n "$(find "$1" -newer "$file")" ] ||
	   [ "$(cat "$out/release" 2>/dev/null)" != "$2" ]; then
		mkdir -p "$out"
		cp "$1"/* "$out/"
		quietly make -C "$headers" M="$out" modules
		strip --strip-debug "$file"
		echo "$2" >"$out/release"
	fi
	echo "$file"
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
		"$TOP"/lab/l2/* "$TOP/lab/lib/image.sh" && return
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

	part_is_new base "$busybox/bin/busybox" "$TOP"/lab/l1/* \
		"$TOP/lab/lib/image.sh" && return
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
	part_is_new qemu "$guest_vmlinuz" "$LAB/guest.cpio" \
		"$TOP/lab/lib/image.sh" "$qemu" "$img" \
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
	part_is_new older "$deb" "$TOP/lab/lib/image.sh" && return
	mkdir -p "$stage/l2"
	dpkg --fsys-tarfile "$deb" | tar -xO --wildcards './boot/vmlinuz-*' \
		>"$stage/l2/vmlinuz-6.1" || die "no kernel in ${deb##*/}"
	part_done older
}

# Part python: the tests of the QEMU object, the bindings, and as much of the
# interpreter as they import.
build_python()
{
	local stage=$LAB/stage/python into=$LAB/stage/python/lab/qemu-tests file
	local -a files=() package=()

	mapfile -t files < <(python_files)
	mapfile -t package < <(find "$BUILD/user/python/kvmi" -maxdepth 1 \
		\( -name '*.py' -o -name '*.so' \) 2>/dev/null)
	[ ${#files[@]} -gt 0 ] || die "no /usr/bin/python3: run mk/install-packages lab"
	part_is_new python "$TOP"/qemu/tests/{*.[chp]*,programs} "$TOP/lab/lib/image.sh" \
		"${files[@]}" "${package[@]}" && return
	mkdir -p "$into"
	cp "$TOP"/qemu/tests/{*.py,programs} "$into"
	"$TOP/qemu/tests/libraries" "$into"
	for file in "${package[@]}"; do
		LAB_LIBRARIES=$BUILD/user/lib/native stage_program "$file" \
			"/usr/lib/python3/dist-packages/kvmi/${file##*/}" "$stage"
	done
	for file in "${files[@]}"; do
		stage_program "$file" "$file" "$stage"
	done
	mv "$stage${files[0]}" "$stage/usr/bin/python3"
	part_done python
}

# The interpreter, and the files of all modules that are loaded.
python_files()
{
	(cd "$TOP/qemu/tests" && BINDINGS=$BUILD/user/python /usr/bin/python3 -B - QEMU . <<-'EOF'
		import os, sys
		sys.path.insert(0, '')
		for program in open('programs').read().split():
		    __import__(program)
		# Nobody has the bindings on it who has no cffi.
		try:
		    sys.path.insert(0, os.environ['BINDINGS'])
		    import kvmi.aio, concurrent.futures.thread
		except ImportError:
		    pass
		print(os.path.realpath(sys.executable))
		for module in list(sys.modules.values()):
		    name = getattr(module, '__file__', None)
		    if name and name.startswith('/usr/lib'):
		        print(name)
		EOF
	)
}

# Part gdb: the one without Python, with the libraries of this machine.
build_gdb()
{
	local stage=$LAB/stage/gdb gdb

	gdb=$(unpack gdb-minimal)/usr/bin/gdb || exit 1
	! ldd "$gdb" | grep -q 'not found' ||
		die "gdb lacks libraries: run mk/install-packages lab"
	part_is_new gdb "$gdb" "$TOP/lab/lib/image.sh" && return
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
		"$TOP/lab/lib/image.sh" "${own[@]}" && return
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
	part_is_new "$part" "$TOP/lab/lib/image.sh" "${tests[@]}" "$tool" \
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
