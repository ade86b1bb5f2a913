// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's own patches of its text. It writes them by a mapping that is for
 * nothing else (poking_mm), with one function. Both can be faked by who runs in
 * the kernel already, so what is written is looked at as well: see poke.c.
 */
#include <errno.h>
#include <stdlib.h>

#include "protect.h"

#define CR3_TABLE	0x000ffffffffff000ull
#define WINDOW		(2 * PAGE_SIZE)
#define MODULES_END	0xffffffffff000000ull
#define ENDBR_SIZE	4

static bool is_in(const struct range *ranges, uint64_t address)
{
	int i;

	for (i = 0; i < COPIERS; i++)
		if (address >= ranges[i].start && address < ranges[i].end)
			return true;
	return false;
}

static int read_text(void *source, uint64_t address, void *to, size_t size)
{
	const struct protect *p = source;
	const struct area *area = &p->areas[0];
	const struct ahead *a = &p->own.ahead;
	uint64_t at = address - a->at;

	if (a->at && at < AROUND && at + size <= AROUND) {
		memcpy(to, a->text + at, size);
		return 0;
	}
	if (address < area->gva || address + size > area->gva + area->size)
		return -EFAULT;
	return kvmi_vm_read_physical(p->vm, area->gpa + (address - area->gva),
				     to, size);
}

/* ENDBR comes before what ftrace patches. */
static bool is_entry(void *source, uint64_t address, enum poke_kind *kind)
{
	const struct protect *p = source;
	uint64_t offset, next;
	const char *name;

	name = linux_symbol_at(p->guest, address, &offset, &next);
	*kind = name && !strncmp(name, "__SCT__", 7) ? POKE_CALL : POKE_TRACE;
	return name && (!offset || offset == ENDBR_SIZE);
}

int own_init(struct protect *p)
{
	struct pokes *pokes = &p->own.pokes;
	const struct area *text = &p->areas[0];
	int err;

	pokes->text = text->gva;
	pokes->text_end = text->gva + text->size;
	if (linux_symbol(p->guest, "_end", &pokes->other))
		pokes->other = pokes->text_end;
	pokes->other_end = MODULES_END;
	pokes->read = read_text;
	pokes->is_entry = is_entry;
	pokes->source = p;
	err = own_find(p);
	if (err)
		complain(err, "cannot find how this kernel patches its text");
	else if (p->is_verbose)
		fprintf(stderr, "kvmi: %zu places that the kernel patches\n",
			pokes->site_count);
	return err;
}

void own_exit(struct protect *p)
{
	poke_exit(&p->own.pokes);
	free(p->own.pokes.sites);
}

struct reader {
	struct protect *p;
	unsigned int vcpu;
};

static int read_guest(void *source, uint64_t gva, void *to, size_t size)
{
	const struct reader *reader = source;
	const struct ahead *a = &reader->p->own.ahead;

	if (a->has_source && a->from == gva && size <= sizeof(a->source)) {
		memcpy(to, a->source, size);
		return 0;
	}
	return protect_read(reader->p->vm, reader->vcpu, gva, to, size);
}

/* The copier is kernel text, which does not change. Returns its size. */
static int read_code(struct protect *p, const struct kvmi_event *event,
		     const uint8_t **code)
{
	uint64_t rip = kvmi_event_get_state(event)->arch.regs.rip;
	size_t i = rip % CACHE;

	*code = p->own.cache[i].code;
	if (p->own.cache[i].rip == rip)
		return p->own.cache[i].size;
	p->own.cache[i].rip = 0;
	p->own.cache[i].size = kvmi_event_read_instruction(p->vm, event,
							   p->own.cache[i].code);
	if (p->own.cache[i].size > 0)
		p->own.cache[i].rip = rip;
	return p->own.cache[i].size;
}

/* In the kernel, by a function that copies, in the one mapping. */
static bool may_be_writer(const struct protect *p,
			  const struct kvmi_vcpu_event_arch *arch, uint64_t gva)
{
	return arch->mode == 8 && !(arch->sregs.cs.selector & 3) &&
	       (arch->sregs.cr3 & CR3_TABLE) == p->own.root &&
	       gva >= p->own.window && gva - p->own.window < WINDOW &&
	       (is_in(p->own.callers, arch->regs.rip) ||
		is_in(p->own.copiers, arch->regs.rip));
}

static bool is_image(const struct protect *p, uint64_t gva)
{
	return gva >= p->areas[0].gva && gva < p->own.pokes.other;
}

/* Where something on the stack, or in the kernel's image, was last; 0: unknown. */
static uint64_t guess(const struct protect *p, uint64_t gva)
{
	const struct page_at *page = &p->own.stacks[gva / PAGE_SIZE % CACHE];

	if (is_image(p, gva))
		return p->areas[0].gpa + (gva - p->areas[0].gva);
	return page->gva == gva / PAGE_SIZE * PAGE_SIZE ?
	       page->gpa + gva % PAGE_SIZE : 0;
}

/*
 * Reads in one go what it takes to judge a store, as each wait is the guest's:
 * the text around it, the address that the function returns to, and what a string
 * instruction copies.
 */
static int read_ahead(struct protect *p, const struct area *area, uint64_t gpa,
		      const struct kvm_regs *regs)
{
	struct ahead *a = &p->own.ahead;
	struct kvmi_range ranges[] = {
		{ .data = a->text, .size = sizeof(a->text) },
		{ .data = &a->caller, .size = sizeof(a->caller),
		  .gpa = guess(p, regs->rsp) },
		{ .data = a->source, .size = sizeof(a->source),
		  .gpa = guess(p, regs->rsi) },
	};
	size_t i, count = 3;
	int err;

	*a = (struct ahead){ .from = regs->rsi };
	ranges[0].gpa = gpa - area->gpa < AROUND / 2 ? area->gpa :
							gpa - AROUND / 2;
	if (ranges[0].gpa + AROUND > area->gpa + area->size)
		ranges[0].gpa = area->gpa + area->size - AROUND;
	/* What is not known is read as text once more. */
	for (i = 1; i < count; i++)
		if (!ranges[i].gpa)
			ranges[i].gpa = ranges[0].gpa;
	err = kvmi_vm_readv_physical(p->vm, ranges, count);
	if (!err)
		err = ranges[0].err;
	if (err)
		return err;
	a->at = area->gva + (ranges[0].gpa - area->gpa);
	/*
	 * The image is where it was. A stack that is not any more can still look
	 * right, so what is copied from there is looked up each time.
	 */
	a->has_source = is_image(p, regs->rsi) && !ranges[2].err;
	return 0;
}

/* Whether it was called by the one that patches text. */
static int check_caller(struct protect *p, const struct kvmi_vcpu_event *state)
{
	const uint64_t rsp = state->arch.regs.rsp;
	struct page_at *page = &p->own.stacks[rsp / PAGE_SIZE % CACHE];
	uint64_t gpa, from = p->own.ahead.caller;
	int err;

	if (is_in(p->own.callers, state->arch.regs.rip) ||
	    is_in(p->own.callers, from))
		return 0;
	err = kvmi_vcpu_translate_gva(p->vm, state->vcpu, rsp, &gpa);
	if (err || gpa == UINT64_MAX)
		return err ? err : -EPERM;
	page->gva = rsp & ~(PAGE_SIZE - 1);
	page->gpa = gpa & ~(PAGE_SIZE - 1);
	err = protect_read(p->vm, state->vcpu, rsp, &from, sizeof(from));
	if (err)
		return err == -EFAULT ? -EPERM : err;
	return is_in(p->own.callers, from) ? 0 : -EPERM;
}

/* Decodes the store of an event; -EPERM if that cannot be told. */
static int decode(struct protect *p, const struct kvmi_event *event,
		  uint64_t gva, const uint8_t *code, int size,
		  struct store *store)
{
	const struct kvmi_vcpu_event *state = kvmi_event_get_state(event);
	struct reader reader = { p, state->vcpu };

	if (size < 0 ||
	    store_decode(store, &state->arch, code, (size_t)size, read_guest,
			 &reader) ||
	    !store->is_known || gva - store->gva >= store->size)
		return -EPERM;
	return 0;
}

void own_forget(struct protect *p)
{
	memset(p->own.cache, 0, sizeof(p->own.cache));
}

static bool is_in_text(const struct protect *p, const struct kvmi_event *event)
{
	const struct area *text = &p->areas[0];
	uint64_t rip = kvmi_event_get_state(event)->arch.regs.rip;

	return rip >= text->gva && rip - text->gva < text->size;
}

int own_decode(struct protect *p, const struct kvmi_event *event, uint64_t gva,
	       struct store *store)
{
	const uint8_t *code;
	int size;

	if (!is_in_text(p, event))
		return -EPERM;
	size = read_code(p, event, &code);
	return decode(p, event, gva, code, size, store);
}

bool own_is_ltr(struct protect *p, const struct kvmi_event *event)
{
	const uint8_t *code;
	int size = is_in_text(p, event) ? read_code(p, event, &code) : 0;

	return size > 0 && descriptor_is_ltr(code, (size_t)size);
}

int own_read_store(struct protect *p, const struct kvmi_event *event,
		   uint64_t gva, uint8_t *bytes, size_t *size)
{
	uint8_t code[KVMI_INSTRUCTION_MAX];
	struct store store;
	int err, length = kvmi_event_read_instruction(p->vm, event, code);

	err = decode(p, event, gva, code, length, &store);
	if (err)
		return err;
	*size = store.size - (gva - store.gva);
	memcpy(bytes, store.bytes + (gva - store.gva), *size);
	return 0;
}

static int judge(struct protect *p, const struct kvmi_event *event,
		 const struct kvmi_vcpu_event_pf *pf, const struct area *area)
{
	struct store store;
	enum poke_kind kind;
	const uint8_t *code;
	uint64_t address;
	int size, err;

	size = read_code(p, event, &code);
	err = decode(p, event, pf->gva, code, size, &store);
	if (err)
		return err;
	/* In the second page of two the event tells where that begins. */
	address = area->gva + (pf->gpa - area->gpa) - (pf->gva - store.gva);
	err = poke_judge(&p->own.pokes, address, store.bytes, store.size, &kind);
	if (!err)
		p->own.counts[kind]++;
	return err;
}

int own_judge(struct protect *p, const struct kvmi_event *event,
	      const struct kvmi_vcpu_event_pf *pf, const struct area *area)
{
	const struct kvmi_vcpu_event *state = kvmi_event_get_state(event);
	int err;

	if (area->what != TEXT || !may_be_writer(p, &state->arch, pf->gva))
		return -EPERM;
	err = read_ahead(p, area, pf->gpa, &state->arch.regs);
	if (!err)
		err = check_caller(p, state);
	if (!err)
		err = judge(p, event, pf, area);
	p->own.ahead.at = 0;
	p->own.ahead.has_source = false;
	/* What cannot be read is no patch. */
	return err == -EFAULT || err == -ENOENT || err == -EILSEQ ? -EPERM : err;
}
