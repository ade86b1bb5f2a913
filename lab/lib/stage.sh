# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a part of the image is put together from: packages of the lock file,
# programs with their libraries, the modules of a kernel.

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
