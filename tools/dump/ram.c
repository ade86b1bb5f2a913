// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where a guest has memory. Reads of a byte tell it: of each page in the first
 * MiB, where firmware and devices are, and of both ends of each 2 MiB above.
 */
#include <errno.h>
#include <stdlib.h>

#include "dump.h"
#include "kvmi.h"

#define LOW_END		(1ul << 20)
#define BLOCK		(2ul << 20)
#define STEPS		256

struct search {
	struct kvmi_vm *vm;
	struct ram *ram;
};

static int add(struct ram *ram, uint64_t gpa, uint64_t size)
{
	struct span *last = ram->count ? &ram->spans[ram->count - 1] : NULL;
	struct span *spans;

	ram->size += size;
	if (last && last->gpa + last->size == gpa) {
		last->size += size;
		return 0;
	}
	spans = realloc(ram->spans, (ram->count + 1) * sizeof(*spans));
	if (!spans)
		return -ENOMEM;
	ram->spans = spans;
	spans[ram->count++] = (struct span){ gpa, size };
	return 0;
}

static int look(struct search *s, uint64_t from, uint64_t end, uint64_t unit);

static int judge(struct search *s, const struct span *step, bool has_first,
		 bool has_last)
{
	if (has_first && has_last)
		return add(s->ram, step->gpa, step->size);
	if (has_first == has_last || step->size == DUMP_PAGE)
		return 0;
	return look(s, step->gpa, step->gpa + step->size, DUMP_PAGE);
}

static int look_at(struct search *s, const struct span *steps, size_t count)
{
	struct kvmi_range ranges[2 * STEPS];
	uint8_t bytes[2 * STEPS];
	size_t i;
	int err;

	for (i = 0; i < count; i++) {
		ranges[2 * i] = (struct kvmi_range){
			steps[i].gpa, &bytes[2 * i], 1, 0,
		};
		ranges[2 * i + 1] = (struct kvmi_range){
			steps[i].gpa + steps[i].size - 1, &bytes[2 * i + 1], 1,
			0,
		};
	}
	err = kvmi_vm_readv_physical(s->vm, ranges, 2 * count);
	for (i = 0; i < count && !err; i++)
		err = judge(s, &steps[i], !ranges[2 * i].err,
			    !ranges[2 * i + 1].err);
	return err;
}

static uint64_t step_size(uint64_t gpa, uint64_t end, uint64_t unit)
{
	uint64_t size = gpa < LOW_END ? DUMP_PAGE : unit - gpa % unit;

	return size < end - gpa ? size : end - gpa;
}

static int look(struct search *s, uint64_t from, uint64_t end, uint64_t unit)
{
	struct span steps[STEPS];
	size_t count;
	int err = 0;

	while (from < end && !err) {
		for (count = 0; from < end && count < STEPS; count++) {
			steps[count] = (struct span){
				from, step_size(from, end, unit),
			};
			from += steps[count].size;
		}
		err = is_stopped ? -EINTR : look_at(s, steps, count);
	}
	return err;
}

/* Returns -ENOENT if the device manager tells none. */
static int look_in_areas(struct search *s)
{
	struct kvmi_memory_area area = { .size = sizeof(area) };
	uint64_t from, end = 0;
	unsigned int i;
	int err = 0;

	for (i = 0; !err && !kvmi_vm_get_memory_area(s->vm, i, &area); i++) {
		if (area.type == KVMI_AREA_RESERVED ||
		    area.type == KVMI_AREA_UNUSABLE)
			continue;
		from = area.gpa & ~(DUMP_PAGE - 1);
		from = from > end ? from : end;
		end = (area.gpa + area.length + DUMP_PAGE - 1) &
		      ~(DUMP_PAGE - 1);
		err = look(s, from, end, BLOCK);
	}
	return err ? err : i ? 0 : -ENOENT;
}

int ram_find(struct ram *ram, struct kvmi_vm *vm, bool is_thorough)
{
	struct search s = { vm, ram };
	uint64_t gfn;
	int err = -ENOENT;

	*ram = (struct ram){ 0 };
	if (!is_thorough)
		err = look_in_areas(&s);
	if (err != -ENOENT)
		return err;
	err = kvmi_vm_get_max_gfn(vm, &gfn);
	return err ? err : look(&s, 0, gfn * DUMP_PAGE, BLOCK);
}

void ram_free(struct ram *ram)
{
	free(ram->spans);
}
