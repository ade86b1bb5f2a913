# SPDX-License-Identifier: GPL-2.0-only
#
# The part that runs in user space: the library, the kvmi command and their
# unit tests, which run with the address and undefined-behaviour sanitizers.

USER_BUILD := build/user
ASAN_BUILD := build/user-asan

.PHONY: lib tools python examples check-unit

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

python: $(USER_BUILD)/build.ninja
	@V=$(V) lib/build compile $(USER_BUILD) python

examples: $(USER_BUILD)/build.ninja
	@V=$(V) lib/build compile $(USER_BUILD) examples

check-unit: $(ASAN_BUILD)/build.ninja
	@V=$(V) lib/build compile $(ASAN_BUILD) unit-tests kvmi-command python
	@tests/unit/run $(ASAN_BUILD)/tests/unit

# Feed the parsers with bytes that nobody would send, TIME seconds each.
TIME ?= 60
FUZZ_FLAGS := -g -O1 -D_GNU_SOURCE -DKVMI_LIBRARY_VERSION='"fuzz"' \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
	-I include/uapi -I include -I lib/include

.PHONY: fuzz

fuzz: $(patsubst fuzz/%.c,build/fuzz/%,$(wildcard fuzz/*.c))
	@for target in $^; do \
		corpus=build/fuzz/corpus/$$(basename $$target); \
		mkdir -p $$corpus; \
		echo "  FUZZ    $$target for $(TIME) s"; \
		$$target -max_total_time=$(TIME) -max_len=70000 -timeout=10 \
			-print_final_stats=1 -artifact_prefix=build/fuzz/ $$corpus \
			>build/log/fuzz.log 2>&1 || { tail -n 40 build/log/fuzz.log; exit 1; }; \
		grep -h number_of_executed_units build/log/fuzz.log; \
	done

# It has more to read, and needs what unpacks it.
build/fuzz/profile: fuzz/profile.c tests/unit/made.c $(wildcard lib/profile/*.[ch])
	@mk/install-packages lib fuzz
	@mkdir -p build/fuzz build/log
	@echo "  CLANG   $@"
	@clang $(FUZZ_FLAGS) -DKVMI_PROFILE_VERSION='"fuzz"' -I lib/profile \
		$< tests/unit/made.c lib/profile/*.c lib/native/*.c -ljson-c \
		-lbpf -lelf -llz4 -llzma -lzstd -lz -lgnutls -lZydis -lpthread \
		-lcmocka -o $@

build/fuzz/%: fuzz/%.c $(wildcard lib/native/*.[ch] lib/include/kvmi/*.h)
	@mk/install-packages fuzz
	@mkdir -p build/fuzz build/log
	@echo "  CLANG   $@"
	@clang $(FUZZ_FLAGS) $< lib/native/*.c -lgnutls -lZydis -lpthread -o $@
