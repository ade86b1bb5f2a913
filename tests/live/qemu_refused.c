// SPDX-License-Identifier: GPL-2.0-only
/*
 * When KVM does not introspect a VM, QEMU says why and what to do about it,
 * on standard error and in the object's property "problem". Loads KVM anew,
 * so no VM may run on this host, and puts it back. With the distribution's
 * modules it is what QEMU says of these.
 *
 * lab: own timeout=180 cpus=1
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/qemu.h"
#include "../lib/test.h"
#include "../lib/tool.h"

#define PROBLEM "{ 'path': '/objects/vmi', 'property': 'problem' }"

static const char *vendor = "kvm_amd", *paging = "npt";
static bool reloaded;

static bool unused(void)
{
	char path[64], users[16];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", vendor);
	f = fopen(path, "r");
	if (!f || !fgets(users, sizeof(users), f))
		skip("%s cannot be unloaded", vendor);
	fclose(f);
	return !atoi(users);
}

static void reload(const char *kvm, const char *more)
{
	char command[256];

	wait_for(unused());
	snprintf(command, sizeof(command),
		 "rmmod %s && rmmod kvm && modprobe kvm %s && modprobe %s %s",
		 vendor, kvm, vendor, more);
	note("%s", command);
	reloaded = *kvm || *more;
	expect(0, system(command));
}

static void put_back(void)
{
	if (reloaded)
		reload("", "");
}

/* QEMU does not start. */
static void expect_no_start(const char *text)
{
	struct qemu_options options = { .object = "", .stopped = true };
	struct qemu qemu;

	qemu_prepare(&qemu);
	expect(1, qemu_start_fails(&qemu, &options));
	expect_true(file_count(qemu.errors, text) == 1);
	qemu_kill(&qemu);
}

/* Each attempt fails; it is said once. */
static void expect_refused(bool irqchip, const char *text)
{
	struct qemu_options with = { .object = "", .stopped = true };
	struct qemu_options without = {
		.object = "", .stopped = true,
		/* QEMU makes no APIC of its own with KVM. */
		.more = { "-M", "kernel-irqchip=off", "-smp", "1", "-cpu",
			  "host,-apic,kvm=off" },
	};
	const char *problem;
	struct qemu qemu;
	struct tool tool;
	int i;

	qemu_prepare(&qemu);
	tool_listen(&tool, qemu.socket);
	qemu_start(&qemu, irqchip ? &with : &without);
	for (i = 0; i < 3; i++) {
		expect(0, __tool_accept(&tool, DEADLINE_MS));
		tool_answer(&tool, NULL);
		peer_expect_closed(&tool.peer);
	}
	problem = qmp_ask(&qemu.qmp, "qom-get", PROBLEM, NULL);
	note("%s", problem);
	expect_true(strstr(problem, text));
	expect(1, file_count(qemu.errors, text));
	qemu_quit(&qemu);
	tool_close(&tool);
}

static void expect_session(void)
{
	struct qemu_options options = { .object = "", .stopped = true };
	struct qemu qemu;
	struct tool tool;

	qemu_prepare(&qemu);
	tool_listen(&tool, qemu.socket);
	qemu_start(&qemu, &options);
	tool_session(&tool);
	expect(0, strlen(qmp_ask(&qemu.qmp, "qom-get", PROBLEM, NULL)));
	qemu_quit(&qemu);
	tool_close(&tool);
}

int main(void)
{
	char off[16], on[64];

	if (!access("/sys/module/kvm_intel", F_OK)) {
		vendor = "kvm_intel";
		paging = "ept";
	}
	if (access("/sys/module/kvm/parameters/introspection", F_OK)) {
		expect_no_start("load KVM modules that are built with it");
		return 0;
	}
	if (!unused())
		skip("a VM runs on this host");

	expect_session();
	expect_refused(false, "start it with -machine kernel-irqchip=on");

	atexit(put_back);
	snprintf(off, sizeof(off), "%s=0", paging);
	snprintf(on, sizeof(on), "load %s with the parameter %s=1", vendor,
		 paging);
	reload("", off);
	expect_refused(true, on);
	reload("tdp_mmu=0", "");
	expect_refused(true,
		       "load kvm with the parameter tdp_mmu=1");
	reload("introspection=0", "");
	expect_no_start("load kvm with the parameter introspection=1");

	reload("", "");
	expect_session();
	return 0;
}
