# SPDX-License-Identifier: GPL-2.0-only
#
# The three modules, against the distribution's headers.

MODULES_DIR := build/kernel/modules
KERNEL_INPUTS := $(shell find kernel/overlay kernel/hooks -type f) \
	kernel/assemble kernel/build kernel/check-crc \
	$(wildcard include/kvmi/*.h) \
	include/uapi/linux/kvmi.h include/uapi/asm-x86/kvmi.h

.PHONY: modules load unload

modules: $(MODULES_DIR)/.built

$(MODULES_DIR)/.built: $(KERNEL_INPUTS) mk/packages.d/kernel
	@mk/install-packages kernel
	@kernel/assemble
	@V=$(V) kernel/build
	@touch $@

# Switch this very host to our modules and back.
load:
	@mk/install-packages kernel
	@kernel/assemble
	@V=$(V) kernel/build host
	@kernel/load load

unload:
	@kernel/load unload
