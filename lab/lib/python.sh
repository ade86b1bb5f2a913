# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
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
	part_is_new python "$TOP"/qemu/tests/{*.[chp]*,programs} \
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
