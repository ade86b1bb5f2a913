// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is watched: events, registers, single steps. */
#include <errno.h>

#include "domain.h"
#include "number.h"

int kvmi_check_command(void *d, int id)
{
	int number = number_of_command(id);
	struct domain *dom = d;

	/* 0 and 1 are events and their replies, which need no leave. */
	if (id == 0 || id == 1)
		return 0;
	return result_quietly(number < 0 ? number :
			      kvmi_vm_check_command(dom->vm,
						    (unsigned int)number));
}

int kvmi_check_event(void *d, int id)
{
	int number = number_of_event(id);
	struct domain *dom = d;

	if (id == KVMI_EVENT_CREATE_VCPU)
		return 0;
	return result_quietly(number < 0 ? number :
			      kvmi_vm_check_event(dom->vm,
						  (unsigned int)number));
}

static int control_vm(struct domain *dom, int id, bool enable)
{
	int err;

	/* The kernel does not tell; programs switch it on all the same. */
	if (id == KVMI_EVENT_CREATE_VCPU)
		return 0;
	if (id != KVMI_EVENT_UNHOOK)
		return -EINVAL;
	err = domain_watch(dom);
	return err ? err : kvmi_vm_control_events(dom->vm,
						  KVMI_VM_EVENT_UNHOOK, enable);
}

int kvmi_control_vm_events(void *dom, int id, bool enable)
{
	return result(__func__, NO_VCPU, control_vm(dom, id, enable));
}

/* In the protocol these need not, or cannot, be switched on. */
static bool is_local(int id)
{
	return id == KVMI_EVENT_TRAP || id == KVMI_EVENT_SINGLESTEP ||
	       id == KVMI_EVENT_PAUSE_VCPU;
}

static void warn_of_step(const struct domain *dom, int id, bool enable)
{
	if (id == KVMI_EVENT_SINGLESTEP && enable &&
	    !dom->version.features.singlestep)
		say(KVMI_LOG_LEVEL_WARNING,
		    "this host has no single step: kvmi_control_singlestep() will fail");
}

/* The first event can come before the answer, the last one not after it. */
static int control_kernel(struct domain *dom, unsigned int vcpu, int id,
			  bool enable)
{
	int number = number_of_event(id);
	bool was_enabled;
	int err;

	if (number < 0)
		return -EINVAL;
	was_enabled = domain_is_enabled(dom, vcpu, id);
	if (enable)
		domain_set_enabled(dom, vcpu, id, true);
	err = kvmi_vcpu_control_events(dom->vm, vcpu, (unsigned int)number,
				       enable);
	if (!enable && !err) {
		domain_sweep(dom);
		domain_set_enabled(dom, vcpu, id, false);
	} else if (err) {
		domain_set_enabled(dom, vcpu, id, was_enabled);
	}
	return err;
}

static int control(struct domain *dom, unsigned int vcpu, int id, bool enable)
{
	int err;

	if (id == KVMI_EVENT_UNHOOK || id == KVMI_EVENT_CREATE_VCPU)
		return control_vm(dom, id, enable);
	if (id == KVMI_EVENT_CPUID)
		return -EOPNOTSUPP;
	err = domain_watch(dom);
	if (err || !is_local(id))
		return err ? err : control_kernel(dom, vcpu, id, enable);

	warn_of_step(dom, id, enable);
	domain_set_enabled(dom, vcpu, id, enable);
	return 0;
}

int kvmi_control_events(void *dom, unsigned short vcpu, int id, bool enable)
{
	return result(__func__, vcpu, control(dom, vcpu, id, enable));
}

int kvmi_control_cr(void *d, unsigned short vcpu, unsigned int cr, bool enable)
{
	struct domain *dom = d;
	int err = -EINVAL;

	/* It has one byte in the protocol. */
	if (cr <= UINT8_MAX)
		err = kvmi_vcpu_control_cr(dom->vm, vcpu, cr, enable);
	return result(__func__, vcpu, err);
}

int kvmi_control_msr(void *d, unsigned short vcpu, unsigned int msr,
		     bool enable)
{
	struct domain *dom = d;

	return result(__func__, vcpu,
		      kvmi_vcpu_control_msr(dom->vm, vcpu, msr, enable));
}

int kvmi_control_singlestep(void *d, unsigned short vcpu, bool enable)
{
	struct domain *dom = d;
	int err;

	err = domain_watch(dom);
	if (!err)
		err = kvmi_vcpu_control_singlestep(dom->vm, vcpu, enable);
	return result(__func__, vcpu, err);
}
