# SPDX-License-Identifier: GPL-2.0-only
#
# One door for everything. "make help" lists the commands; the parts are in
# mk/. V=1 shows every command that runs, and all logs are below build/.

MAKEFLAGS += --no-print-directory
SHELL := /bin/bash
V ?= 0

.PHONY: all help clean
.DEFAULT_GOAL := all

include mk/kernel.mk
include mk/qemu.mk
include mk/lib.mk
include mk/style.mk
include mk/docs.mk
include mk/live.mk
include mk/lab.mk
include mk/kvm.mk
include mk/check.mk

all: modules lib tools

help:
	@sed -n 's/^## //p' mk/help

clean:
	@rm -rf build
	@printf '  %-7s %s\n' CLEAN build
