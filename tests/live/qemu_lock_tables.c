// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text of a Debian guest's kernel and all the page tables that its vCPUs use
 * without the right to write: stores that KVM's emulator knows, by each vCPU, to
 * text and to a table are told, denied or let go, and then the guest goes on.
 *
 * The processor's walk of a locked table is a violation as well, so KVM carries
 * out each instruction and the guest hardly gets on. It does nothing but these
 * stores meanwhile, with interrupts off.
 *
 * lab: calm timeout=240
 */
#include "../lib/lock.h"
#include "../lib/test.h"

static struct lock lock;

int main(void)
{
	lock_open(&lock);
	lock_tables_all(&lock, true);
	lock_close(&lock);
	return 0;
}
