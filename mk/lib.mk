# SPDX-License-Identifier: GPL-2.0-only
#
# The part that runs in user space: the library, the kvmi command and their
# unit tests, which run with the address and undefined-behaviour sanitizers.

USER_BUILD := build/user
ASAN_BUILD := build/user-asan

.PHONY: lib tools check-unit

$(USER_BUILD)/build.ninja: mk/packages.d/lib
	@mk/install-packages lib
	@V=$(V) lib/build setup $(USER_BUILD) -Dunit=false

$(ASAN_BUILD)/build.ninja: mk/packages.d/lib
	@mk/install-packages lib
	@V=$(V) lib/build setup $(ASAN_BUILD) -Dlive=false \
		-Db_sanitize=address,undefined -Db_lundef=false

lib: $(USER_BUILD)/build.ninja
	@V=$(V) lib/build compile $(USER_BUILD) library

tools: $(USER_BUILD)/build.ninja
	@V=$(V) lib/build compile $(USER_BUILD) kvmi-command

check-unit: $(ASAN_BUILD)/build.ninja
	@V=$(V) lib/build compile $(ASAN_BUILD) unit-tests kvmi-command
	@tests/unit/run $(ASAN_BUILD)/tests/unit
