// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stores in the guest's kernel, on demand: what the test writes into the box one
 * vCPU carries out, while the other one stores to the same page without end.
 * Nothing preempts them: a switch of processes writes to the GDT, which the tool
 * is asked about when that is locked, and on a slow machine the next switch is due
 * before all is answered.
 *
 *	insmod store.ko text=ADDRESS etext=ADDRESS
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "store.h"

static unsigned long text;
module_param(text, ulong, 0444);
MODULE_PARM_DESC(text, "where the kernel's text begins");

static unsigned long etext;
module_param(etext, ulong, 0444);
MODULE_PARM_DESC(etext, "and where it ends");

static struct store_box *box;

/* Turns of which the other vCPU has begun, shall end and has ended its part. */
static u32 begun, over, ended;

static const char *const kinds[] = {
	"mov", "movs", "push", "add", "fstp", "xsave", "cmpxchg16b", "avx",
	"trap",
};

static const char *const targets[] = {
	"text", "data", "stack", "idt", "gdt", "tss", "table",
};

/* By instructions that KVM's emulator has. */
static void copy(void *to, const void *from, u32 size)
{
	volatile u64 *into = to;
	const volatile u64 *words = from;
	u32 i;

	for (i = 0; i < size / sizeof(*words); i++)
		into[i] = words[i];
}

static void wait_turn(const u32 *what, u32 turn)
{
	while (smp_load_acquire(what) != turn)
		cpu_relax();
}

/* What lies in front of the page is not meant. */
static void tell(const struct store_request *request, const void *page)
{
	struct store_reply *reply = &box->reply;
	int front = max_t(s64, (u64)page - reply->gva, 0);
	const char *what = "changed";

	if (request->flags & STORE_QUIET)
		return;
	if (!memcmp(reply->before + front, reply->after + front,
		    reply->size - front))
		what = "as it was";
	pr_err("store: %u: %s to %s on vCPU %u: %s\n", request->turn,
	       kinds[request->kind], targets[request->target], request->cpu,
	       what);
}

static void serve(const struct store_request *request)
{
	const struct store_target *target =
		&box->targets[request->cpu][request->target];
	struct store_reply *reply = &box->reply;
	void *at = (void *)target->gva + store_begin(target, request->kind);

	reply->size = store_size(request->kind);
	reply->gva = (u64)at;
	copy(reply->before, at, reply->size);
	wait_turn(&begun, request->turn);
	store_do(request->kind, at, request->value, reply);
	smp_store_release(&over, request->turn);
	wait_turn(&ended, request->turn);
	copy(reply->after, at, reply->size);
	tell(request, (void *)target->gva);
}

static void assist(const struct store_request *request)
{
	const struct store_target *target =
		&box->targets[request->cpu][request->target];
	void *at = (void *)target->gva + store_beside_at(target, request->kind);
	struct store_reply *reply = &box->reply;

	reply->others = 0;
	smp_store_release(&begun, request->turn);
	do {
		asm volatile("invlpg (%0)" : : "r" (at) : "memory");
		store_beside(at, reply->others + 1, &reply->other);
		reply->others++;
	} while (smp_load_acquire(&over) != request->turn);
}

static void take(const struct store_request *request, unsigned int cpu)
{
	bool quiet = request->flags & STORE_QUIET;

	if (quiet && !irqs_disabled())
		local_irq_disable();
	if (!quiet && irqs_disabled())
		local_irq_enable();
	if (request->cpu != cpu) {
		if (request->kind < STORE_KINDS)
			assist(request);
		smp_store_release(&ended, request->turn);
		return;
	}
	if (request->kind < STORE_KINDS)
		serve(request);
	else
		wait_turn(&ended, request->turn);
	smp_store_release(&box->reply.turn, request->turn);
}

static int worker(void *unused)
{
	unsigned int cpu = smp_processor_id();
	struct store_request request;
	u32 seen = 0;

	if (store_find_targets(box->targets[cpu], text, etext))
		return 0;
	smp_store_release(&box->ready[cpu], 1);
	for (;;) {
		request.turn = smp_load_acquire(&box->request.turn);
		if (request.turn != seen) {
			copy(&request, &box->request, sizeof(request));
			take(&request, cpu);
			seen = request.turn;
		} else if (irqs_disabled()) {
			cpu_relax();
		} else {
			usleep_range(500, 1000);
		}
	}
}

static int __init store_init(void)
{
	struct task_struct *task;
	unsigned int cpu;
	u32 kind;

	box = (void *)get_zeroed_page(GFP_KERNEL);
	if (!box)
		return -ENOMEM;
	BUILD_BUG_ON(sizeof(*box) > PAGE_SIZE);
	for (kind = 0; kind < STORE_KINDS; kind++)
		if (!store_possible(kind))
			box->missing |= BIT(kind);
	for (cpu = 0; cpu < STORE_CPUS; cpu++) {
		task = kthread_run_on_cpu(worker, NULL, cpu, "store/%u");
		if (IS_ERR(task))
			pr_err("store: no thread on vCPU %u\n", cpu);
		else
			sched_set_fifo(task);
	}
	pr_err("store: the box is at gpa 0x%llx\n", (u64)__pa(box));
	return 0;
}
module_init(store_init);

MODULE_DESCRIPTION("Stores to protected pages, on demand");
MODULE_LICENSE("GPL");
