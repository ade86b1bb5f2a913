// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The guest's processors. Each has its own variables at an offset of its own,
 * and the kernel keeps its number in the limit of a segment, for programs that
 * ask which processor they run on. A program can change its bases, but not that.
 */
#include <errno.h>
#include <stdlib.h>

#include "within.h"

#define GDT_CPU_NUMBER	15
#define CPU_MASK	0xfff

int cpu_find_all(struct linux_guest *guest)
{
	uint64_t count_at, list_at;
	uint32_t count;
	int err;

	if (guest->percpu)
		return 0;
	err = kernel_symbol(guest, "nr_cpu_ids", &count_at);
	if (!err)
		err = kernel_symbol(guest, "__per_cpu_offset", &list_at);
	if (!err)
		err = memory_read(guest, count_at, &count, sizeof(count));
	if (err)
		return err;
	if (!count || count > CPUS_MAX)
		return -EBADMSG;
	guest->percpu = calloc(count, sizeof(*guest->percpu));
	if (!guest->percpu)
		return -ENOMEM;
	err = memory_read(guest, list_at, guest->percpu,
			  count * sizeof(*guest->percpu));
	guest->cpus = count;
	if (err) {
		free(guest->percpu);
		guest->percpu = NULL;
	}
	return err;
}

int cpu_variable(struct linux_guest *guest, unsigned int cpu, uint64_t offset,
		 uint64_t *gva)
{
	int err = cpu_find_all(guest);

	if (err)
		return err;
	if (cpu >= guest->cpus)
		return -ENOENT;
	*gva = guest->percpu[cpu] + offset;
	return 0;
}

static int read_number(struct linux_guest *guest, uint64_t gdt,
		       unsigned int *cpu)
{
	uint64_t segment;
	int err = memory_read(guest, gdt + 8 * GDT_CPU_NUMBER, &segment,
			      sizeof(segment));

	if (err)
		return err == -EFAULT ? -ENOENT : err;
	/* Not present: this kernel has not set it up, or it is another one. */
	if (!(segment >> 47 & 1))
		return -ENOENT;
	*cpu = segment & CPU_MASK;
	return *cpu < guest->cpus ? 0 : -ENOENT;
}

static struct place *place_of(struct linux_guest *guest, unsigned int vcpu)
{
	struct place *places;

	if (vcpu >= CPUS_MAX)
		return NULL;
	if (vcpu >= guest->place_count) {
		places = reallocarray(guest->places, vcpu + 1, sizeof(*places));
		if (!places)
			return NULL;
		memset(places + guest->place_count, 0,
		       (vcpu + 1 - guest->place_count) * sizeof(*places));
		guest->places = places;
		guest->place_count = vcpu + 1;
	}
	return &guest->places[vcpu];
}

int cpu_of_vcpu(struct linux_guest *guest, unsigned int vcpu,
		const struct kvm_sregs *sregs, unsigned int *cpu)
{
	struct place *place = place_of(guest, vcpu);
	int err = place ? cpu_find_all(guest) : -ENOMEM;

	if (err)
		return err;
	if (place->gdt && place->gdt == sregs->gdt.base) {
		*cpu = (unsigned int)place->cpu;
		return 0;
	}
	err = read_number(guest, sregs->gdt.base, cpu);
	if (!err)
		*place = (struct place){ sregs->gdt.base, (int)*cpu };
	return err;
}
