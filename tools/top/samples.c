// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What vCPUs run, looked at now and then: who has most of them has most of the
 * time. The vCPU goes on while the process is looked up, so one that has just
 * been left is sometimes named.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "top.h"

#define USER 3		/* privilege level */

static struct sample *find(const struct samples *samples,
			   const struct process *process, const char *symbol)
{
	struct sample *s;

	for (s = samples->list; s < samples->list + samples->count; s++)
		if (s->process.is_known == process->is_known &&
		    s->process.pid == process->pid &&
		    !strcmp(s->process.comm, process->comm) &&
		    !strcmp(s->symbol, symbol))
			return s;
	return NULL;
}

static int add(struct samples *samples, const struct process *process,
	       const char *symbol)
{
	size_t room = samples->room ? 2 * samples->room : 64;
	struct sample *s = find(samples, process, symbol);

	samples->total++;
	if (s) {
		s->count++;
		return 0;
	}
	if (samples->count == samples->room) {
		s = realloc(samples->list, room * sizeof(*s));
		if (!s)
			return -ENOMEM;
		samples->list = s;
		samples->room = room;
	}
	s = &samples->list[samples->count++];
	*s = (struct sample){ .process = *process, .count = 1 };
	snprintf(s->symbol, sizeof(s->symbol), "%s", symbol);
	return 0;
}

/* Without its offset: a function is what people know. */
static const char *name_place(struct linux_guest *guest,
			      const struct kvmi_vcpu_get_registers_reply *reply,
			      char *text, size_t room)
{
	if (reply->sregs.ss.dpl == USER)
		return "(user)";
	if (!guest)
		return "(kernel)";
	linux_format_address(guest, reply->regs.rip, text, room);
	text[strcspn(text, "+")] = '\0';
	return text;
}

static int look_at(struct samples *samples, struct kvmi_vm *vm,
		   struct linux_guest *guest, unsigned int vcpu)
{
	struct kvmi_vcpu_get_registers_reply reply;
	struct kvmi_vcpu_event state = { .vcpu = (uint16_t)vcpu };
	struct process process;
	char symbol[64];
	int err;

	err = kvmi_vcpu_get_registers(vm, vcpu, NULL, 0, &reply, NULL);
	if (err)
		return err;
	state.arch.sregs = reply.sregs;
	process_here(guest, &state, &process);
	return add(samples, &process,
		   name_place(guest, &reply, symbol, sizeof(symbol)));
}

int samples_take(struct samples *samples, struct kvmi_vm *vm,
		 struct linux_guest *guest, unsigned int vcpus)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < vcpus && !err; i++) {
		err = look_at(samples, vm, guest, i);
		/* Not started, unplugged, or its thread is held up. */
		if (err == -EAGAIN || err == -EINVAL || err == -ETIMEDOUT)
			err = 0;
	}
	return err;
}

void samples_clear(struct samples *samples)
{
	samples->count = 0;
	samples->total = 0;
}

void samples_free(struct samples *samples)
{
	free(samples->list);
	*samples = (struct samples){ 0 };
}
