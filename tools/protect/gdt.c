// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The GDTs, a page for each processor, which the kernel maps twice: to be read
 * where GDTR says, and to be written among the data of that processor.
 */
#include <errno.h>
#include <inttypes.h>

#include "protect.h"

#define GDT_NAME	"gdt_page"
#define TASK_SELECTOR	0x40

bool gdt_is_own(struct protect *p, uint64_t gpa)
{
	uint64_t offsets, page, offset, want;
	unsigned int i;

	if (linux_symbol(p->guest, "__per_cpu_offset", &offsets) ||
	    linux_symbol(p->guest, GDT_NAME, &page))
		return true;
	for (i = 0; i < p->vcpus; i++)
		if (!linux_read(p->guest, offsets + 8 * i, &offset,
				sizeof(offset)) &&
		    !linux_translate(p->guest, offset + page, &want) &&
		    want == gpa)
			return true;
	return false;
}

/* What was changed before we came cannot be denied, but told. */
static void tell_odd(struct protect *p, unsigned int vcpu, uint64_t gpa)
{
	uint64_t table[DESCRIPTORS];
	unsigned int i;

	if (kvmi_vm_read_physical(p->vm, gpa, table, sizeof(table)))
		return;
	for (i = 0; i < DESCRIPTORS; i++)
		if (descriptor_is_odd(i, table[i]))
			complain(0, "the GDT of vCPU %u has 0x%" PRIx64 " in entry %u already, which is no segment",
				 vcpu, table[i], i);
}

/*
 * A processor that is started writes its descriptors, then loads the task
 * register; so from then on, all that is to be there is.
 */
static int lock_one(struct protect *p, unsigned int vcpu)
{
	struct kvmi_vcpu_get_registers_reply reply;
	struct area gdt = { .what = GDT, .size = PAGE_SIZE };
	uint64_t gpa;
	int err;

	err = kvmi_vcpu_get_registers(p->vm, vcpu, NULL, 0, &reply, NULL);
	if (err || reply.sregs.tr.selector != TASK_SELECTOR)
		return err == -EAGAIN ? 0 : err;
	err = kvmi_vcpu_translate_gva(p->vm, vcpu, reply.sregs.gdt.base, &gpa);
	if (err || gpa == UINT64_MAX)
		return err;
	if (gpa % PAGE_SIZE || !gdt_is_own(p, gpa)) {
		if (!p->has_other_gdt)
			complain(0, "vCPU %u has another GDT, at 0x%llx, which is not locked",
				 vcpu, reply.sregs.gdt.base);
		p->has_other_gdt = true;
		return 0;
	}
	gdt.gva = reply.sregs.gdt.base;
	gdt.gpa = gpa;
	tell_odd(p, vcpu, gpa);
	/* Before it: the first store can come at once. */
	p->gdts[vcpu] = gdt;
	p->pages++;
	return lock_area(p, &gdt);
}

int gdt_lock(struct protect *p)
{
	unsigned int i;
	int err = 0;

	for (i = 0; p->has_gdt && i < p->vcpus && !err; i++)
		if (p->is_armed[i] && !p->gdts[i].size)
			err = lock_one(p, i);
	if (err)
		complain(err, "cannot lock the GDT");
	return err;
}

/* Which entry; of a table that ends where the page does. */
static unsigned int index_of(const struct area *gdt, uint64_t gpa)
{
	return (unsigned int)(gpa - gdt->gpa) / DESCRIPTOR_SIZE;
}

/*
 * Only an instruction of the locked text is known to be what was judged, and
 * only what it has in registers cannot be changed by another vCPU meanwhile.
 */
static int read_entry(struct protect *p, const struct kvmi_event *event,
		      const struct kvmi_vcpu_event_pf *pf, uint64_t *value)
{
	struct store store;
	int err = own_decode(p, event, pf->gva, &store);

	if (err)
		return err;
	if (store.gva != pf->gva || store.size != DESCRIPTOR_SIZE ||
	    pf->gpa % DESCRIPTOR_SIZE || store.is_copied)
		return -EPERM;
	memcpy(value, store.bytes, sizeof(*value));
	return 0;
}

int gdt_judge(struct protect *p, const struct kvmi_event *event,
	      const struct kvmi_vcpu_event_pf *pf, const struct area *gdt)
{
	unsigned int index = index_of(gdt, pf->gpa);
	enum descriptor_kind kind = DESCRIPTOR_TASK;
	uint64_t value, old;
	int err;

	if (!own_is_ltr(p, event)) {
		err = read_entry(p, event, pf, &value);
		if (err)
			return err;
		if (!descriptor_judge_new(index, value, &kind)) {
			err = kvmi_vm_read_physical(p->vm, pf->gpa, &old,
						    sizeof(old));
			if (err)
				return err;
			if (!descriptor_judge_change(index, old, value, &kind))
				return -EPERM;
		}
	}
	p->gdt_counts[kind]++;
	return 0;
}
