// SPDX-License-Identifier: GPL-2.0-only
/*
 * As qemu_lock_tables, with the stores that KVM's emulator does not know.
 *
 * lab: calm timeout=240
 */
#include "../lib/lock.h"
#include "../lib/test.h"

static struct lock lock;

int main(void)
{
	lock_open(&lock);
	lock_tables_all(&lock, false);
	lock_close(&lock);
	return 0;
}
