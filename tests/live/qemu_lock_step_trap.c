// SPDX-License-Identifier: GPL-2.0-only
/*
 * An exception whose frame goes to a page that is locked, in the kernel of a
 * Debian guest: let go it is delivered, once, and its handler goes on with that
 * page as its stack.
 *
 * lab: calm timeout=240
 */
#include "../lib/lock.h"
#include "../lib/test.h"

static struct lock lock;

int main(void)
{
	lock_open(&lock);
	lock_trap_all(&lock, LOCK_CONTINUE);
	lock_close(&lock);
	return 0;
}
