// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Let nobody in the guest write to some of its memory, such as the text of its
 * kernel, by whatever mapping. The instruction that tries is left out, or gets
 * the fault that it would get from a page without the right.
 *
 * A kernel that changes its own text meanwhile, as Linux does for static keys and
 * for tracing, is denied as well and may not survive it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <kvmi/kvmi.h>

#define PAGE		4096
#define LOCKED		(KVMI_PAGE_ACCESS_R | KVMI_PAGE_ACCESS_X)
#define GENERAL_FAULT	13
#define PAGE_FAULT	14
#define BY_WRITE	3	/* the error code: present, write, kernel */

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static void check(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "%s: %s\n", what, kvmi_strerror(err));
	exit(1);
}

/* START-END, in the guest's virtual memory; returns how many pages. */
static int lock_range(struct kvmi_vm *vm, const char *range)
{
	struct kvmi_page_access_entry entry = { .access = LOCKED };
	uint64_t gva, end;
	char *dash;
	int n = 0;

	gva = strtoull(range, &dash, 0) / PAGE * PAGE;
	end = *dash == '-' ? strtoull(dash + 1, NULL, 0) : gva + 1;
	for (; gva < end; gva += PAGE) {
		uint64_t gpa;

		check(kvmi_vcpu_translate_gva(vm, 0, gva, &gpa), "translate");
		if (gpa == UINT64_MAX)
			continue;
		entry.gpa = gpa;
		check(kvmi_vm_set_page_access(vm, &entry, 1), "lock");
		n++;
	}
	return n;
}

/* An instruction that cannot be measured, and so not left out, gets a fault. */
static void deny(struct kvmi_vm *vm, struct kvmi_event *event,
		 const struct kvmi_vcpu_event_pf *pf)
{
	int vcpu = kvmi_event_get_vcpu(event);

	printf("vCPU %d rip 0x%llx gva 0x%llx gpa 0x%llx denied\n", vcpu,
	       (unsigned long long)kvmi_event_get_state(event)->arch.regs.rip,
	       (unsigned long long)pf->gva, (unsigned long long)pf->gpa);
	if (!kvmi_event_reply_skip(vm, event))
		return;
	if (pf->gva == UINT64_MAX)
		check(kvmi_vcpu_inject_exception(vm, vcpu, GENERAL_FAULT, 0, 0),
		      "inject");
	else
		check(kvmi_vcpu_inject_exception(vm, vcpu, PAGE_FAULT, BY_WRITE,
						 pf->gva), "inject");
	check(kvmi_event_reply(vm, event, KVMI_EVENT_ACTION_RETRY, NULL, 0),
	      "reply");
}

/* The exception comes as an event, too. */
static void take(struct kvmi_vm *vm, struct kvmi_event *event)
{
	size_t size;

	if (kvmi_event_get_id(event) == KVMI_VCPU_EVENT_PF)
		deny(vm, event, kvmi_event_get_data(event, &size));
	else if (kvmi_event_get_vcpu(event) >= 0)
		check(kvmi_event_reply(vm, event, KVMI_EVENT_ACTION_CONTINUE,
				       NULL, 0), "reply");
	else
		stop = 1;	/* the device manager asks us to leave */
	kvmi_event_free(event);
}

static void guard(struct kvmi_vm *vm, char **ranges)
{
	struct kvmi_vm_get_info_reply info;
	struct kvmi_event *event;
	unsigned int vcpu;
	int err, pages = 0;

	check(kvmi_vm_get_info(vm, &info), "info");
	for (vcpu = 0; vcpu < info.vcpu_count; vcpu++)
		check(kvmi_vcpu_control_events(vm, vcpu, KVMI_VCPU_EVENT_PF,
					       true), "event");
	for (; *ranges; ranges++)
		pages += lock_range(vm, *ranges);
	printf("%d pages locked\n", pages);
	while (!stop) {
		err = kvmi_vm_next_event(vm, 200, &event);
		if (!err)
			take(vm, event);
		else if (err != -ETIMEDOUT)
			check(err, "event");
	}
}

int main(int argc, char **argv)
{
	struct kvmi_listener *listener;
	struct kvmi_options opts;
	struct kvmi_vm *vm;

	if (argc < 3) {
		fprintf(stderr, "usage: %s SOCKET START-END...\n", argv[0]);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	kvmi_options_init(&opts);
	check(kvmi_listener_open_unix(&listener, argv[1], &opts), "listen");
	check(kvmi_listener_accept(listener, NULL, 30000, &vm), "accept");
	guard(vm, argv + 2);
	kvmi_vm_close(vm);
	kvmi_listener_close(listener);
	return 0;
}
