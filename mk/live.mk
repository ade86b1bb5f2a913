# SPDX-License-Identifier: GPL-2.0-only
#
# The live tests: "tests" builds them, "check-live" runs them on this host,
# "check-matrix" compares what the lab's last runs on AMD and on Intel proved
# with the table.

.PHONY: tests check-live check-matrix

tests: $(USER_BUILD)/build.ninja
	@V=$(V) lib/build compile $(USER_BUILD) live-tests

check-live: tests tools qemu
	@tests/lib/run-here $(USER_BUILD)/tests/live $(TEST)

check-matrix: tests
	@tests/matrix/check-matrix $(USER_BUILD)/tests/lib/matrix
	@cat build/lab/results-intel*/cells >build/lab/cells-intel
	@$(USER_BUILD)/tests/lib/matrix build/lab/results/cells \
		build/lab/cells-intel tests/matrix/excuses
