// SPDX-License-Identifier: GPL-2.0-only
/*
 * Switching a host to our modules and back with kernel/load: refused while a
 * VM runs, with its process named and nothing touched; done else.
 *
 * lab: own timeout=120 cpus=2
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/hook.h"
#include "../lib/qemu.h"
#include "../lib/test.h"

/* The script itself, so that the test needs no file beside it. */
static const char script[] =
#include "kernel-load.h"
;

static char folder[] = "/tmp/kvmi-load-XXXXXX";

static int __attribute__((format(printf, 1, 2)))
shell(const char *format, ...)
{
	char command[512];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return system(command);
}

static void cleanup(void)
{
	shell("rm -rf %s", folder);
}

/* Runs the script; what it says goes to a file. */
static int __load(const char *arguments)
{
	int status;

	note("kernel/load %s", arguments);
	status = shell("cd %s && sh ./load %s >said 2>&1", folder, arguments);
	shell("sed 's/^/    /' %s/said >&2", folder);
	return WEXITSTATUS(status);
}

static void expect_said(const char *text)
{
	char said[64];

	snprintf(said, sizeof(said), "%s/said", folder);
	expect_true(file_count(said, text) > 0);
}

/* The script, and our modules as the build leaves them. */
static void prepare(void)
{
	struct utsname uts;
	char path[64];
	FILE *file;

	expect_true(mkdtemp(folder));
	atexit(cleanup);
	snprintf(path, sizeof(path), "%s/load", folder);
	file = fopen(path, "w");
	expect_true(file);
	expect(sizeof(script) - 1, fwrite(script, 1, sizeof(script) - 1, file));
	expect(0, fclose(file));

	uname(&uts);
	shell("find /lib/modules/%s '(' -name kvm.ko -o -name kvm-amd.ko "
	      "-o -name kvm-intel.ko ')' -exec cp '{}' %s ';'", uts.release,
	      folder);
	snprintf(path, sizeof(path), "%s/kvm.ko", folder);
	if (access(path, R_OK))
		skip("no kvm.ko below /lib/modules/%s", uts.release);
}

static void test_refused(void)
{
	struct vmm *vm = vmm_create(NULL);
	char own[32];

	hook_require(vm);
	snprintf(own, sizeof(own), "process %d ", getpid());
	expect(1, __load("load ."));
	expect_said(own);
	expect_said("nothing was changed");
	expect(1, __load("unload"));
	expect_said(own);
	hook_expect_usable(vm);
	vmm_destroy(vm);
}

static void expect_loaded(void)
{
	struct vmm *vm = vmm_create(NULL);

	hook_expect_usable(vm);
	vmm_destroy(vm);
}

int main(void)
{
	struct vmm *vm = vmm_create(NULL);

	hook_require(vm);
	vmm_destroy(vm);
	prepare();
	expect(0, __load("status"));
	expect_said("with introspection is loaded");
	test_refused();

	expect(0, __load("load ."));
	expect_said("with introspection is loaded");
	expect_loaded();
	expect(1, __load("load nowhere"));
	expect_loaded();
	expect(0, __load("unload"));
	expect(0, access("/dev/kvm", R_OK | W_OK));
	expect(0, __load("load ."));
	expect_loaded();
	return 0;
}
