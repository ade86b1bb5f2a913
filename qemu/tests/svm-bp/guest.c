/*
 * Bare metal program: which SVM exits do INT3, INTO and INT n cause?
 *
 * Runs in 32-bit protected mode without paging, as a multiboot loader leaves
 * it, and so does the guest that it starts with VMRUN. Prints one line a case
 * on port 0xe9 and ends with 0x10 (all right) or 0x11 on port 0xf4.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stddef.h>
#include <stdint.h>

#define MSR_EFER         0xc0000080
#define EFER_SVME        (1 << 12)
#define MSR_VM_HSAVE_PA  0xc0010117

#define EXIT_BP          0x43
#define EXIT_OF          0x44
#define EXIT_INTN        0x75
#define EXIT_VMMCALL     0x81

#define INTERCEPT_BP     (1u << 3)      /* exceptions */
#define INTERCEPT_OF     (1u << 4)
#define INTERCEPT_INTN   (1u << 21)     /* instructions, first word */
#define INTERCEPT_VMRUN  (1u << 0)      /* instructions, second word */
#define INTERCEPT_VMMCALL (1u << 1)

#define EFLAGS_OF        (1u << 11)

struct seg {
    uint16_t selector, attrib;
    uint32_t limit;
    uint64_t base;
};

struct vmcb {
    uint32_t cr, dr, exceptions, instructions1, instructions2;
    uint8_t pad1[0x58 - 0x14];
    uint32_t asid;
    uint8_t pad2[0x70 - 0x5c];
    uint64_t exit_code, exit_info1, exit_info2;
    uint8_t pad3[0x400 - 0x88];
    struct seg es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
    uint8_t pad4[0x4cb - 0x4a0];
    uint8_t cpl;
    uint8_t pad5[4];
    uint64_t efer;
    uint8_t pad6[0x548 - 0x4d8];
    uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
    uint8_t pad7[0x5d8 - 0x580];
    uint64_t rsp;
    uint8_t pad8[0x18];
    uint64_t rax;
    uint8_t pad9[0x1000 - 0x600];
};

_Static_assert(offsetof(struct vmcb, asid) == 0x58, "asid");
_Static_assert(offsetof(struct vmcb, exit_code) == 0x70, "exit_code");
_Static_assert(offsetof(struct vmcb, efer) == 0x4d0, "efer");
_Static_assert(offsetof(struct vmcb, cr4) == 0x548, "cr4");
_Static_assert(offsetof(struct vmcb, rip) == 0x578, "rip");
_Static_assert(offsetof(struct vmcb, rax) == 0x5f8, "rax");
_Static_assert(sizeof(struct vmcb) == 0x1000, "vmcb");

static struct vmcb vmcb __attribute__((aligned(4096)));
static uint8_t host_save[4096] __attribute__((aligned(4096)));
static uint8_t guest_stack[4096] __attribute__((aligned(16)));
static uint64_t idt[8];

struct table {
    uint16_t limit;
    uint32_t base;
} __attribute__((packed));

/*
 * The multiboot header, the entry, and the guest's code. Handlers of #BP and
 * #OF leave the pushed return address in EAX.
 */
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
    "  call run\n"
    "  hlt\n"
    "int3_code:     .byte 0xcc\n  xor %eax, %eax\n  vmmcall\n"
    "int_3_code:    .byte 0xcd, 0x03\n  xor %eax, %eax\n  vmmcall\n"
    "into_code:     .byte 0xce\n  xor %eax, %eax\n  vmmcall\n"
    "handler:       pop %eax\n  vmmcall\n"
    ".data\n"
    ".balign 8\n"
    "gdt: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff\n"
    "gdt_table: .word . - gdt - 1\n .long gdt\n"
    ".bss\n"
    ".balign 16\n"
    ".skip 4096\n"
    "stack_top:\n"
    ".text\n");

extern const char int3_code[], int_3_code[], into_code[], handler[];
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

static void print_hex(uint32_t value)
{
    int shift;

    for (shift = 28; shift >= 0; shift -= 4) {
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

static void zero(void *p, uint32_t size)
{
    uint8_t *byte = p;

    while (size--) {
        *byte++ = 0;
    }
}

static void set_gate(int vector, const char *code)
{
    uint32_t address = (uint32_t)code;

    idt[vector] = (uint64_t)(address & 0xffff0000) << 32 |
                  0x8eULL << 40 | 8 << 16 | (address & 0xffff);
}

/* Run @code in a guest until it exits. */
static void run_guest(const char *code, uint32_t exceptions,
                      uint32_t instructions, uint32_t flags)
{
    const struct seg data = { 16, 0xc93, 0xffffffff, 0 };
    uint32_t cr0;

    asm volatile("mov %%cr0, %0" : "=r"(cr0));
    zero(&vmcb, sizeof(vmcb));
    vmcb.exceptions = exceptions;
    vmcb.instructions1 = instructions;
    vmcb.instructions2 = INTERCEPT_VMRUN | INTERCEPT_VMMCALL;
    vmcb.asid = 1;
    vmcb.cs = (struct seg){ 8, 0xc9b, 0xffffffff, 0 };
    vmcb.ds = vmcb.es = vmcb.ss = data;
    vmcb.gdtr = (struct seg){ 0, 0, gdt_table.limit, gdt_table.base };
    vmcb.idtr = (struct seg){ 0, 0, sizeof(idt) - 1, (uint32_t)idt };
    vmcb.efer = EFER_SVME;
    vmcb.cr0 = cr0;
    vmcb.dr7 = 0x400;
    vmcb.dr6 = 0xffff0ff0;
    vmcb.rflags = 2 | flags;
    vmcb.rip = (uint32_t)code;
    vmcb.rsp = (uint32_t)(guest_stack + sizeof(guest_stack));

    asm volatile("push %%ebp\n"
                 "vmrun %%eax\n"
                 "pop %%ebp\n"
                 "stgi\n"
                 : : "a"(&vmcb) : "ebx", "ecx", "edx", "esi", "edi", "memory");
}

static int failed;

static void expect(const char *what, uint32_t exit_code, const char *rip,
                   uint32_t rax)
{
    int good = vmcb.exit_code == exit_code && vmcb.rax == rax &&
               (!rip || vmcb.rip == (uint32_t)rip);

    print(good ? "ok   " : "FAIL ");
    print(what);
    print(": exit ");
    print_hex(vmcb.exit_code);
    print(" rip ");
    print_hex(vmcb.rip);
    print(" rax ");
    print_hex(vmcb.rax);
    print("\n");
    failed |= !good;
}

void run(void)
{
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
    wrmsr(MSR_VM_HSAVE_PA, (uint32_t)host_save);
    set_gate(3, handler);
    set_gate(4, handler);

    run_guest(int3_code, INTERCEPT_BP, 0, 0);
    expect("INT3 with #BP intercepted", EXIT_BP, int3_code, 0);
    run_guest(int3_code, INTERCEPT_BP, INTERCEPT_INTN, 0);
    expect("INT3 with #BP and INTn intercepted", EXIT_BP, int3_code, 0);
    run_guest(int3_code, 0, INTERCEPT_INTN, 0);
    expect("INT3 with INTn intercepted", EXIT_VMMCALL, NULL,
           (uint32_t)int3_code + 1);

    run_guest(int_3_code, INTERCEPT_BP, INTERCEPT_INTN, 0);
    expect("INT 3 with #BP and INTn intercepted", EXIT_INTN, int_3_code, 0);
    run_guest(int_3_code, INTERCEPT_BP, 0, 0);
    expect("INT 3 with #BP intercepted", EXIT_VMMCALL, NULL,
           (uint32_t)int_3_code + 2);

    run_guest(into_code, INTERCEPT_OF, 0, EFLAGS_OF);
    expect("INTO with #OF intercepted", EXIT_OF, into_code, 0);
    run_guest(into_code, 0, INTERCEPT_INTN, EFLAGS_OF);
    expect("INTO with INTn intercepted", EXIT_VMMCALL, NULL,
           (uint32_t)into_code + 1);
    run_guest(into_code, INTERCEPT_OF, 0, 0);
    expect("INTO without overflow", EXIT_VMMCALL, NULL, 0);

    outb(0xf4, failed ? 0x11 : 0x10);
}
