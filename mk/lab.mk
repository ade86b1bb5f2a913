# SPDX-License-Identifier: GPL-2.0-only
#
# The lab: "lab" runs the live tests in a host in a box, "demo" tells a story
# in it, "check-lab" proves that it sees what goes wrong.
#
#	make lab [CPU=amd|intel] [TEST=name] [KEEP=1] [DEBUG=1] [MODULES=stock]
#		[NRIPS=0]

.PHONY: lab demo check-lab debug-kernel lab-packages lab-cpu

lab-packages: lab-cpu
	@mk/install-packages lab $(if $(filter intel,$(CPU)),lab-intel)

lab-cpu:
	@case "$(or $(CPU),amd)" in amd | intel) ;; \
	*) echo "lab: CPU is amd or intel, not $(CPU)"; exit 2 ;; esac

LAB_OPTIONS = $(if $(CPU),--cpu $(CPU)) $(if $(MODULES),--modules $(MODULES)) $(if $(CPUS),--cpus $(CPUS)) \
	$(if $(DEBUG),--kernel build/debug-kernel/bzImage --kmods build/debug-kernel/modules)

# The kernel is built once; our modules for it follow kernel/.
debug-kernel: lab-packages
	@mk/install-packages kernel
	@mk/install-packages debug-kernel
	@V=$(filter-out 0,$(V)) lab/debug/build

# NRIPS=0: an AMD processor without NRIP save and decode assists.
lab: export LAB_NRIPS := $(NRIPS)
lab: lab-packages modules qemu tools tests $(if $(DEBUG),debug-kernel)
	@V=$(filter-out 0,$(V)) lab/lab $(if $(KEEP),shell,run) $(LAB_OPTIONS) $(TEST)

check-lab: lab-packages qemu
	@V=$(filter-out 0,$(V)) lab/lab selftest

demo: lab-packages modules qemu tools
	@V=$(filter-out 0,$(V)) lab/lab demo
