// SPDX-License-Identifier: GPL-2.0-only
/*
 * VCPU_TRANSLATE_GVA: through the tables that the vCPU uses now; without paging
 * the address itself; ~0 where nothing is mapped. Pages of user mode are as
 * good as others.
 */
#include <cpuid.h>
#include <sys/ioctl.h>

#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

#define CR4_SMAP	(1u << 21)
#define CPUID_SMAP	(1u << 20)

static uint64_t translate(struct peer *peer, uint16_t vcpu, uint64_t gva)
{
	struct kvmi_vcpu_translate_gva translate = { .gva = gva };
	struct kvmi_vcpu_translate_gva_reply reply = { 0 };

	vcpu_command(peer, vcpu, KVMI_VCPU_TRANSLATE_GVA, &translate,
		     sizeof(translate), &reply, sizeof(reply));
	return reply.gpa;
}

static void test_all(struct peer *peer)
{
	expect(0x1234, translate(peer, 0, 0x1234));
	expect(0xfee000b0, translate(peer, 0, 0xfee000b0));
	expect(-1, translate(peer, 0, 1ull << 32));
	expect(-1, translate(peer, 0, 1ull << 47));
	expect(-1, translate(peer, 0, -4096ull));
	/* The second table of pages of 2 MiB has an alias of the first page. */
	expect(0x1234, translate(peer, 0, (1ull << 30) + 0x1234));
	if (test_vcpus > 1)
		expect(0x5678, translate(peer, 1, 0x5678));
	/* The page after it is for user mode. */
	expect(0x2345, translate(peer, 0, (1ull << 30) + (1 << 21) + 0x2345));
}

static bool has_smap(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & CPUID_SMAP;
}

/* Tables that allow user mode, one page that does, and SMAP. */
static void add_user_page(struct vmm_vcpu *vcpu, uint64_t *pd)
{
	uint64_t *pdpt = vmm_host(vcpu->vm, GUEST_TABLES + 2 * 4096);
	uint64_t *pml4 = vmm_host(vcpu->vm, GUEST_TABLES);
	struct kvm_sregs sregs;

	pml4[0] |= 4;
	pml4[512] |= 4;		/* of the other one, which is alike */
	pdpt[1] |= 4;
	pd[1] = 0x87;
	must(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs));
	if (has_smap())
		sregs.cr4 |= CR4_SMAP;
	must(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
}

int main(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	uint64_t *pd;

	vmm_vcpu_load_long(vcpu, GUEST_CR3);
	/* The table of the second GiB is the fifth page. */
	pd = vmm_host(vm, GUEST_TABLES + 4 * 4096);
	pd[0] = 0x83;
	add_user_page(vcpu, pd);

	note("outside of KVM_RUN");
	test_all(&peer);
	note("in the guest");
	vmm_vcpu_start(vcpu);
	test_all(&peer);
	vmm_vcpu_allow(vcpu, 1);
	vmm_wait_executions(vcpu, 1);
	test_all(&peer);
	cell("message:VCPU_TRANSLATE_GVA:ok");
	hooked_end(vm, &peer);
	return 0;
}
