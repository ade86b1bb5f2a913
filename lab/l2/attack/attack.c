// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks the guest's kernel as those do who want to stay in it, each way by
 * itself, and tells which had an effect: the bits of "changed" that are set. What
 * has changed is put back at once.
 *
 *	insmod attack.ko text=ADDRESS entry=ADDRESS [gdt=1]
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmalloc.h>
#include <asm/desc.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>

static ulong text;
module_param(text, ulong, 0444);
MODULE_PARM_DESC(text, "bytes of the kernel's text that may be changed");

static ulong entry;
module_param(entry, ulong, 0444);
MODULE_PARM_DESC(entry, "of the table of system calls");

static bool gdt;
module_param(gdt, bool, 0444);
MODULE_PARM_DESC(gdt, "attack the GDT as well");

static int changed;
module_param(changed, int, 0444);
MODULE_PARM_DESC(changed, "which attacks had an effect, a bit each");

/* Into memory that the kernel has protected, by a mapping that has not. */
static bool by_alias(void *at, u8 byte)
{
	struct page *page = pfn_to_page(slow_virt_to_phys(at) >> PAGE_SHIFT);
	u8 *alias = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	u8 *to, old;
	bool is_new;

	if (!alias)
		return false;
	to = alias + offset_in_page(at);
	old = READ_ONCE(*to);
	WRITE_ONCE(*to, byte);
	is_new = READ_ONCE(*to) != old;
	if (is_new)
		WRITE_ONCE(*to, old);
	vunmap(alias);
	return is_new;
}

/* By a string instruction, which is denied as a whole. */
static bool by_string(void *at)
{
	struct page *page = pfn_to_page(slow_virt_to_phys(at) >> PAGE_SHIFT);
	u8 *alias = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	u64 old, new, zero = 0, count = sizeof(old);
	void *to;

	if (!alias)
		return false;
	to = alias + offset_in_page(at);
	memcpy(&old, to, sizeof(old));
	asm volatile("rep stosb" : "+D" (to), "+c" (count)
		     : "a" (zero) : "memory");
	memcpy(&new, alias + offset_in_page(at), sizeof(new));
	if (new != old)
		memcpy(alias + offset_in_page(at), &old, sizeof(old));
	vunmap(alias);
	return new != old;
}

static noinline ulong swap_cr0(ulong value)
{
	asm volatile("mov %0, %%cr0" : : "r" (value) : "memory");
	asm volatile("mov %%cr0, %0" : "=r" (value));
	return value;
}

static noinline ulong swap_cr4(ulong value)
{
	asm volatile("mov %0, %%cr4" : : "r" (value) : "memory");
	asm volatile("mov %%cr4, %0" : "=r" (value));
	return value;
}

/* Without WP the kernel's own mapping can be written. */
static bool by_wp(void *at, bool *is_written)
{
	ulong old = read_cr0();
	bool is_clear = !(swap_cr0(old & ~X86_CR0_WP) & X86_CR0_WP);
	u8 byte = READ_ONCE(*(u8 *)at);

	*is_written = false;
	if (is_clear) {
		WRITE_ONCE(*(u8 *)at, byte ^ 1);
		*is_written = READ_ONCE(*(u8 *)at) != byte;
		if (*is_written)
			WRITE_ONCE(*(u8 *)at, byte);
		swap_cr0(old);
	}
	return is_clear;
}

static bool by_cr4(ulong bits)
{
	ulong old = __read_cr4();
	bool is_clear = (swap_cr4(old & ~bits) & bits) != (old & bits);

	if (is_clear)
		swap_cr4(old);
	return is_clear;
}

static bool by_msr(u32 msr, u64 value)
{
	u64 old, now;

	rdmsrl(msr, old);
	wrmsrl(msr, value);
	rdmsrl(msr, now);
	if (now != old)
		wrmsrl(msr, old);
	return now != old;
}

static noinline void load_table(const struct desc_ptr *table)
{
	asm volatile("lidt %0" : : "m" (*table));
}

/* A copy of the table is as good, until somebody changes it. */
static bool by_lidt(void *copy)
{
	struct desc_ptr old, new, now;

	store_idt(&old);
	memcpy(copy, (void *)old.address, old.size + 1);
	new = (struct desc_ptr){ .size = old.size, .address = (ulong)copy };
	load_table(&new);
	store_idt(&now);
	if (now.address != old.address)
		load_table(&old);
	return now.address != old.address;
}

/* Nothing may come between a change and its end. */
static int attack_registers(void *copy)
{
	bool is_written;
	ulong flags;
	int result;

	local_irq_save(flags);
	result = by_wp((void *)text, &is_written) << 3;
	result |= is_written << 4;
	result |= by_cr4(X86_CR4_SMEP) << 5;
	result |= by_cr4(X86_CR4_SMAP) << 6;
	result |= by_msr(MSR_LSTAR, (ulong)copy) << 7;
	result |= by_lidt(copy) << 8;
	local_irq_restore(flags);
	return result;
}

/* What is put back at once, as it was. */
static bool by_descriptor(struct desc_struct *at, u64 value)
{
	u64 *entry = (u64 *)at, old = READ_ONCE(*entry);
	bool is_new;

	WRITE_ONCE(*entry, value);
	is_new = READ_ONCE(*entry) != old;
	if (is_new)
		WRITE_ONCE(*entry, old);
	return is_new;
}

/* Data of the kernel becomes data of everybody. */
static bool by_rights(struct desc_struct *at)
{
	u8 *rights = (u8 *)at + 5, old = READ_ONCE(*rights);
	bool is_new;

	WRITE_ONCE(*rights, old | 0x60);
	is_new = READ_ONCE(*rights) != old;
	if (is_new)
		WRITE_ONCE(*rights, old);
	return is_new;
}

/* Gates into the kernel, by the kernel's own mapping, which can be written. */
static int attack_gdt(void)
{
	const u64 gate = 0xffffec0000100000ull;
	struct desc_struct *table = get_cpu_gdt_rw(raw_smp_processor_id());
	struct desc_struct before[GDT_ENTRIES];
	ulong flags;
	int result;

	result = by_alias(&table[GDT_ENTRY_TSS], 0xff) << 13;
	local_irq_save(flags);
	table = get_cpu_gdt_rw(smp_processor_id());
	memcpy(before, table, sizeof(before));
	/* An entry that nothing uses, and one that each switch stores to. */
	result |= by_descriptor(&table[7], gate) << 10;
	result |= by_descriptor(&table[GDT_ENTRY_TLS_MIN + 1], gate) << 11;
	result |= by_rights(&table[GDT_ENTRY_KERNEL_DS]) << 12;
	/* Nothing of it may be left. */
	result |= !!memcmp(before, table, sizeof(before)) << 14;
	local_irq_restore(flags);
	return result;
}

static int attack(void)
{
	void *copy = (void *)get_zeroed_page(GFP_KERNEL);
	struct desc_ptr idt;

	if (!copy || !text || !entry)
		return -EINVAL;
	store_idt(&idt);
	changed = by_alias((void *)text, READ_ONCE(*(u8 *)text) ^ 1);
	changed |= by_alias((void *)entry, READ_ONCE(*(u8 *)entry) ^ 1) << 1;
	/* The second word of a vector that nothing uses. */
	changed |= by_alias((void *)(idt.address + 16 * 0x3f + 12), 0xff) << 2;
	changed |= attack_registers(copy);
	changed |= by_string((void *)text) << 9;
	if (gdt)
		changed |= attack_gdt();
	free_page((ulong)copy);
	return 0;
}

static int attack_init(void)
{
	return attack();
}
module_init(attack_init);

static void attack_exit(void)
{
}
module_exit(attack_exit);

MODULE_DESCRIPTION("Attacks the kernel in several ways");
MODULE_LICENSE("GPL");
