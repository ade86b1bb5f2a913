// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The notes of a core: the registers of each vCPU in the form that debuggers
 * know and in the one of QEMU's dump-guest-memory, which has those of the system
 * as well, and what the guest's kernel says of itself.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/procfs.h>
#include <sys/user.h>

#include "dump.h"
#include "kvmi.h"

#define MSR_KERNEL_GS_BASE	0xc0000102

/* QEMU has no header for others to include. */
struct qemu_segment {
	uint32_t selector, limit, flags, padding;
	uint64_t base;
};

struct qemu_cpu {
	uint32_t version, size;
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp, r8, r9, r10, r11, r12,
		 r13, r14, r15, rip, rflags;
	struct qemu_segment cs, ds, es, fs, gs, ss, ldt, tr, gdt, idt;
	uint64_t cr[5];
	uint64_t kernel_gs_base;
};

/* Of a vCPU that has not started all are zero. */
struct state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	uint64_t kernel_gs_base;
};

static void add(FILE *to, const char *name, uint32_t type, const void *data,
		size_t size)
{
	static const char zeros[4];
	const Elf64_Nhdr head = {
		.n_namesz = (Elf64_Word)strlen(name) + 1,
		.n_descsz = (Elf64_Word)size,
		.n_type = type,
	};

	fwrite(&head, sizeof(head), 1, to);
	fwrite(name, 1, head.n_namesz, to);
	fwrite(zeros, 1, -head.n_namesz & 3, to);
	fwrite(data, 1, size, to);
	fwrite(zeros, 1, -size & 3, to);
}

static void add_prstatus(FILE *to, unsigned int vcpu, const struct state *state)
{
	const struct kvm_regs *r = &state->regs;
	const struct kvm_sregs *s = &state->sregs;
	const struct user_regs_struct regs = {
		.r15 = r->r15, .r14 = r->r14, .r13 = r->r13, .r12 = r->r12,
		.rbp = r->rbp, .rbx = r->rbx, .r11 = r->r11, .r10 = r->r10,
		.r9 = r->r9, .r8 = r->r8, .rax = r->rax, .rcx = r->rcx,
		.rdx = r->rdx, .rsi = r->rsi, .rdi = r->rdi,
		.rip = r->rip, .eflags = r->rflags,
		.rsp = r->rsp, .cs = s->cs.selector, .ss = s->ss.selector,
		.ds = s->ds.selector, .es = s->es.selector,
		.fs = s->fs.selector, .gs = s->gs.selector,
		.fs_base = s->fs.base, .gs_base = s->gs.base,
	};
	struct elf_prstatus status = { .pr_pid = (int)vcpu + 1 };

	memcpy(&status.pr_reg, &regs, sizeof(status.pr_reg));
	add(to, "CORE", NT_PRSTATUS, &status, sizeof(status));
}

/* The attributes are where a descriptor has them. */
static struct qemu_segment segment(const struct kvm_segment *s)
{
	int present = s->present && !s->unusable;

	return (struct qemu_segment){
		.selector = s->selector,
		.limit = s->limit,
		.flags = (uint32_t)(s->type << 8 | s->s << 12 | s->dpl << 13 |
				    present << 15 | s->avl << 20 |
				    s->l << 21 | s->db << 22 | s->g << 23),
		.base = s->base,
	};
}

static struct qemu_segment table(const struct kvm_dtable *t)
{
	return (struct qemu_segment){ .limit = t->limit, .base = t->base };
}

static void add_qemu(FILE *to, const struct state *state)
{
	const struct kvm_regs *r = &state->regs;
	const struct kvm_sregs *s = &state->sregs;
	const struct qemu_cpu cpu = {
		.version = 1, .size = sizeof(cpu),
		.rax = r->rax, .rbx = r->rbx, .rcx = r->rcx, .rdx = r->rdx,
		.rsi = r->rsi, .rdi = r->rdi, .rsp = r->rsp, .rbp = r->rbp,
		.r8 = r->r8, .r9 = r->r9, .r10 = r->r10, .r11 = r->r11,
		.r12 = r->r12, .r13 = r->r13, .r14 = r->r14, .r15 = r->r15,
		.rip = r->rip, .rflags = r->rflags,
		.cs = segment(&s->cs), .ds = segment(&s->ds),
		.es = segment(&s->es), .fs = segment(&s->fs),
		.gs = segment(&s->gs), .ss = segment(&s->ss),
		.ldt = segment(&s->ldt), .tr = segment(&s->tr),
		.gdt = table(&s->gdt), .idt = table(&s->idt),
		.cr = { s->cr0, 0, s->cr2, s->cr3, s->cr4 },
		.kernel_gs_base = state->kernel_gs_base,
	};

	add(to, "QEMU", 0, &cpu, sizeof(cpu));
}

static int read_state(struct kvmi_vm *vm, unsigned int vcpu,
		      struct state *state)
{
	const uint32_t msr = MSR_KERNEL_GS_BASE;
	struct kvmi_vcpu_get_registers_reply reply;
	int err;

	err = kvmi_vcpu_get_registers(vm, vcpu, &msr, 1, &reply,
				      &state->kernel_gs_base);
	if (err == -EAGAIN)
		return 0;
	if (err)
		complain(err, "cannot read the registers of vCPU %u", vcpu);
	state->regs = reply.regs;
	state->sregs = reply.sregs;
	return err;
}

static void add_all(FILE *to, const struct state *states, unsigned int vcpus,
		    const struct dump_kernel *kernel)
{
	unsigned int i;

	for (i = 0; i < vcpus; i++)
		add_prstatus(to, i, &states[i]);
	for (i = 0; i < vcpus; i++)
		add_qemu(to, &states[i]);
	if (kernel->vmcoreinfo)
		add(to, "VMCOREINFO", 0, kernel->vmcoreinfo,
		    kernel->vmcoreinfo_size);
}

int notes_make(struct notes *notes, struct kvmi_vm *vm, unsigned int vcpus,
	       const struct dump_kernel *kernel)
{
	struct state *states = calloc(vcpus, sizeof(*states));
	unsigned int i;
	int err = 0;
	FILE *to;

	*notes = (struct notes){ 0 };
	to = states ? open_memstream(&notes->bytes, &notes->size) : NULL;
	if (!to) {
		complain(-ENOMEM, "cannot make notes");
		free(states);
		return -ENOMEM;
	}
	for (i = 0; i < vcpus && !err; i++)
		err = read_state(vm, i, &states[i]);
	if (!err)
		add_all(to, states, vcpus, kernel);
	if (fclose(to) && !err)
		err = -ENOMEM;
	free(states);
	return err;
}
