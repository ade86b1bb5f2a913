// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a VM as events of the library: a snapshot that is made, a reset, the
 * snapshot loaded, a migration to another QEMU. Each session tells its end, and
 * the next one what became of the VM.
 *
 * lab: calm timeout=180
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kvmi/kvmi.h>

#include "../lib/bare.h"
#include "../lib/test.h"

/* A VM that is about to leave may hang up right after its hello. */
static struct kvmi_vm *accept_vm(struct kvmi_listener *listener)
{
	struct kvmi_vm *vm;
	int err;

	do
		err = kvmi_listener_accept(listener, QEMU_UUID, DEADLINE_MS,
					   &vm);
	while (err == -ECONNREFUSED);
	expect(0, err);
	return vm;
}

static struct kvmi_event *next_event(struct kvmi_vm *vm, unsigned int id)
{
	struct kvmi_event *event;

	expect(0, kvmi_vm_next_event(vm, DEADLINE_MS, &event));
	expect(id, kvmi_event_get_id(event));
	return event;
}

static void expect_end(struct kvmi_vm *vm, enum kvmi_end end)
{
	struct kvmi_event *event = next_event(vm, KVMI_OWN_EVENT_END);
	const struct kvmi_own_event_end *told;
	size_t size;

	told = kvmi_event_get_data(event, &size);
	expect(end, told->end);
	kvmi_event_free(event);
	kvmi_vm_close(vm);
}

/* The VM that has come again. */
static struct kvmi_vm *expect_return(struct kvmi_listener *listener,
				     enum kvmi_run run)
{
	struct kvmi_vm *vm = accept_vm(listener);
	const struct kvmi_own_event_return *told;
	struct kvmi_identity id = { .size = sizeof(id) };
	struct kvmi_event *event;
	size_t size;

	event = next_event(vm, KVMI_OWN_EVENT_RETURN);
	told = kvmi_event_get_data(event, &size);
	note("%lld, then %lld", (long long)told->before, (long long)told->now);
	expect(run, told->run);
	expect(0, kvmi_vm_get_identity(vm, &id));
	expect(id.start_time, told->now);
	kvmi_event_free(event);
	return vm;
}

/* It is asked to leave, does so, and meets the guest on the other side. */
static struct kvmi_vm *test_migration(struct kvmi_listener *listener,
				      struct kvmi_vm *vm, struct bare *source,
				      const char *uri)
{
	char arguments[160];

	note("migration");
	expect(0, kvmi_vm_control_events(vm, KVMI_VM_EVENT_UNHOOK, true));
	snprintf(arguments, sizeof(arguments), "{ 'uri': '%s' }", uri);
	qmp(&source->qemu.qmp, "migrate", arguments);
	kvmi_event_free(next_event(vm, KVMI_VM_EVENT_UNHOOK));
	kvmi_vm_shutdown(vm);
	expect_end(vm, KVMI_END_UNHOOKED);
	return expect_return(listener, KVMI_RUN_SAME);
}

static void make_disk(const struct bare *bare, char *option, size_t size)
{
	char command[160];

	snprintf(option, size, "if=none,id=d,format=qcow2,file=%s/disk",
		 bare->qemu.folder);
	snprintf(command, sizeof(command),
		 "qemu-img create -q -f qcow2 '%s/disk' 1M", bare->qemu.folder);
	expect(0, system(command));
}

static struct kvmi_vm *test_snapshots(struct kvmi_listener *listener,
				      struct kvmi_vm *vm, struct bare *bare)
{
	note("a snapshot is made");
	qmp_human(&bare->qemu.qmp, "savevm s");
	expect_end(vm, KVMI_END_LOST);
	vm = expect_return(listener, KVMI_RUN_SAME);

	note("reset");
	qmp(&bare->qemu.qmp, "system_reset", NULL);
	expect_end(vm, KVMI_END_LOST);
	vm = expect_return(listener, KVMI_RUN_NEWER);

	note("the snapshot is loaded");
	qmp_human(&bare->qemu.qmp, "loadvm s");
	expect_end(vm, KVMI_END_LOST);
	return expect_return(listener, KVMI_RUN_OLDER);
}

int main(void)
{
	struct bare source = { .more = { "-drive" } };
	struct bare target = { .more = { "-incoming" } };
	struct kvmi_listener *listener;
	struct kvmi_options opts;
	char disk[128], uri[128];
	struct kvmi_vm *vm;

	kvmi_options_init(&opts);
	opts.own_events = 1;
	qemu_prepare(&source.qemu);
	expect(0, kvmi_listener_open_unix(&listener, source.qemu.socket,
					  &opts));
	make_disk(&source, disk, sizeof(disk));
	source.more[1] = disk;
	bare_start(&source, "");
	vm = test_snapshots(listener, accept_vm(listener), &source);

	/* Both connect to the same program. */
	qemu_prepare(&target.qemu);
	expect(0, symlink(source.qemu.socket, target.qemu.socket));
	snprintf(uri, sizeof(uri), "unix:%s/migration", target.qemu.folder);
	target.more[1] = uri;
	bare_receive(&target, "");
	vm = test_migration(listener, vm, &source, uri);
	expect(0, strcmp("hooked", qmp_ask(&target.qemu.qmp,
					   "query-introspection", NULL,
					   "state")));
	bare_quit(&target);
	expect_end(vm, KVMI_END_LOST);
	bare_quit(&source);
	kvmi_listener_close(listener);
	return 0;
}
