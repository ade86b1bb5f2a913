// SPDX-License-Identifier: LGPL-2.1-or-later
/* Guest memory: its content, the rights to it, and where it is mapped. */
#include <errno.h>
#include <sys/mman.h>

#include "pipeline.h"

#define PAGE_MASK 0xfffull

int kvmi_read_physical(void *d, unsigned long long gpa, void *buffer,
		       size_t size)
{
	struct domain *dom = d;

	return result(__func__, NO_VCPU,
		      kvmi_vm_read_physical(dom->vm, gpa, buffer, size));
}

int kvmi_write_physical(void *d, unsigned long long gpa, const void *buffer,
			size_t size)
{
	struct domain *dom = d;

	return result(__func__, NO_VCPU,
		      kvmi_vm_write_physical(dom->vm, gpa, buffer, size));
}

int kvmi_set_page_access(void *d, unsigned long long *gpa,
			 unsigned char *access, unsigned short count,
			 unsigned short view)
{
	struct pipeline p = { 0 };
	struct domain *dom = d;
	int err;

	err = pipeline_add_access(&p, dom, gpa, access, count, view);
	if (!err)
		err = pipeline_run(&p, dom->vm);
	pipeline_empty(&p);
	return result(__func__, NO_VCPU, err);
}

/* Whether QEMU shares the memory is known since the handshake. */
int kvmi_memory_mapping(void *d, bool enable)
{
	struct domain *dom = d;
	const void *data;
	int err = 0;

	if (enable)
		err = kvmi_vm_map_physical(dom->vm, 0, 1, &data);
	/* Some of it is, if not this. */
	if (err == -ENOENT)
		err = 0;
	return result(__func__, NO_VCPU, err);
}

void *kvmi_map_physical_page(void *d, unsigned long long gpa)
{
	struct domain *dom = d;
	const void *data;
	int err;

	err = kvmi_vm_map_physical(dom->vm, gpa & ~PAGE_MASK, PAGE_MASK + 1,
				   &data);
	return result(__func__, NO_VCPU, err) ? MAP_FAILED : (void *)data;
}

/* All of it is mapped until the domain is closed. */
int kvmi_unmap_physical_page(void *d, void *addr)
{
	(void)d;
	return result(__func__, NO_VCPU,
		      addr && addr != MAP_FAILED ? 0 : -EINVAL);
}

bool kvmi_remote_mapping_v2(void)
{
	return false;
}
