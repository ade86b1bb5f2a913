// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: XCR0 and the state that XSAVE saves.
 *
 * The area of the protocol is 4096 bytes, in the standard format. What a
 * processor has behind them (the tiles of AMX) is neither shown nor changed.
 */
#include <linux/kvmi_host.h>
#include <linux/slab.h>
#include <asm/fpu/api.h>
#include <asm/fpu/xcr.h>

#include "x86.h"

#include "../../../../virt/kvm/introspection/introspection.h"

#define AREA_SIZE	sizeof(struct kvmi_vcpu_get_xsave_reply)
#define BEYOND_AREA	XFEATURE_MASK_XTILE_DATA

/*
 * Inside of KVM_RUN the guest's state is in the registers of this thread, and
 * goes to memory with the exchange. Returns true if it is to be put back.
 */
static bool begin(struct kvm_vcpu *vcpu)
{
	struct fpu_guest *fpu = &vcpu->arch.guest_fpu;
	bool loaded = fpu->fpstate->in_use;

	if (loaded)
		fpu_swap_kvm_fpstate(fpu, false);

	return loaded;
}

static void end(struct kvm_vcpu *vcpu, bool loaded)
{
	if (loaded)
		fpu_swap_kvm_fpstate(&vcpu->arch.guest_fpu, true);
}

/* Room for all that there is; the area is its beginning. */
static struct xregs_state *area_alloc(struct kvm_vcpu *vcpu, size_t *size)
{
	*size = max_t(size_t, AREA_SIZE, vcpu->arch.guest_fpu.uabi_size);

	return kvzalloc(*size, GFP_KERNEL_ACCOUNT);
}

static void copy_out(struct kvm_vcpu *vcpu, struct xregs_state *area,
		     size_t size)
{
	u64 features = vcpu->arch.guest_supported_xcr0 | XFEATURE_MASK_FPSSE;

	fpu_copy_guest_fpstate_to_uabi(&vcpu->arch.guest_fpu, area, size,
				       features, vcpu->arch.pkru);
}

static int copy_in(struct kvm_vcpu *vcpu, struct xregs_state *area)
{
	struct fpu_guest *fpu = &vcpu->arch.guest_fpu;

	/* State that XFD disables cannot be loaded; KVM_SET_XSAVE does so. */
	area->header.xfeatures &= ~fpu->fpstate->xfd;

	return fpu_copy_uabi_to_guest_fpstate(fpu, area,
					      kvm_caps.supported_xcr0,
					      &vcpu->arch.pkru);
}

int handle_vcpu_get_xcr(struct kvmi_session *session, struct kvm_vcpu *vcpu,
			const struct kvmi_msg *msg)
{
	const struct kvmi_vcpu_get_xcr *req =
		(const void *)(msg->data + sizeof(struct kvmi_vcpu_hdr));
	struct kvmi_vcpu_get_xcr_reply rpl = { .value = vcpu->arch.xcr0 };
	int err = 0;

	if (memchr_inv(req->padding, 0, sizeof(req->padding)) ||
	    req->xcr != XCR_XFEATURE_ENABLED_MASK)
		err = -KVM_EINVAL;

	return kvmi_reply(session, msg, err, &rpl, sizeof(rpl));
}

int handle_vcpu_get_xsave(struct kvmi_session *session, struct kvm_vcpu *vcpu,
			  const struct kvmi_msg *msg)
{
	struct xregs_state *area;
	bool loaded;
	size_t size;
	int r;

	area = area_alloc(vcpu, &size);
	if (!area)
		return kvmi_reply(session, msg, -KVM_ENOMEM, NULL, 0);

	loaded = begin(vcpu);
	copy_out(vcpu, area, size);
	end(vcpu, loaded);
	area->header.xfeatures &= ~BEYOND_AREA;

	r = kvmi_reply(session, msg, 0, area, AREA_SIZE);
	kvfree(area);

	return r;
}

static int set(struct kvm_vcpu *vcpu, struct xregs_state *area, size_t size,
	       const struct kvmi_vcpu_set_xsave *req)
{
	bool loaded = begin(vcpu);
	u64 beyond;
	int r;

	copy_out(vcpu, area, size);
	beyond = area->header.xfeatures & BEYOND_AREA;
	memcpy(area, req, sizeof(*req));
	r = area->header.xfeatures & BEYOND_AREA ? -EINVAL : 0;
	area->header.xfeatures |= beyond;
	if (!r)
		r = copy_in(vcpu, area);
	end(vcpu, loaded);

	return r ? -KVM_EINVAL : 0;
}

int handle_vcpu_set_xsave(struct kvmi_session *session, struct kvm_vcpu *vcpu,
			  const struct kvmi_msg *msg)
{
	const struct kvmi_vcpu_set_xsave *req =
		(const void *)(msg->data + sizeof(struct kvmi_vcpu_hdr));
	struct xregs_state *area;
	size_t size;
	int err;

	area = area_alloc(vcpu, &size);
	if (!area)
		return kvmi_reply(session, msg, -KVM_ENOMEM, NULL, 0);

	err = set(vcpu, area, size, req);
	kvfree(area);

	return kvmi_reply(session, msg, err, NULL, 0);
}
