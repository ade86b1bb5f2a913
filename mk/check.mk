# SPDX-License-Identifier: GPL-2.0-only
#
# What decides whether a change is good.

.PHONY: check check-intel

check:
	@V=$(V) mk/check $(if $(DEBUG),debug)

check-intel:
	@V=$(V) mk/check intel
