// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection: what the device manager lets a tool do.
 */
#include "introspection.h"

/* A tool can always ask what it may do. */
#define FLAG_ALWAYS	true
#define FLAG_NONE	false
#define FLAG_TAIL	false
#define M(NAME, stem, scope, request, reply, flags, errors) \
	[KVMI_##NAME] = FLAG_##flags,
static const bool always_allowed[KVMI_NUM_MESSAGES] = {
	KVMI_MESSAGES(M)
};
#undef M

static void allow_always(struct kvmi_policy *policy)
{
	int id;

	for (id = 0; id < KVMI_NUM_MESSAGES; id++)
		if (always_allowed[id])
			set_bit(id, policy->commands);
}

void kvmi_policy_init(struct kvmi_policy *policy)
{
	allow_always(policy);
}

static unsigned int limit(unsigned int ioctl)
{
	return ioctl == KVM_INTROSPECTION_COMMAND ? KVMI_NUM_MESSAGES
						  : KVMI_NUM_EVENTS;
}

/* The argument is judged before it is known whether the VM is hooked. */
int kvmi_policy_check(unsigned int ioctl,
		      const struct kvm_introspection_feature *feature)
{
	if (feature->allow > 1 || feature->id < -1)
		return -EINVAL;
	if (feature->id != -1 && feature->id >= limit(ioctl))
		return -EINVAL;

	return 0;
}

static int set_command(struct kvmi_policy *policy, int id, bool allow)
{
	int first = id == -1 ? 0 : id;
	int last = id == -1 ? KVMI_NUM_MESSAGES - 1 : id;

	/* All but these is what "disallow all" means. */
	if (!allow && id != -1 && always_allowed[id])
		return -EPERM;

	for (id = first; id <= last; id++) {
		if (allow)
			set_bit(id, policy->commands);
		else if (!always_allowed[id])
			clear_bit(id, policy->commands);
	}

	return 0;
}

static void switch_off(struct kvmi_session *session, int id)
{
	struct kvm_vcpu *vcpu;
	unsigned long i;

	kvm_for_each_vcpu(i, vcpu, session->kvm)
		if (test_and_clear_bit(id, vcpu->kvmi->events))
			kvmi_vcpu_refresh_soon(vcpu);
}

/*
 * An event that is on and no longer allowed goes off. A command that switches
 * it on at this moment may win: the sender looks at both masks.
 */
static void set_event(struct kvmi_session *session, int id, bool allow)
{
	int first = id == -1 ? 0 : id;
	int last = id == -1 ? KVMI_NUM_EVENTS - 1 : id;

	for (id = first; id <= last; id++) {
		if (allow) {
			set_bit(id, session->policy.events);
		} else {
			clear_bit(id, session->policy.events);
			clear_bit(id, session->enabled_events);
			switch_off(session, id);
			if (id == KVMI_VCPU_EVENT_PAUSE)
				kvmi_vcpu_forget_pauses(session->kvm);
		}
	}
}

int kvmi_policy_set(struct kvmi_session *session, unsigned int ioctl,
		    const struct kvm_introspection_feature *feature)
{
	lockdep_assert_held(&session->kvmi->lock);

	if (ioctl == KVM_INTROSPECTION_COMMAND)
		return set_command(&session->policy, feature->id,
				   feature->allow);

	set_event(session, feature->id, feature->allow);
	return 0;
}
