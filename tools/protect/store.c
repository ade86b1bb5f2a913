// SPDX-License-Identifier: GPL-2.0-or-later
/* What an instruction that is about to store would store, and where. */
#include <errno.h>
#include <string.h>

#include <Zydis/Zydis.h>

#include "store.h"

struct code {
	ZydisDecodedInstruction instruction;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

/* In the order of the encoding, where struct kvm_regs has its own. */
static uint64_t general_register(const struct kvm_regs *r, int id)
{
	const uint64_t all[] = {
		r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi,
		r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15,
	};

	return id >= 0 && id < 16 ? all[id] : 0;
}

/* Any part of a general register, or RIP. */
static uint64_t read_register(const struct kvmi_vcpu_event_arch *arch,
			      ZydisRegister reg)
{
	const ZydisRegister whole =
		ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64,
						 reg);
	uint64_t value;

	if (reg == ZYDIS_REGISTER_RIP)
		return arch->regs.rip;
	if (ZydisRegisterGetClass(whole) != ZYDIS_REGCLASS_GPR64)
		return 0;
	value = general_register(&arch->regs, ZydisRegisterGetId(whole));
	if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH)
		value >>= 8;
	return value;
}

static uint64_t segment_base(const struct kvmi_vcpu_event_arch *arch,
			     ZydisRegister segment)
{
	if (segment == ZYDIS_REGISTER_FS)
		return arch->sregs.fs.base;
	return segment == ZYDIS_REGISTER_GS ? arch->sregs.gs.base : 0;
}

static uint64_t address_of(const struct kvmi_vcpu_event_arch *arch,
			   const struct code *c, const ZydisDecodedOperand *o)
{
	uint64_t at = (uint64_t)o->mem.disp.value;

	if (o->mem.base != ZYDIS_REGISTER_NONE)
		at += read_register(arch, o->mem.base);
	if (o->mem.base == ZYDIS_REGISTER_RIP)
		at += c->instruction.length;
	if (o->mem.index != ZYDIS_REGISTER_NONE)
		at += read_register(arch, o->mem.index) * o->mem.scale;
	if (c->instruction.address_width == 32)
		at = (uint32_t)at;
	return at + segment_base(arch, o->mem.segment);
}

static int decode(struct code *c, const struct kvmi_vcpu_event_arch *arch,
		  const uint8_t *code, size_t length)
{
	ZydisDecoder decoder;

	if (arch->mode != 8 ||
	    !ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
					   ZYDIS_STACK_WIDTH_64)) ||
	    !ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, length,
						 &c->instruction, c->operands)))
		return -ENOENT;
	return 0;
}

static const ZydisDecodedOperand *memory_operand(const struct code *c,
						 bool is_written)
{
	const ZydisDecodedOperand *o = c->operands;
	int i;

	for (i = 0; i < c->instruction.operand_count; i++, o++)
		if (o->type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    !!(o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) ==
		    is_written)
			return o;
	return NULL;
}

static bool is_among(ZydisMnemonic mnemonic, const ZydisMnemonic *list,
		     size_t count)
{
	while (count--)
		if (list[count] == mnemonic)
			return true;
	return false;
}

/* The second operand is what is stored. */
static int fill(struct store *store, const struct kvmi_vcpu_event_arch *arch,
		const struct code *c, store_read_fn read, void *source)
{
	static const ZydisMnemonic plain[] = {
		ZYDIS_MNEMONIC_MOV, ZYDIS_MNEMONIC_MOVSB, ZYDIS_MNEMONIC_MOVSW,
		ZYDIS_MNEMONIC_MOVSD, ZYDIS_MNEMONIC_MOVSQ,
		ZYDIS_MNEMONIC_STOSB, ZYDIS_MNEMONIC_STOSW,
		ZYDIS_MNEMONIC_STOSD, ZYDIS_MNEMONIC_STOSQ,
	};
	const ZydisDecodedOperand *from = &c->operands[1];
	uint64_t value;

	if (!is_among(c->instruction.mnemonic, plain,
		      sizeof(plain) / sizeof(plain[0])) ||
	    store->size > STORE_MAX)
		return -EOPNOTSUPP;
	store->is_copied = from->type == ZYDIS_OPERAND_TYPE_MEMORY;
	if (store->is_copied)
		return read(source, address_of(arch, c, from), store->bytes,
			    store->size);
	if (from->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
		value = from->imm.value.u;
	else if (from->type == ZYDIS_OPERAND_TYPE_REGISTER &&
		 ZydisRegisterGetClass(from->reg.value) <= ZYDIS_REGCLASS_GPR64)
		value = read_register(arch, from->reg.value);
	else
		return -EOPNOTSUPP;
	memcpy(store->bytes, &value, store->size);
	return 0;
}

int store_decode(struct store *store, const struct kvmi_vcpu_event_arch *arch,
		 const uint8_t *code, size_t length, store_read_fn read,
		 void *source)
{
	const ZydisDecodedOperand *to;
	struct code c;
	int err = decode(&c, arch, code, length);

	*store = (struct store){ 0 };
	to = err ? NULL : memory_operand(&c, true);
	if (!to)
		return -ENOENT;
	store->gva = address_of(arch, &c, to);
	store->size = to->size / 8;
	store->is_known = !fill(store, arch, &c, read, source);
	return 0;
}

int store_operand(uint64_t *gva, const struct kvmi_vcpu_event_arch *arch,
		  const uint8_t *code, size_t length)
{
	const ZydisDecodedOperand *operand;
	struct code c;
	int err = decode(&c, arch, code, length);

	operand = err ? NULL : memory_operand(&c, false);
	if (!operand)
		return -ENOENT;
	*gva = address_of(arch, &c, operand);
	return 0;
}
