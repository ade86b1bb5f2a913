// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Failures: which command, of which vCPU, and why. Each thread has its own in
 * each session, as several use one session at once.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "failure.h"
#include "vm.h"

void failures_init(struct failures *failures)
{
	pthread_mutex_init(&failures->lock, NULL);
}

void failures_uninit(struct failures *failures)
{
	pthread_mutex_destroy(&failures->lock);
}

/* The place of a thread, or FAILURES_MAX. With lock held. */
static unsigned int find(const struct failures *failures, int thread)
{
	unsigned int i;

	for (i = 0; i < FAILURES_MAX; i++)
		if (failures->list[i].thread == thread)
			break;
	return i;
}

int failures_note(struct failures *failures, int err, struct failure what)
{
	const int thread = gettid();
	unsigned int i;

	if (!err)
		return 0;
	pthread_mutex_lock(&failures->lock);
	i = find(failures, thread);
	if (i == FAILURES_MAX) {
		i = failures->next;
		failures->next = (i + 1) % FAILURES_MAX;
	}
	failures->list[i].thread = thread;
	failures->list[i].err = err;
	failures->list[i].what = what;
	pthread_mutex_unlock(&failures->lock);
	return err;
}

int failure_vcpu(unsigned int id, const void *request, size_t size)
{
	uint16_t vcpu;

	if ((!(id & 1) && id != KVMI_VM_PAUSE_VCPU) || size < sizeof(vcpu))
		return FAILURE_NONE;
	memcpy(&vcpu, request, sizeof(vcpu));
	return vcpu;
}

struct failure failure_of(unsigned int id, const void *request, size_t size)
{
	return (struct failure){
		.command = id,
		.vcpu = failure_vcpu(id, request, size),
		.event = FAILURE_NONE,
		.gpa = UINT64_MAX,
	};
}

int failure_tell(const struct failure *what, int err, struct kvmi_error *error)
{
	const struct kvmi_error full = {
		.size = error->size,
		.err = err,
		.command = what->command,
		.vcpu = what->vcpu,
		.event = what->event,
		.gpa = what->gpa,
	};

	if (error->size < sizeof(error->size))
		return -EINVAL;
	memcpy(error, &full,
	       error->size < sizeof(full) ? error->size : sizeof(full));
	return 0;
}

int kvmi_vm_get_error(struct kvmi_vm *vm, struct kvmi_error *error)
{
	struct failures *failures = &vm->failures;
	struct failure what;
	unsigned int i;
	int err = 0;

	pthread_mutex_lock(&failures->lock);
	i = find(failures, gettid());
	if (i < FAILURES_MAX) {
		what = failures->list[i].what;
		err = failures->list[i].err;
	}
	pthread_mutex_unlock(&failures->lock);
	return err ? failure_tell(&what, err, error) : -ENOENT;
}

static void name(const struct kvmi_error *error, char *text, size_t size)
{
	const char *event = kvmi_event_name((unsigned int)error->event);
	const char *command = kvmi_command_name(error->command);

	if (error->event >= 0 && event)
		snprintf(text, size, "reply to %s", event);
	else if (error->event >= 0)
		snprintf(text, size, "reply to event %d", error->event);
	else if (command)
		snprintf(text, size, "%s", command);
	else
		snprintf(text, size, "command %u", error->command);
}

static void place(const struct kvmi_error *error, char *text, size_t size)
{
	*text = '\0';
	if (error->vcpu >= 0)
		snprintf(text, size, " of vCPU %d", error->vcpu);
	else if (error->gpa != UINT64_MAX)
		snprintf(text, size, " at 0x%" PRIx64, error->gpa);
}

size_t kvmi_error_format(const struct kvmi_error *error, char *text,
			 size_t size)
{
	struct kvmi_error full = {
		.vcpu = FAILURE_NONE,
		.event = FAILURE_NONE,
		.gpa = UINT64_MAX,
	};
	char what[64], where[32];

	memcpy(&full, error, error->size < sizeof(full) ? error->size :
							  sizeof(full));
	name(&full, what, sizeof(what));
	place(&full, where, sizeof(where));
	return (size_t)snprintf(text, size, "%s%s: %s", what, where,
				kvmi_strerror(full.err));
}
