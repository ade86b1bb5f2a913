// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What neither the kernel nor this library has: each says so once, and fails.
 * Programs resolve the names all the same, and can do without.
 */
#include "say.h"

int kvmi_queue_spp_access(void *batch, unsigned long long *gpa,
			  unsigned int *bitmap, unsigned short view,
			  unsigned short count)
{
	(void)batch;
	(void)gpa;
	(void)bitmap;
	(void)view;
	(void)count;
	return ABSENT();
}

int kvmi_set_page_write_bitmap(void *dom, unsigned long long *gpa,
			       unsigned int *bitmap, unsigned short count)
{
	(void)dom;
	(void)gpa;
	(void)bitmap;
	(void)count;
	return ABSENT();
}

int kvmi_shutdown_guest(void *dom)
{
	(void)dom;
	return ABSENT();
}

int kvmi_get_next_available_gfn(void *dom, unsigned long long *gfn)
{
	(void)dom;
	(void)gfn;
	return ABSENT();
}

int kvmi_set_ve_info_page(void *dom, unsigned short vcpu,
			  unsigned long long gpa)
{
	(void)dom;
	(void)vcpu;
	(void)gpa;
	return ABSENT();
}

int kvmi_set_ept_page_conv(void *dom, unsigned short index,
			   unsigned long long gpa, bool sve)
{
	(void)dom;
	(void)index;
	(void)gpa;
	(void)sve;
	return ABSENT();
}

int kvmi_get_ept_page_conv(void *dom, unsigned short index,
			   unsigned long long gpa, bool *sve)
{
	(void)dom;
	(void)index;
	(void)gpa;
	(void)sve;
	return ABSENT();
}

int kvmi_switch_ept_view(void *dom, unsigned short vcpu, unsigned short view)
{
	(void)dom;
	(void)vcpu;
	(void)view;
	return ABSENT();
}

int kvmi_disable_ve(void *dom, unsigned short vcpu)
{
	(void)dom;
	(void)vcpu;
	return ABSENT();
}

int kvmi_create_ept_view(void *dom, unsigned short *view)
{
	(void)dom;
	(void)view;
	return ABSENT();
}

int kvmi_destroy_ept_view(void *dom, unsigned short view)
{
	(void)dom;
	(void)view;
	return ABSENT();
}

int kvmi_get_ept_view(void *dom, unsigned short vcpu, unsigned short *view)
{
	(void)dom;
	(void)vcpu;
	(void)view;
	return ABSENT();
}

int kvmi_control_ept_view(void *dom, unsigned short vcpu, unsigned short view,
			  bool visible)
{
	(void)dom;
	(void)vcpu;
	(void)view;
	(void)visible;
	return ABSENT();
}

int kvmi_change_gfn(void *dom, unsigned short vcpu, unsigned short view,
		    unsigned long long old_gfn, unsigned long long new_gfn)
{
	(void)dom;
	(void)vcpu;
	(void)view;
	(void)old_gfn;
	(void)new_gfn;
	return ABSENT();
}

int kvmi_alloc_gfn(void *dom, unsigned long long gfn)
{
	(void)dom;
	(void)gfn;
	return ABSENT();
}

int kvmi_free_gfn(void *dom, unsigned long long gfn)
{
	(void)dom;
	(void)gfn;
	return ABSENT();
}

/* The old library exported these two without declaring them. */
int kvmi_pause_vcpu(void *dom, unsigned short vcpu);
int kvmi_set_event_cb(void *dom, void *cb, void *ctx);

int kvmi_pause_vcpu(void *dom, unsigned short vcpu)
{
	(void)dom;
	(void)vcpu;
	return ABSENT();
}

int kvmi_set_event_cb(void *dom, void *cb, void *ctx)
{
	(void)dom;
	(void)cb;
	(void)ctx;
	return ABSENT();
}
