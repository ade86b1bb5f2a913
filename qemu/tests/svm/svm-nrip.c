/*
 * NRIP save: which exits tell the next instruction's address, and which
 * events return to it when they are injected?
 *
 * "nrip-save" on the command line says that the feature is on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "vmm.h"

#define ARRAY_SIZE(a)    (sizeof(a) / sizeof((a)[0]))
#define ALL_STALE        (~0ULL / 0xff * STALE)

/* Not where the guest is. */
#define INJECTED_NEXT    0x1234567

#define VECTOR           0x21
#define UD_VECTOR        6
#define CPL_3            (3 << 5)

struct insn {
    const char *what;
    uint32_t exit_code;
    uint8_t length;
    const char *code;
};

/* Exceptions that have a next address are those of INT3, INTO and BOUND. */
static const struct insn insns[] = {
    { "MOV from CR3",     0x03, 3, "\x0f\x20\xd8" },
    { "MOV to CR4",       0x14, 3, "\x0f\x22\xe0" },
    { "MOV to CR0",       0x10, 3, "\x0f\x22\xc0" },
    { "selected MOV to CR0", 0x65, 3, "\x0f\x22\xc0" },
    { "LMSW",             0x10, 3, "\x0f\x01\xf0" },
    { "CLTS",             0x10, 2, "\x0f\x06" },
    { "SMSW",             0x00, 3, "\x0f\x01\xe0" },
    { "MOV from DR7",     0x27, 3, "\x0f\x21\xf8" },
    { "MOV to DR0",       0x30, 3, "\x0f\x23\xc0" },
    { "SIDT",             0x66, 7, "\x0f\x01\x0d\x00\x10\x00\x00" },
    { "SGDT",             0x67, 7, "\x0f\x01\x05\x00\x10\x00\x00" },
    { "SLDT",             0x68, 3, "\x0f\x00\xc0" },
    { "STR",              0x69, 3, "\x0f\x00\xc8" },
    { "LIDT",             0x6a, 7, "\x0f\x01\x1d\x00\x10\x00\x00" },
    { "LGDT",             0x6b, 7, "\x0f\x01\x15\x00\x10\x00\x00" },
    { "LLDT",             0x6c, 3, "\x0f\x00\xd0" },
    { "LTR",              0x6d, 3, "\x0f\x00\xd8" },
    { "RDTSC",            0x6e, 2, "\x0f\x31" },
    { "RDPMC",            0x6f, 2, "\x0f\x33" },
    { "PUSHF",            0x70, 1, "\x9c" },
    { "POPF",             0x71, 1, "\x9d" },
    { "CPUID",            0x72, 2, "\x0f\xa2" },
    { "CPUID with a prefix", 0x72, 3, "\x2e\x0f\xa2" },
    { "IRET",             0x74, 1, "\xcf" },
    { "INT n",            0x75, 2, "\xcd\x21" },
    { "INVD",             0x76, 2, "\x0f\x08" },
    { "PAUSE",            0x77, 2, "\xf3\x90" },
    { "HLT",              0x78, 1, "\xf4" },
    { "INVLPG",           0x79, 7, "\x0f\x01\x3d\x00\x10\x00\x00" },
    { "INVLPGA",          0x7a, 3, "\x0f\x01\xdf" },
    { "IN",               0x7b, 2, "\xe4\x80" },
    { "OUTSB",            0x7b, 1, "\x6e" },
    { "RDMSR",            0x7c, 2, "\x0f\x32" },
    { "WRMSR",            0x7c, 2, "\x0f\x30" },
    { "VMRUN",            0x80, 3, "\x0f\x01\xd8" },
    { "VMMCALL",          0x81, 3, "\x0f\x01\xd9" },
    { "VMLOAD",           0x82, 3, "\x0f\x01\xda" },
    { "VMSAVE",           0x83, 3, "\x0f\x01\xdb" },
    { "STGI",             0x84, 3, "\x0f\x01\xdc" },
    { "CLGI",             0x85, 3, "\x0f\x01\xdd" },
    { "SKINIT",           0x86, 3, "\x0f\x01\xde" },
    { "ICEBP",            0x88, 1, "\xf1" },
    { "WBINVD",           0x89, 2, "\x0f\x09" },
    { "MONITOR",          0x8a, 3, "\x0f\x01\xc8" },
    { "MWAIT",            0x8b, 3, "\x0f\x01\xc9" },
    { "XSETBV",           0x8d, 3, "\x0f\x01\xd1" },
    { "INT3",             0x43, 1, "\xcc" },
    { "INTO",             0x44, 1, "\xce" },
    { "BOUND",            0x45, 6, "\x62\x05\x00\x10\x00\x00" },
    { "#UD",              0x46, 0, "\x0f\x0b" },
    { "#DE",              0x40, 0, "\xf7\xf1" },
};

asm(".text\n"
    "handler:       pop %eax\n  vmmcall\n"
    "guest_code:    cpuid\n  vmmcall\n");

extern const char handler[], guest_code[];

static bool on;

static bool next_is(uint64_t next)
{
    return vmcb.next_rip == (on ? next : ALL_STALE);
}

static void exits(const struct insn *insn)
{
    const uint32_t start = (uint32_t)insn->code;

    reset_guest(insn->code);
    vmcb.rflags |= EFLAGS_OF;
    vmcb.cr0 ^= 1 << 18;                /* a change for MOV to CR0 */
    vmcb.rax = 0x80000000;              /* below BOUND's limits */
    if (insn->exit_code >= EXIT_INTERCEPT2) {
        vmcb.rax = 0;                   /* the operand of VMRUN... */
    }
    intercept(insn->exit_code);
    run_guest();
    report(insn->what, vmcb.exit_code == insn->exit_code && vmcb.rip == start &&
                       next_is(insn->length ? start + insn->length : 0));
}

static void exit_without_instruction(void)
{
    reset_guest(guest_code);
    vmcb.asid = 0;
    run_guest();
    report("invalid VMCB", (uint32_t)vmcb.exit_code == EXIT_INVALID &&
                           next_is(0));
}

/* The address that the injected @event leaves on the guest's stack. */
static void injects(const char *what, uint32_t event, uint32_t address)
{
    reset_guest(guest_code);
    vmcb.event = EVENT_VALID | event;
    vmcb.next_rip = INJECTED_NEXT;
    run_guest();
    report(what, vmcb.exit_code == EXIT_VMMCALL && vmcb.rax == address);
}

/* The gate is for privilege level 0: the guest gets #GP instead. */
static void injects_at_level_3(const char *what, uint32_t event)
{
    reset_guest(guest_code);
    vmcb.cs.selector |= 3;
    vmcb.cs.attrib |= CPL_3;
    vmcb.ss.selector |= 3;
    vmcb.ss.attrib |= CPL_3;
    vmcb.cpl = 3;
    vmcb.event = EVENT_VALID | event;
    vmcb.next_rip = INJECTED_NEXT;
    intercept(EXIT_GP);
    run_guest();
    report(what, vmcb.exit_code == EXIT_GP &&
                 vmcb.exit_info1 == ((event & 0xff) << 3 | 2) &&
                 vmcb.rip == (uint32_t)guest_code &&
                 vmcb.exit_event == (EVENT_VALID | event));
}

void run(void)
{
    const uint32_t here = (uint32_t)guest_code;
    uint32_t next, i;

    on = option("nrip-save");
    next = on ? INJECTED_NEXT : here;
    report("CPUID tells NRIP save", have_next_rip() == on);

    for (i = 0; i < ARRAY_SIZE(insns); i++) {
        exits(&insns[i]);
    }
    exit_without_instruction();

    set_gate(3, handler);
    set_gate(4, handler);
    set_gate(UD_VECTOR, handler);
    set_gate(VECTOR, handler);
    injects("injected INT n", EVENT_SOFT | VECTOR, next);
    injects("injected INT3", EVENT_EXCEPTION | 3, next);
    injects("injected INTO", EVENT_EXCEPTION | 4, next);
    injects("injected #UD", EVENT_EXCEPTION | UD_VECTOR, here);
    injects("injected interrupt", EVENT_INTR | VECTOR, here);
    injects_at_level_3("injected INT n at level 3", EVENT_SOFT | VECTOR);
    injects_at_level_3("injected INT3 at level 3", EVENT_EXCEPTION | 3);
}
