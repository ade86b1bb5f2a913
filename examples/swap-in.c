// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Make the guest bring a page of the program that runs on vCPU 0: a page fault
 * by its own hands.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <kvmi/kvmi.h>

#define PAGE_FAULT	14
#define BY_USER_READ	4	/* the error code: not present, user, read */
#define TRIES		100

static void check(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "%s: %s\n", what, kvmi_strerror(err));
	exit(1);
}

/* A pause in user mode: there a fault of the program can come. */
static struct kvmi_event *wait_for_program(struct kvmi_vm *vm)
{
	const struct kvmi_vcpu_event *state;
	struct kvmi_event *event;
	int i;

	for (i = 0; i < TRIES; i++) {
		check(kvmi_vm_pause_vcpu(vm, 0, true), "pause");
		check(kvmi_vm_next_event(vm, 5000, &event), "pause");
		state = kvmi_event_get_state(event);
		if (state && (state->arch.sregs.cs.selector & 3) == 3)
			return event;
		check(kvmi_event_reply(vm, event, KVMI_EVENT_ACTION_CONTINUE,
				       NULL, 0), "go on");
		kvmi_event_free(event);
	}
	fprintf(stderr, "vCPU 0 runs no program\n");
	exit(1);
}

/* Tells whether the guest got this fault and nothing else. */
static int fault(struct kvmi_vm *vm, uint64_t address)
{
	struct kvmi_event *pause = wait_for_program(vm);
	const struct kvmi_vcpu_event_trap *trap;
	struct kvmi_event *event;
	size_t size;
	int is_ours;

	check(kvmi_vcpu_inject_exception(vm, 0, PAGE_FAULT, BY_USER_READ,
					 address), "inject");
	check(kvmi_event_reply(vm, pause, KVMI_EVENT_ACTION_CONTINUE, NULL, 0),
	      "go on");
	kvmi_event_free(pause);

	check(kvmi_vm_next_event(vm, 5000, &event), "trap");
	trap = kvmi_event_get_data(event, &size);
	is_ours = trap->nr == PAGE_FAULT && trap->address == address;
	check(kvmi_event_reply(vm, event, KVMI_EVENT_ACTION_CONTINUE, NULL, 0),
	      "go on");
	kvmi_event_free(event);
	return is_ours;
}

int main(int argc, char **argv)
{
	struct kvmi_listener *listener;
	struct kvmi_options opts;
	struct kvmi_vm *vm;
	uint64_t address;

	if (argc != 3) {
		fprintf(stderr, "usage: %s SOCKET ADDRESS\n", argv[0]);
		return 2;
	}
	address = strtoull(argv[2], NULL, 0);
	kvmi_options_init(&opts);
	check(kvmi_listener_open_unix(&listener, argv[1], &opts), "listen");
	check(kvmi_listener_accept(listener, NULL, 30000, &vm), "accept");

	while (!fault(vm, address))
		;
	printf("0x%" PRIx64 "\n", address);

	kvmi_vm_close(vm);
	kvmi_listener_close(listener);
	return 0;
}
