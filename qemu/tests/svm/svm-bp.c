/*
 * Which SVM exits do INT3, INTO and INT n cause?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "vmm.h"

/*
 * The guest's code. Handlers of #BP and #OF leave the pushed return address
 * in EAX.
 */
asm(".text\n"
    "int3_code:     .byte 0xcc\n  xor %eax, %eax\n  vmmcall\n"
    "int_3_code:    .byte 0xcd, 0x03\n  xor %eax, %eax\n  vmmcall\n"
    "into_code:     .byte 0xce\n  xor %eax, %eax\n  vmmcall\n"
    "handler:       pop %eax\n  vmmcall\n");

extern const char int3_code[], int_3_code[], into_code[], handler[];

/* @code exits where it starts. */
static void expect_exit(const char *what, const char *code, uint32_t exit_code)
{
    run_guest();
    report(what, vmcb.exit_code == exit_code && vmcb.rip == (uint32_t)code &&
                 vmcb.rax == 0);
}

/* The guest runs to its VMMCALL with @rax. */
static void expect_end(const char *what, uint32_t rax)
{
    run_guest();
    report(what, vmcb.exit_code == EXIT_VMMCALL && vmcb.rax == rax);
}

void run(void)
{
    set_gate(3, handler);
    set_gate(4, handler);

    reset_guest(int3_code);
    intercept(EXIT_BP);
    expect_exit("INT3 with #BP intercepted", int3_code, EXIT_BP);
    reset_guest(int3_code);
    intercept(EXIT_BP);
    intercept(EXIT_INTN);
    expect_exit("INT3 with #BP and INTn intercepted", int3_code, EXIT_BP);
    reset_guest(int3_code);
    intercept(EXIT_INTN);
    expect_end("INT3 with INTn intercepted", (uint32_t)int3_code + 1);

    reset_guest(int_3_code);
    intercept(EXIT_BP);
    intercept(EXIT_INTN);
    expect_exit("INT 3 with #BP and INTn intercepted", int_3_code, EXIT_INTN);
    reset_guest(int_3_code);
    intercept(EXIT_BP);
    expect_end("INT 3 with #BP intercepted", (uint32_t)int_3_code + 2);

    reset_guest(into_code);
    vmcb.rflags |= EFLAGS_OF;
    intercept(EXIT_OF);
    expect_exit("INTO with #OF intercepted", into_code, EXIT_OF);
    reset_guest(into_code);
    vmcb.rflags |= EFLAGS_OF;
    intercept(EXIT_INTN);
    expect_end("INTO with INTn intercepted", (uint32_t)into_code + 1);
    reset_guest(into_code);
    intercept(EXIT_OF);
    expect_end("INTO without overflow", 0);
}
