# SPDX-License-Identifier: GPL-2.0-or-later
#
# Our QEMU: "qemu" builds it into build/qemu/install, "check-qemu" runs the
# tests that need nothing but it.

QEMU := build/qemu/install/bin/qemu-system-x86_64

QEMU_INPUTS := $(shell find qemu/overlay qemu/hooks -type f) \
	qemu/assemble qemu/build $(wildcard include/kvmi/*.h) \
	include/uapi/linux/kvmi.h include/uapi/asm-x86/kvmi.h

.PHONY: qemu check-qemu

qemu: build/qemu/.installed

build/qemu/.installed: $(QEMU_INPUTS) mk/packages.d/qemu
	@mk/install-packages qemu
	@V=$(V) qemu/build
	@touch $@

check-qemu: qemu
	@qemu/tests/run
