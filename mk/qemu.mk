# SPDX-License-Identifier: GPL-2.0-or-later
#
# Our QEMU: "qemu" builds it into build/qemu/install, "check-qemu" runs all its
# tests, also those in the lab, "check-qemu-alone" what needs nothing but it and
# no KVM, "check-scenarios" says what the last run in the lab has shown.

QEMU := build/qemu/install/bin/qemu-system-x86_64

QEMU_INPUTS := $(shell find qemu/overlay qemu/hooks -type f) \
	qemu/assemble qemu/build $(wildcard include/kvmi/*.h) \
	include/uapi/linux/kvmi.h include/uapi/asm-x86/kvmi.h

.PHONY: qemu check-qemu check-qemu-alone check-qemu-upstream check-scenarios

qemu: build/qemu/.installed

build/qemu/.installed: $(QEMU_INPUTS) mk/packages.d/qemu
	@mk/install-packages qemu
	@V=$(V) qemu/build
	@touch $@

check-qemu-alone: qemu
	@qemu/tests/run unit svm-bp svm-nrip svm-decode

# What a list of scenarios names.
SCENARIO_TESTS = qemu_scenarios $(sort $(shell sed -n 's/^[0-9].*\[\(.*\)\]$$/\1/p' qemu/tests/scenarios))

check-qemu: qemu
	@mk/install-packages qemu-tests
	@qemu/tests/run
	@qemu/tests/run memcheck
	@$(MAKE) --no-print-directory lab TEST='$(SCENARIO_TESTS)'
	@$(MAKE) --no-print-directory check-scenarios

check-scenarios:
	@qemu/tests/table qemu/tests/scenarios \
		build/lab/results/qemu_scenarios.log build/lab/results/verdicts

# QEMU's own tests, of QEMU as released and of ours.
check-qemu-upstream: qemu
	@qemu/tests/upstream
