// SPDX-License-Identifier: LGPL-2.1-or-later
/* Find the kernel that runs in a guest, and the page tables it has for itself. */
#include <errno.h>
#include <stdlib.h>

#include "cache.h"
#include "module.h"
#include "within.h"

#define CR0_PG		(1ull << 31)
#define CR4_LA57	(1ull << 12)
#define EFER_LMA	(1ull << 10)
#define CR3_USER	(1ull << 12)
/* Processes end while their tables are looked at. */
#define ATTEMPTS	8

/* Where all memory is mapped, unless the kernel says that it moved it. */
static const struct {
	uint64_t direct, direct_end;
} maps[2] = {
	{ 0xffff888000000000, 0xffffc90000000000 },
	{ 0xff11000000000000, 0xffa0000000000000 },
};

/* A table that maps itself where the kernel has it, is the kernel's. */
static int check_root(struct linux_guest *guest, uint64_t gva, uint64_t cr3)
{
	uint64_t root, again;
	int err;

	memory_ask(guest);
	err = memory_translate(guest, cr3, gva, &root);
	if (!err)
		err = memory_translate(guest, root, gva, &again);
	if (!err && again != root)
		err = -EFAULT;
	if (!err)
		guest->root = root;
	return err;
}

/* With page-table isolation CR3 can be that of user mode, next to the other. */
static int try_vcpu(struct linux_guest *guest, unsigned int vcpu, uint64_t gva)
{
	struct kvmi_vcpu_get_registers_reply reply;
	uint64_t cr3;
	int err;

	err = kvmi_vcpu_get_registers(guest->vm, vcpu, NULL, 0, &reply, NULL);
	if (err)
		return err == -EAGAIN ? -EFAULT : err;
	if (!(reply.sregs.cr0 & CR0_PG) || !(reply.sregs.efer & EFER_LMA))
		return -EFAULT;
	guest->levels = reply.sregs.cr4 & CR4_LA57 ? 5 : 4;
	cr3 = reply.sregs.cr3 & MAPPED_TO;
	err = check_root(guest, gva, cr3 & ~CR3_USER);
	if (err == -EFAULT && (cr3 & CR3_USER))
		err = check_root(guest, gva, cr3);
	return err;
}

static int find_root(struct linux_guest *guest)
{
	struct kvmi_vm_get_info_reply info;
	unsigned int i, vcpu;
	uint64_t gva;
	int err = kernel_symbol(guest, "init_top_pgt", &gva);

	if (!err)
		err = kvmi_vm_get_info(guest->vm, &info);
	if (err)
		return err;
	err = -EFAULT;
	for (i = 0; i < ATTEMPTS && err == -EFAULT; i++)
		for (vcpu = 0; vcpu < info.vcpu_count && err == -EFAULT; vcpu++)
			err = try_vcpu(guest, vcpu, gva);
	return err == -EFAULT ? -ENOENT : err;
}

static uint64_t read_base(struct linux_guest *guest, const char *name,
			  uint64_t otherwise)
{
	uint64_t at, base;

	if (kernel_symbol(guest, name, &at) ||
	    memory_read(guest, at, &base, sizeof(base)))
		return otherwise;
	return base;
}

static int find_maps(struct linux_guest *guest)
{
	bool is_large = guest->levels == 5;
	int err = kernel_symbol(guest, "_text", &guest->text);

	if (!err)
		err = kernel_symbol(guest, "_end", &guest->text_end);
	guest->direct = read_base(guest, "page_offset_base",
				  maps[is_large].direct);
	guest->direct_end = read_base(guest, "vmalloc_base",
				      maps[is_large].direct_end);
	return err;
}

static int find(struct linux_guest *guest)
{
	struct profile_info info;
	bool is_new;
	int err;

	guest->tables = calloc(TABLES, sizeof(*guest->tables));
	if (!guest->tables)
		return -ENOMEM;
	is_new = cache_load(guest);
	err = is_new ? profile_from_vm(&guest->profile, guest->vm) : 0;
	if (err)
		return err;
	profile_get_info(guest->profile, &info);
	guest->kaslr = info.kaslr;
	err = find_root(guest);
	if (!err)
		err = find_maps(guest);
	if (!err && is_new)
		cache_save(guest);
	return err;
}

int linux_open(struct linux_guest **guest, struct kvmi_vm *vm)
{
	struct linux_guest *g = calloc(1, sizeof(*g));
	int err;

	if (!g)
		return -ENOMEM;
	g->vm = vm;
	err = find(g);
	if (err)
		linux_close(g);
	else
		*guest = g;
	return err;
}

void linux_close(struct linux_guest *guest)
{
	if (!guest)
		return;
	profile_free(guest->profile);
	fields_free(&guest->fields);
	modules_forget(guest);
	free(guest->tables);
	free(guest->percpu);
	free(guest->places);
	free(guest->task_fields);
	free(guest);
}

const struct profile *linux_get_profile(const struct linux_guest *guest)
{
	return guest->profile;
}

uint64_t linux_get_kaslr(const struct linux_guest *guest)
{
	return guest->kaslr;
}
