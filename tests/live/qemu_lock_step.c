// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stores that KVM's emulator does not know, by each vCPU of a Debian guest, to
 * pages that its kernel protects: let go they happen once, while the other vCPU
 * stores to the same page, and none of its stores goes unheard.
 *
 * lab: calm timeout=240
 */
#include "../lib/lock.h"
#include "../lib/test.h"

static struct lock lock;

int main(void)
{
	lock_open(&lock);
	lock_continue_all(&lock, false);
	lock_close(&lock);
	return 0;
}
