# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel's own KVM selftests, with stock modules and with ours.
#
#	make check-kvm [TEST=name]

.PHONY: check-kvm

check-kvm: lab-packages modules qemu
	@mk/install-packages kvm
	@V=$(filter-out 0,$(V)) tests/kvm/build
	@V=$(filter-out 0,$(V)) tests/kvm/run $(TEST)
