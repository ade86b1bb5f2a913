// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stores of every kind, by each vCPU of a Debian guest, to pages that its kernel
 * protects: the tool hears of each before it happens, jumps over it, and nothing
 * has changed, while the other vCPU stores to the same page.
 *
 * lab: calm timeout=240
 */
#include "../lib/lock.h"
#include "../lib/test.h"

static struct lock lock;

int main(void)
{
	lock_open(&lock);
	lock_deny_all(&lock);
	lock_close(&lock);
	return 0;
}
