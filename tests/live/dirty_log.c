// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tool writes is in the dirty log, so that a migration carries it;
 * what it reads or fails to write is not.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "../lib/hook.h"
#include "../lib/test.h"

#define PAGES	(VMM_MEMORY >> 12)

static uint64_t log_bits[PAGES / 64];

static int count_dirty(struct vmm *vm)
{
	struct kvm_dirty_log log = { .slot = 0, .dirty_bitmap = log_bits };
	size_t i;
	int n = 0;

	memset(log_bits, 0, sizeof(log_bits));
	must(ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log));
	for (i = 0; i < PAGES / 64; i++)
		n += __builtin_popcountll(log_bits[i]);
	return n;
}

static bool is_dirty(uint64_t gfn)
{
	return log_bits[gfn / 64] >> gfn % 64 & 1;
}

int main(void)
{
	struct vmm_options options = { .flags = KVM_MEM_LOG_DIRTY_PAGES };
	struct peer peer;
	struct vmm *vm = hooked_vmm(&options, &peer);
	uint8_t page[4096];

	count_dirty(vm);
	expect(0, count_dirty(vm));

	/* No vCPU exists: the receiving thread marks by itself. */
	expect(0, __peer_put(&peer, 0x20010, "x", 1));
	expect(1, count_dirty(vm));
	expect_true(is_dirty(0x20));
	expect(0, count_dirty(vm));

	memset(page, 1, sizeof(page));
	expect(0, __peer_put(&peer, 0x21000, page, 4096));
	expect(0, __peer_put(&peer, 0x3ff000, page, 4096));
	expect(2, count_dirty(vm));
	expect_true(is_dirty(0x21) && is_dirty(0x3ff));

	expect(0, __peer_read(&peer, 0x22000, page, 4096));
	expect(-KVM_EINVAL, __peer_put(&peer, 0x22fff, "xx", 2));
	expect(0, count_dirty(vm));
	hooked_end(vm, &peer);
	return 0;
}
