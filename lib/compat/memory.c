// SPDX-License-Identifier: LGPL-2.1-or-later
/* Guest memory: its content, the rights to it, and how it would be mapped. */
#include <errno.h>
#include <sys/mman.h>

#include "pipeline.h"

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

/*
 * Mapping. These three and the next one are all that changes when the native
 * library can map what QEMU shares.
 */
int kvmi_memory_mapping(void *dom, bool enable)
{
	(void)dom;
	return enable ? ABSENT() : 0;
}

void *kvmi_map_physical_page(void *dom, unsigned long long gpa)
{
	(void)dom;
	(void)gpa;
	ABSENT();
	return MAP_FAILED;
}

int kvmi_unmap_physical_page(void *dom, void *addr)
{
	(void)dom;
	(void)addr;
	return ABSENT();
}

bool kvmi_remote_mapping_v2(void)
{
	return false;
}
