// SPDX-License-Identifier: LGPL-2.1-or-later
/* Commands that have their counterpart in the protocol, one to one. */
#include <errno.h>

#include "domain.h"

int kvmi_get_vcpu_count(void *d, unsigned int *count)
{
	struct kvmi_vm_get_info_reply info;
	struct domain *dom = d;
	int err;

	err = kvmi_vm_get_info(dom->vm, &info);
	if (!err)
		*count = info.vcpu_count;
	return result(__func__, NO_VCPU, err);
}

int kvmi_get_maximum_gfn(void *d, unsigned long long *gfn)
{
	struct domain *dom = d;
	uint64_t value;
	int err;

	err = kvmi_vm_get_max_gfn(dom->vm, &value);
	if (!err)
		*gfn = value;
	return result(__func__, NO_VCPU, err);
}

int kvmi_get_tsc_speed(void *d, unsigned long long *speed)
{
	struct kvmi_vcpu_get_info_reply info;
	struct domain *dom = d;
	int err;

	err = kvmi_vcpu_get_info(dom->vm, 0, &info);
	if (!err)
		*speed = info.tsc_speed;
	return result(__func__, 0, err);
}

int kvmi_get_cpuid(void *d, unsigned short vcpu, unsigned int function,
		   unsigned int index, unsigned int *eax, unsigned int *ebx,
		   unsigned int *ecx, unsigned int *edx)
{
	struct kvmi_vcpu_get_cpuid_reply leaf;
	struct domain *dom = d;
	int err;

	err = kvmi_vcpu_get_cpuid(dom->vm, vcpu, function, index, &leaf);
	if (!err) {
		*eax = leaf.eax;
		*ebx = leaf.ebx;
		*ecx = leaf.ecx;
		*edx = leaf.edx;
	}
	return result(__func__, vcpu, err);
}

int kvmi_get_mtrr_type(void *d, unsigned long long gpa, unsigned char *type)
{
	struct domain *dom = d;

	return result(__func__, 0,
		      kvmi_vcpu_get_mtrr_type(dom->vm, 0, gpa, type));
}

int kvmi_get_xcr(void *d, unsigned short vcpu, unsigned char xcr,
		 unsigned long long *value)
{
	struct domain *dom = d;
	uint64_t got;
	int err;

	err = kvmi_vcpu_get_xcr(dom->vm, vcpu, xcr, &got);
	if (!err)
		*value = got;
	return result(__func__, vcpu, err);
}

int kvmi_get_xsave(void *d, unsigned short vcpu, void *buffer, size_t bufSize)
{
	struct kvmi_vcpu_get_xsave_reply area;
	struct domain *dom = d;
	int err;

	err = kvmi_vcpu_get_xsave(dom->vm, vcpu, &area);
	if (!err) {
		memset(buffer, 0, bufSize);
		memcpy(buffer, &area,
		       bufSize < sizeof(area) ? bufSize : sizeof(area));
	}
	return result(__func__, vcpu, err);
}

int kvmi_set_xsave(void *d, unsigned short vcpu, const void *buffer,
		   size_t size)
{
	struct kvmi_vcpu_set_xsave area = { 0 };
	struct domain *dom = d;
	int err = -EINVAL;

	if (size <= sizeof(area)) {
		memcpy(&area, buffer, size);
		err = kvmi_vcpu_set_xsave(dom->vm, vcpu, &area);
	}
	return result(__func__, vcpu, err);
}

int kvmi_inject_exception(void *d, unsigned short vcpu, unsigned long long gva,
			  unsigned int error, unsigned char vector)
{
	struct domain *dom = d;
	int err;

	err = domain_watch(dom);
	if (!err)
		err = kvmi_vcpu_inject_exception(dom->vm, vcpu, vector, error,
						 gva);
	return result(__func__, vcpu, err);
}

int kvmi_translate_gva(void *d, unsigned short vcpu, unsigned long long gva,
		       unsigned long long *gpa)
{
	struct domain *dom = d;
	uint64_t value;
	int err;

	err = kvmi_vcpu_translate_gva(dom->vm, vcpu, gva, &value);
	if (!err)
		*gpa = value;
	return result(__func__, vcpu, err);
}

int kvmi_set_registers(void *d, unsigned short vcpu,
		       const struct kvm_regs *regs)
{
	struct domain *dom = d;

	return result(__func__, vcpu,
		      kvmi_vcpu_set_registers(dom->vm, vcpu, regs));
}

static int get_registers(struct domain *dom, unsigned int vcpu,
			 struct kvmi_vcpu_get_registers_reply *reply,
			 struct kvm_msrs *msrs)
{
	uint32_t indices[KVMI_MSRS_MAX] = { 0 };
	uint64_t values[KVMI_MSRS_MAX];
	size_t i, count = msrs ? msrs->nmsrs : 0;
	int err;

	if (count > KVMI_MSRS_MAX)
		return -EINVAL;
	for (i = 0; i < count; i++)
		indices[i] = msrs->entries[i].index;
	err = kvmi_vcpu_get_registers(dom->vm, vcpu, indices, count, reply,
				      values);
	for (i = 0; i < count && !err; i++)
		msrs->entries[i].data = values[i];
	return err;
}

int kvmi_get_registers(void *dom, unsigned short vcpu, struct kvm_regs *regs,
		       struct kvm_sregs *sregs, struct kvm_msrs *msrs,
		       unsigned int *mode)
{
	struct kvmi_vcpu_get_registers_reply reply;
	int err;

	err = get_registers(dom, vcpu, &reply, msrs);
	if (!err) {
		*regs = reply.regs;
		*sregs = reply.sregs;
		if (mode)
			*mode = reply.mode;
	}
	return result(__func__, vcpu, err);
}
