// SPDX-License-Identifier: GPL-2.0-only
/*
 * VCPU_GET_MTRR_TYPE: the type that the guest's MTRRs give to an address, by
 * the fixed ranges, the variable ranges and their overlaps, and the default.
 */
#include <stdlib.h>
#include <sys/ioctl.h>

#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

enum { UC = 0, WC = 1, WT = 4, WP = 5, WB = 6 };

#define MSR_BASE(n)	(0x200 + 2 * (n))
#define MSR_MASK(n)	(0x201 + 2 * (n))
#define MSR_DEFTYPE	0x2ff
#define VALID		0x800ull
#define ENABLED		0x800ull
#define FIXED		0x400ull
#define RANGES		8

static void set_msr(struct vmm_vcpu *vcpu, uint32_t index, uint64_t data)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = { .head = { .nmsrs = 1 }, .entry = { index, 0, data } };

	expect(1, must(ioctl(vcpu->fd, KVM_SET_MSRS, &msrs)));
}

static int get(struct peer *peer, uint64_t gpa)
{
	struct kvmi_vcpu_get_mtrr_type get = { .gpa = gpa };
	struct kvmi_vcpu_get_mtrr_type_reply reply;
	static const uint8_t zero[7];

	vcpu_command(peer, 0, KVMI_VCPU_GET_MTRR_TYPE, &get, sizeof(get),
		     &reply, sizeof(reply));
	expect_bytes(zero, reply.padding, 7);
	return reply.type;
}

/* Eight types of one register, the lowest address in the lowest byte. */
static const struct {
	uint32_t msr;
	uint64_t gpa;
	uint32_t step;
	uint64_t types;
} fixed[] = {
	{ 0x250, 0x00000, 0x10000, 0x0605040100060504 },
	{ 0x258, 0x80000, 0x4000, 0x0001040506000104 },
	{ 0x259, 0xa0000, 0x4000, 0x0406050001040605 },
	{ 0x268, 0xc0000, 0x1000, 0x0504060001050406 },
	{ 0x269, 0xc8000, 0x1000, 0x0604050100060405 },
	{ 0x26a, 0xd0000, 0x1000, 0x0106040500010604 },
	{ 0x26b, 0xd8000, 0x1000, 0x0501060400050106 },
	{ 0x26c, 0xe0000, 0x1000, 0x0405010600040501 },
	{ 0x26d, 0xe8000, 0x1000, 0x0004050106000405 },
	{ 0x26e, 0xf0000, 0x1000, 0x0600040501060004 },
	{ 0x26f, 0xf8000, 0x1000, 0x0106000405010600 },
};

/* Sizes are powers of 2, bases multiples of them. */
static const struct {
	uint64_t base, size;
	int type;
} ranges[RANGES] = {
	{ 0x000000000, 0x80000000, WB },
	{ 0x040000000, 0x10000000, UC },
	{ 0x010000000, 0x10000000, WT },
	{ 0x018000000, 0x08000000, WP },
	{ 0x020000000, 0x10000000, WC },
	{ 0x0f0000000, 0x00001000, WP },
	{ 0x100000000, 0x00100000, WT },
	{ 0x100000000, 0x00080000, WT },
};

/* By hand, from the two lists above; the default is WP. */
static const struct {
	uint64_t gpa;
	int type;
} want[] = {
	{ 0x00100000, WB },		/* the first range alone */
	{ 0x00100fff, WB },
	{ 0x0fffffff, WB },
	{ 0x10000000, WT },		/* WB and WT */
	{ 0x17ffffff, WT },
	{ 0x18000000, UC },		/* WB, WT and WP: left open */
	{ 0x20000000, UC },		/* WB and WC: left open */
	{ 0x2fffffff, UC },
	{ 0x30000000, WB },
	{ 0x40000000, UC },		/* UC and any */
	{ 0x4fffffff, UC },
	{ 0x50000000, WB },
	{ 0x7fffffff, WB },
	{ 0x80000000, WP },		/* none: the default */
	{ 0xefffffff, WP },
	{ 0xf0000000, WP },
	{ 0x100000000, WT },		/* twice the same */
	{ 0x10007ffff, WT },
	{ 0x1000fffff, WT },
	{ 0x100100000, WP },
	{ 0x8000000000000000, WP },	/* no address of a processor */
	{ 0xffffffffffffffff, WP },
};

static uint64_t address_mask(struct vmm_vcpu *vcpu)
{
	const int room = 256;
	struct kvm_cpuid2 *cpuid;
	uint64_t mask = 0;
	uint32_t i;

	cpuid = calloc(1, sizeof(*cpuid) + room * sizeof(cpuid->entries[0]));
	expect_true(cpuid);
	cpuid->nent = room;
	must(ioctl(vcpu->vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid));
	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 0x80000008)
			mask = (1ull << (cpuid->entries[i].eax & 0xff)) - 1;
	free(cpuid);
	expect_true(mask);
	return mask;
}

static void test_fixed(struct vmm_vcpu *vcpu, struct peer *peer)
{
	size_t i;
	int n;

	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		set_msr(vcpu, fixed[i].msr, fixed[i].types);
	set_msr(vcpu, MSR_DEFTYPE, ENABLED | FIXED | WP);
	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		for (n = 0; n < 8; n++) {
			uint64_t gpa = fixed[i].gpa + n * fixed[i].step;
			int type = fixed[i].types >> 8 * n & 0xff;

			expect(type, get(peer, gpa));
			expect(type, get(peer, gpa + fixed[i].step - 1));
		}
	expect(WP, get(peer, 0x100000));
	/* Off: variable ranges and the default count there, too. */
	set_msr(vcpu, MSR_DEFTYPE, ENABLED | WC);
	expect(WC, get(peer, 0));
	expect(WC, get(peer, 0xfffff));
}

static void test_variable(struct vmm_vcpu *vcpu, struct peer *peer)
{
	uint64_t mask = address_mask(vcpu);
	size_t i;

	for (i = 0; i < RANGES; i++) {
		set_msr(vcpu, MSR_BASE(i), ranges[i].base | ranges[i].type);
		set_msr(vcpu, MSR_MASK(i),
			(mask & ~(ranges[i].size - 1)) | VALID);
	}
	set_msr(vcpu, MSR_DEFTYPE, ENABLED | FIXED | WP);
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		note("0x%llx", (unsigned long long)want[i].gpa);
		expect(want[i].type, get(peer, want[i].gpa));
	}
	/* A range that is not valid is none. */
	set_msr(vcpu, MSR_MASK(1), mask & ~(ranges[1].size - 1));
	expect(WB, get(peer, 0x40000000));
	/* All off. */
	set_msr(vcpu, MSR_DEFTYPE, FIXED | WB);
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		expect(UC, get(peer, want[i].gpa));
	expect(UC, get(peer, 0));
}

/* A guest whose CPUID has no MTRRs is not uncached for that. */
static void test_none(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);

	vmm_vcpu_create(vm, 0);
	expect(WB, get(&peer, 0));
	expect(WB, get(&peer, 0x80000000));
	hooked_end(vm, &peer);
}

int main(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);

	vmm_vcpu_load_long(vcpu, GUEST_CR3);
	/* It rests, and brings the spare one. */
	vmm_vcpu_start(vcpu);
	vmm_vcpu_stop(vcpu);
	test_fixed(vcpu, &peer);
	test_variable(vcpu, &peer);
	cell("message:VCPU_GET_MTRR_TYPE:ok");
	hooked_end(vm, &peer);
	test_none();
	return 0;
}
