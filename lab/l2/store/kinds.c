// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stores. Each is one instruction between two labels, which the test uses
 * to know it, and to jump over it.
 */
#include <linux/cpufeature.h>
#include <linux/objtool.h>
#include <linux/string.h>
#include <asm/asm.h>
#include <asm/fpu/api.h>

#include "store.h"

#define INSN(name, text) \
	"store_" #name "_begin: " text "\n" \
	"store_" #name "_end:\n"

#define LOCATE(name, insn) \
	asm volatile("lea store_" #name "_begin(%%rip), %0\n\t" \
		     "lea store_" #name "_end(%%rip), %1" \
		     : "=r" ((insn)->begin), "=r" ((insn)->end))

#define WORDS	4		/* of a vector, and of a string */
#define NOT_CANONICAL	(1ul << 63)

static void fill(u64 *words, u64 value)
{
	int i;

	for (i = 0; i < WORDS; i++)
		words[i] = value + i;
}

static noinline void store_mov(void *at, u64 value, struct store_insn *insn)
{
	LOCATE(mov, insn);
	asm volatile(INSN(mov, "mov %1, (%0)")
		     : : "r" (at), "r" (value) : "memory");
}

static noinline void store_movs(void *at, u64 value, struct store_insn *insn)
{
	u64 words[WORDS], n = WORDS;
	void *from = words;

	fill(words, value);
	LOCATE(movs, insn);
	asm volatile(INSN(movs, "rep movsq")
		     : "+D" (at), "+S" (from), "+c" (n) : : "memory");
}

/* Nothing else may use the stack meanwhile: interrupts are off. */
static noinline u64 store_push(void *at, u64 value, struct store_insn *insn)
{
	u64 top = (u64)at + sizeof(u64), rsp;

	LOCATE(push, insn);
	asm volatile("mov %%rsp, %%rbx\n\t"
		     "mov %1, %%rsp\n\t"
		     INSN(push, "push %2")
		     "mov %%rsp, %0\n\t"
		     "mov %%rbx, %%rsp"
		     : "=&r" (rsp) : "r" (top), "r" (value) : "rbx", "memory");
	return top - rsp;
}
STACK_FRAME_NON_STANDARD(store_push);

static noinline void store_add(void *at, u64 value, struct store_insn *insn)
{
	LOCATE(add, insn);
	asm volatile(INSN(add, "add %1, (%0)")
		     : : "r" (at), "r" (value) : "memory", "cc");
}

static noinline void store_fstp(void *at, u64 value, struct store_insn *insn)
{
	LOCATE(fstp, insn);
	asm volatile("fninit\n\t"
		     "fildll %1\n\t"
		     INSN(fstp, "fstpl (%0)")
		     "fninit"
		     : : "r" (at), "m" (value) : "memory");
}

/* The components x87, SSE and AVX. */
static noinline void store_xsave(void *at, u64 value, struct store_insn *insn)
{
	u64 words[WORDS];

	fill(words, value);
	LOCATE(xsave, insn);
	asm volatile("vmovdqu (%1), %%ymm0\n\t"
		     "mov $7, %%eax\n\t"
		     "xor %%edx, %%edx\n\t"
		     INSN(xsave, "xsave64 (%0)")
		     : : "r" (at), "r" (words) : "eax", "edx", "memory", "cc");
}

static noinline void store_cmpxchg16b(void *at, u64 value,
				      struct store_insn *insn)
{
	u64 *old = at, low = old[0], high = old[1];

	LOCATE(cmpxchg16b, insn);
	asm volatile(INSN(cmpxchg16b, "lock cmpxchg16b (%2)")
		     : "+a" (low), "+d" (high)
		     : "r" (at), "b" (value), "c" (~value) : "memory", "cc");
}

static noinline void store_avx(void *at, u64 value, struct store_insn *insn)
{
	u64 words[WORDS];

	fill(words, value);
	LOCATE(avx, insn);
	asm volatile("vmovdqu (%1), %%ymm0\n\t"
		     INSN(avx, "vmovdqu %%ymm0, (%0)")
		     : : "r" (at), "r" (words) : "memory");
}

/* A load that faults, with the stack there, and an end put to it. */
static noinline void store_trap(void *at, struct store_insn *insn)
{
	void *top = at + STORE_FRAME;

	LOCATE(trap, insn);
	asm volatile("mov %%rsp, %%rbx\n\t"
		     "mov %1, %%rsp\n\t"
		     INSN(trap, "mov (%0), %%rax")
		     "mov %%rbx, %%rsp\n\t"
		     _ASM_EXTABLE(store_trap_begin, store_trap_end)
		     : : "r" (NOT_CANONICAL), "r" (top)
		     : "rax", "rbx", "memory");
}
STACK_FRAME_NON_STANDARD(store_trap);

noinline __noendbr void store_beside(void *at, u64 value, struct store_insn *insn)
{
	LOCATE(beside, insn);
	asm volatile(INSN(beside, "mov %1, (%0)")
		     : : "r" (at), "r" (value) : "memory");
}

__noendbr u32 store_size(u32 kind)
{
	static const u32 sizes[] = {
		[STORE_MOV] = 8, [STORE_MOVS] = 32, [STORE_PUSH] = 8,
		[STORE_ADD] = 8, [STORE_FSTP] = 8, [STORE_XSAVE] = 832,
		[STORE_CMPXCHG16B] = 16, [STORE_AVX] = 32,
		[STORE_TRAP] = STORE_FRAME,
	};

	return sizes[kind];
}

bool store_possible(u32 kind)
{
	switch (kind) {
	case STORE_XSAVE:
	case STORE_AVX:
		return boot_cpu_has(X86_FEATURE_XSAVE) &&
		       boot_cpu_has(X86_FEATURE_AVX);
	case STORE_CMPXCHG16B:
		return boot_cpu_has(X86_FEATURE_CX16);
	default:
		return true;
	}
}

static void store_fpu(u32 kind, void *at, u64 value, struct store_insn *insn)
{
	kernel_fpu_begin();
	if (kind == STORE_FSTP)
		store_fstp(at, value, insn);
	else if (kind == STORE_XSAVE)
		store_xsave(at, value, insn);
	else
		store_avx(at, value, insn);
	kernel_fpu_end();
}

__noendbr void store_do(u32 kind, void *at, u64 value, struct store_reply *reply)
{
	struct store_insn *insn = &reply->insn;
	unsigned long flags;

	local_irq_save(flags);
	reply->rsp = 0;
	asm volatile("invlpg (%0)" : : "r" (at) : "memory");
	asm volatile("invlpg (%0)"
		     : : "r" (at + store_size(kind) - 1) : "memory");
	switch (kind) {
	case STORE_MOV:
		store_mov(at, value, insn);
		break;
	case STORE_MOVS:
		store_movs(at, value, insn);
		break;
	case STORE_PUSH:
		reply->rsp = store_push(at, value, insn);
		break;
	case STORE_ADD:
		store_add(at, value, insn);
		break;
	case STORE_CMPXCHG16B:
		store_cmpxchg16b(at, value, insn);
		break;
	case STORE_TRAP:
		store_trap(at, insn);
		break;
	default:
		store_fpu(kind, at, value, insn);
	}
	local_irq_restore(flags);
}
