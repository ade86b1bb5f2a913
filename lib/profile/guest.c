// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Find the kernel of a running guest. Nothing is asked of the guest, and it goes
 * on: the tables that are read do not change.
 *
 * With page-table isolation a vCPU in user mode has tables with hardly any
 * kernel in them. Linux keeps the full ones in the page before, so that bit 12
 * of CR3 tells them apart.
 */
#include <errno.h>
#include <stdlib.h>

#include "guest.h"
#include "paging.h"
#include "profile.h"

#define MSR_LSTAR	0xc0000082
#define CR0_PG		(1ull << 31)
#define CR4_LA57	(1ull << 12)
#define EFER_LMA	(1ull << 10)
#define CR3_USER	(1ull << 12)
#define BLOCK_PAGES	(IMAGE_BLOCK / IMAGE_PAGE)

static const volatile sig_atomic_t *stop_flag;

void profile_stop_by(const volatile sig_atomic_t *flag)
{
	stop_flag = flag;
}

bool profile_is_stopped(void)
{
	return stop_flag && *stop_flag;
}

static int read_page(void *source, uint64_t gpa, uint64_t *page)
{
	if (profile_is_stopped())
		return -EINTR;
	return kvmi_vm_read_physical(source, gpa, page, IMAGE_PAGE);
}

/* Pages from @page on, at most @count, that lie behind each other. */
static size_t run_of(const struct guest *g, size_t page, size_t count)
{
	uint64_t to = g->pages[page] & MAPPED_TO;
	size_t n = 1;

	while (n < count && g->pages[page + n] &&
	       (g->pages[page + n] & MAPPED_TO) == to + n * IMAGE_PAGE)
		n++;
	return n;
}

static int fetch_run(struct image *image, size_t page, size_t count)
{
	struct guest *g = image->source;
	int status[BLOCK_PAGES], err;
	size_t i;

	if (profile_is_stopped())
		return -EINTR;
	err = kvmi_vm_read_pages(g->vm, g->pages[page] & MAPPED_TO,
				 image->bytes + page * IMAGE_PAGE, count,
				 status);
	for (i = 0; i < count && !err; i++)
		image->present[page + i] = !status[i];
	return err;
}

static int fetch(struct image *image, uint64_t at, size_t pages)
{
	struct guest *g = image->source;
	size_t page = (at - image->start) / IMAGE_PAGE, end = page + pages;
	size_t count;
	int err = 0;

	for (; page < end && !err; page += count) {
		count = 1;
		if (!g->pages[page] || image->present[page])
			continue;
		count = run_of(g, page, end - page < BLOCK_PAGES ?
			       end - page : BLOCK_PAGES);
		err = fetch_run(image, page, count);
	}
	return err;
}

/* Constant data first: there the tables are, once the kernel has booted. */
static bool is_constant(uint64_t page)
{
	return !(page & MAPPED_WRITE) && (page & MAPPED_NX);
}

static int add_spans(struct image *image, const struct guest *g,
		     bool are_constant)
{
	size_t from = 0, to;
	int err = 0;

	for (; from < WINDOW_PAGES && !err; from = to) {
		to = from + 1;
		if (!g->pages[from] || is_constant(g->pages[from]) != are_constant)
			continue;
		while (to < WINDOW_PAGES && g->pages[to] &&
		       is_constant(g->pages[to]) == are_constant)
			to++;
		err = image_add_span(image, image->start + from * IMAGE_PAGE,
				     image->start + to * IMAGE_PAGE);
	}
	return err;
}

static int make_image(struct image *image, struct guest *g)
{
	int err;

	err = image_init(image, KERNEL_WINDOW,
			 KERNEL_WINDOW + KERNEL_WINDOW_SIZE);
	if (err)
		return err;
	image->present = calloc(WINDOW_PAGES, 1);
	image->fetch = fetch;
	image->source = g;
	err = image->present ? add_spans(image, g, true) : -ENOMEM;
	return err ? err : add_spans(image, g, false);
}

/* Returns 0, -ENOENT if the kernel is not in these tables, or another. */
static int try_root(struct guest *g, uint64_t lstar, struct image *image,
		    struct kallsyms *tables)
{
	struct paging p = {
		.read = read_page, .source = g->vm,
		.levels = g->levels, .root = g->root, .pages = g->pages,
	};
	uint64_t entry;
	int err = paging_read(&p);

	if (err)
		return err == -EFAULT ? -ENOENT : err;
	/* A page that is no table of the guest's hardly maps its entry. */
	entry = lstar >= KERNEL_WINDOW &&
		lstar - KERNEL_WINDOW < KERNEL_WINDOW_SIZE ?
		g->pages[(lstar - KERNEL_WINDOW) / IMAGE_PAGE] : MAPPED_PRESENT;
	if (!entry || (entry & MAPPED_NX))
		return -ENOENT;
	err = make_image(image, g);
	if (!err)
		err = kallsyms_find(tables, image);
	/* It was not found because it was not read? */
	if (err == -ENOENT && image->err)
		err = image->err;
	if (err)
		image_exit(image);
	return err;
}

static int try_vcpu(struct guest *g, struct image *image,
		    struct kallsyms *tables)
{
	const uint32_t msr = MSR_LSTAR;
	struct kvmi_vcpu_get_registers_reply reply;
	uint64_t lstar, cr3;
	int err;

	if (profile_is_stopped())
		return -EINTR;
	err = kvmi_vcpu_get_registers(g->vm, g->vcpu, &msr, 1, &reply, &lstar);
	if (err)
		return err == -EAGAIN ? -ENOENT : err;
	if (!(reply.sregs.cr0 & CR0_PG) || !(reply.sregs.efer & EFER_LMA))
		return -ENOENT;
	g->levels = reply.sregs.cr4 & CR4_LA57 ? 5 : 4;
	cr3 = reply.sregs.cr3 & MAPPED_TO;
	g->root = cr3 & ~CR3_USER;
	err = try_root(g, lstar, image, tables);
	if (err != -ENOENT || !(cr3 & CR3_USER))
		return err;
	g->root = cr3;
	return try_root(g, lstar, image, tables);
}

int guest_find(struct guest *g, struct kvmi_vm *vm, struct image *image,
	       struct kallsyms *tables)
{
	struct kvmi_vm_get_info_reply info;
	int err;

	*g = (struct guest){ .vm = vm };
	err = kvmi_vm_get_info(vm, &info);
	if (err)
		return err;
	g->pages = calloc(WINDOW_PAGES, sizeof(*g->pages));
	err = g->pages ? -ENOENT : -ENOMEM;
	for (; g->vcpu < info.vcpu_count && err == -ENOENT; g->vcpu++)
		err = try_vcpu(g, image, tables);
	if (err)
		free(g->pages);
	return err;
}

void guest_exit(struct guest *g, struct image *image)
{
	image_exit(image);
	free(g->pages);
	g->pages = NULL;
}
