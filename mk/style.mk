# SPDX-License-Identifier: GPL-2.0-only
#
# Style is a test like any other. KSRC is a kernel source tree, for its
# checkpatch.pl; without it those checks are skipped.

KSRC ?= build/kernel/pristine

.PHONY: check-style

check-style:
	@mk/install-packages style docs
	@KSRC=$(KSRC) tests/style/run
