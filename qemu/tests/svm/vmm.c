/*
 * A hypervisor of one guest that runs until its first #VMEXIT.
 *
 * Runs in 32-bit protected mode, as a multiboot loader leaves it, and so does
 * the guest. Prints one line a case on port 0xe9 and ends with 0x10 (all
 * right) or 0x11 on port 0xf4.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "vmm.h"

#define MSR_EFER         0xc0000080
#define EFER_SVME        (1 << 12)
#define MSR_VM_HSAVE_PA  0xc0010117

#define CPUID_SVM        0x8000000a
#define SVM_NRIPS        (1 << 3)
#define SVM_DECODE       (1 << 7)

#define MULTIBOOT_CMDLINE (1 << 2)

_Static_assert(offsetof(struct vmcb, asid) == 0x58, "asid");
_Static_assert(offsetof(struct vmcb, exit_code) == 0x70, "exit_code");
_Static_assert(offsetof(struct vmcb, event) == 0xa8, "event");
_Static_assert(offsetof(struct vmcb, next_rip) == 0xc8, "next_rip");
_Static_assert(offsetof(struct vmcb, insn) == 0xd1, "insn");
_Static_assert(offsetof(struct vmcb, efer) == 0x4d0, "efer");
_Static_assert(offsetof(struct vmcb, cr4) == 0x548, "cr4");
_Static_assert(offsetof(struct vmcb, rip) == 0x578, "rip");
_Static_assert(offsetof(struct vmcb, rax) == 0x5f8, "rax");
_Static_assert(sizeof(struct vmcb) == 0x1000, "vmcb");

struct vmcb vmcb __attribute__((aligned(4096)));
static uint8_t host_save[4096] __attribute__((aligned(4096)));
static uint8_t guest_stack[4096] __attribute__((aligned(4096)));
static uint8_t all_ports[3 * 4096] __attribute__((aligned(4096)));
static uint8_t all_msrs[2 * 4096] __attribute__((aligned(4096)));
static uint64_t idt[64];
static const char *command_line = "";
static bool failed;

struct table {
    uint16_t limit;
    uint32_t base;
} __attribute__((packed));

struct multiboot {
    uint32_t flags, mem_lower, mem_upper, boot_device, command_line;
};

asm(".section .multiboot, \"a\"\n"
    ".long 0x1badb002, 0, -0x1badb002\n"
    ".text\n"
    ".globl _start\n"
    "_start:\n"
    "  lgdt gdt_table\n"
    "  ljmp $8, $1f\n"
    "1:mov $16, %eax\n"
    "  mov %eax, %ds\n  mov %eax, %es\n  mov %eax, %ss\n"
    "  mov $stack_top, %esp\n"
    "  push %ebx\n"
    "  call start\n"
    "  hlt\n"
    ".data\n"
    ".balign 8\n"
    "gdt: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff\n"
    "gdt_table: .word . - gdt - 1\n .long gdt\n"
    ".bss\n"
    ".balign 16\n"
    ".skip 4096\n"
    "stack_top:\n"
    ".text\n");

extern const struct table gdt_table;

static void outb(uint16_t port, uint8_t value)
{
    asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void print(const char *s)
{
    while (*s) {
        outb(0xe9, *s++);
    }
}

static void print_hex(const char *name, uint64_t value)
{
    int shift = value >> 32 ? 60 : 28;

    print(name);
    for (; shift >= 0; shift -= 4) {
        outb(0xe9, "0123456789abcdef"[value >> shift & 15]);
    }
}

static uint64_t rdmsr(uint32_t msr)
{
    uint64_t value;

    asm volatile("rdmsr" : "=A"(value) : "c"(msr));
    return value;
}

static void wrmsr(uint32_t msr, uint64_t value)
{
    asm volatile("wrmsr" : : "c"(msr), "A"(value));
}

static void fill(void *p, uint8_t value, uint32_t size)
{
    uint8_t *byte = p;

    while (size--) {
        *byte++ = value;
    }
}

static uint32_t svm_features(void)
{
    uint32_t eax = CPUID_SVM, ebx, ecx, edx;

    asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
    return edx;
}

bool have_next_rip(void)
{
    return svm_features() & SVM_NRIPS;
}

bool have_decode_assists(void)
{
    return svm_features() & SVM_DECODE;
}

bool option(const char *word)
{
    const char *s = command_line;
    uint32_t i;

    for (; *s; s++) {
        for (i = 0; word[i] && s[i] == word[i]; i++) {
        }
        if (!word[i]) {
            return true;
        }
    }
    return false;
}

void set_gate(int vector, const char *code)
{
    uint32_t address = (uint32_t)code;

    idt[vector] = (uint64_t)(address & 0xffff0000) << 32 |
                  0x8eULL << 40 | 8 << 16 | (address & 0xffff);
}

void reset_guest(const void *code)
{
    const struct seg data = { 16, 0xc93, 0xffffffff, 0 };
    uint32_t cr0;

    asm volatile("mov %%cr0, %0" : "=r"(cr0));
    fill(&vmcb, 0, sizeof(vmcb));
    fill(&vmcb.next_rip, STALE, sizeof(vmcb.next_rip));
    fill(&vmcb.insn_len, STALE, 1 + sizeof(vmcb.insn));
    intercept(EXIT_INTERCEPT2);
    intercept(EXIT_VMMCALL);
    vmcb.iopm = (uint32_t)all_ports;
    vmcb.msrpm = (uint32_t)all_msrs;
    vmcb.asid = 1;
    vmcb.cs = (struct seg){ 8, 0xc9b, 0xffffffff, 0 };
    vmcb.ds = vmcb.es = vmcb.ss = data;
    vmcb.gdtr = (struct seg){ 0, 0, gdt_table.limit, gdt_table.base };
    vmcb.idtr = (struct seg){ 0, 0, sizeof(idt) - 1, (uint32_t)idt };
    vmcb.efer = EFER_SVME;
    vmcb.cr0 = cr0 & ~CR0_PG;
    vmcb.dr7 = 0x400;
    vmcb.dr6 = 0xffff0ff0;
    vmcb.rflags = 2;
    vmcb.rip = (uint32_t)code;
    vmcb.rsp = (uint32_t)(guest_stack + sizeof(guest_stack));
}

void intercept(uint32_t exit_code)
{
    uint32_t bit = 1u << (exit_code & 31);

    if (exit_code < EXIT_CR_WRITE) {
        vmcb.cr_read |= bit;
    } else if (exit_code < EXIT_DR_READ) {
        vmcb.cr_write |= bit >> 16;
    } else if (exit_code < EXIT_DR_WRITE) {
        vmcb.dr_read |= bit;
    } else if (exit_code < EXIT_EXCEPTION) {
        vmcb.dr_write |= bit >> 16;
    } else if (exit_code < EXIT_INTERCEPT1) {
        vmcb.exceptions |= bit;
    } else if (exit_code < EXIT_INTERCEPT2) {
        vmcb.instructions1 |= bit;
    } else {
        vmcb.instructions2 |= bit;
    }
}

void run_guest(void)
{
    uint32_t eax = (uint32_t)&vmcb, ecx = 0;

    asm volatile("push %%ebp\n"
                 "vmrun %%eax\n"
                 "pop %%ebp\n"
                 "stgi\n"
                 : "+a"(eax), "+c"(ecx)
                 : : "ebx", "edx", "esi", "edi", "memory");
}

void report(const char *what, bool good)
{
    print(good ? "ok   " : "FAIL ");
    print(what);
    if (!good) {
        print_hex(": exit ", vmcb.exit_code);
        print_hex(" info1 ", vmcb.exit_info1);
        print_hex(" info2 ", vmcb.exit_info2);
        print_hex(" rip ", vmcb.rip);
        print_hex(" next ", vmcb.next_rip);
        print_hex(" insn ", vmcb.insn_len);
        print_hex(" rax ", vmcb.rax);
        failed = true;
    }
    print("\n");
}

void start(const struct multiboot *info);

void start(const struct multiboot *info)
{
    if (info->flags & MULTIBOOT_CMDLINE) {
        command_line = (const char *)info->command_line;
    }
    fill(all_ports, 0xff, sizeof(all_ports));
    fill(all_msrs, 0xff, sizeof(all_msrs));
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
    wrmsr(MSR_VM_HSAVE_PA, (uint32_t)host_save);
    run();
    outb(0xf4, failed ? 0x11 : 0x10);
}
