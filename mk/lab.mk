# SPDX-License-Identifier: GPL-2.0-only
#
# The lab: "lab" runs the live tests in a host in a box, "demo" tells a story
# in it, "check-lab" proves that it sees what goes wrong, "check-amd-bochs" runs
# the live tests without a whole guest on another SVM.
#
#	make lab [CPU=amd|intel|amd-bochs] [TEST=name] [KEEP=1] [DEBUG=1]
#		[MODULES=stock] [NRIPS=0] [STRESS=seconds] [RUN=name|all] [SHORT=1] [ALL=1]

.PHONY: lab demo check-amd-bochs check-lab debug-kernel lab-packages lab-cpu lab-kernel

lab-packages: lab-cpu
	@mk/install-packages lab $(if $(filter intel amd-bochs,$(CPU)),lab-intel)

lab-cpu:
	@case "$(or $(CPU),amd)" in amd | intel | amd-bochs) ;; \
	*) echo "lab: CPU is amd, intel or amd-bochs, not $(CPU)"; exit 2 ;; esac

# The kernel of the guests, which the unit tests read as well.
lab-kernel: lab-packages
	@V=$(filter-out 0,$(V)) lab/lab kernel

LAB_OPTIONS = $(if $(CPU),--cpu $(CPU)) $(if $(RUN),--run $(RUN)) $(if $(MODULES),--modules $(MODULES)) \
	$(if $(CPUS),--cpus $(CPUS)) $(if $(SHORT),--short) $(if $(PART),--part $(PART)) $(if $(ALL),--all) \
	$(if $(DEBUG),--kernel build/debug-kernel/bzImage --kmods build/debug-kernel/modules)

# The kernel is built once; our modules for it follow kernel/.
debug-kernel: lab-packages
	@mk/install-packages kernel
	@mk/install-packages debug-kernel
	@V=$(filter-out 0,$(V)) lab/debug/build

# NRIPS=0: an AMD processor without NRIP save and decode assists.
lab: export LAB_NRIPS := $(NRIPS)
# STRESS=60: so long goes on what says that it takes it.
lab: export STRESS := $(STRESS)
ifeq ($(RUN),all)
lab:
	@V=$(V) mk/check runs $(or $(CPU),amd)
else
lab: lab-packages modules qemu lib tools python tests $(if $(DEBUG),debug-kernel)
	@V=$(filter-out 0,$(V)) lab/lab $(if $(KEEP),shell,run) $(LAB_OPTIONS) $(TEST)
endif

# All live tests that start no whole guest, on Bochs' AMD.
check-amd-bochs:
	@$(MAKE) --no-print-directory lab CPU=amd-bochs

check-lab: lab-packages qemu
	@V=$(filter-out 0,$(V)) lab/lab selftest

demo: lab-packages modules qemu tools examples
	@V=$(filter-out 0,$(V)) lab/lab demo $(if $(CPU),--cpu $(CPU))

# The pictures of docs/demo.rst; all is built before, so that the story begins.
recording: lab-packages modules qemu tools examples
	@mk/install-packages recording
	@mk/record docs/demo 'make demo'
