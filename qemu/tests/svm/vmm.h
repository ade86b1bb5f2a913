/*
 * What the bare metal SVM tests share: a hypervisor of one guest that runs
 * until its first #VMEXIT.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef SVM_VMM_H
#define SVM_VMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXIT_CR_WRITE    0x10
#define EXIT_DR_READ     0x20
#define EXIT_DR_WRITE    0x30
#define EXIT_EXCEPTION   0x40
#define EXIT_BP          0x43
#define EXIT_OF          0x44
#define EXIT_GP          0x4d
#define EXIT_PF          0x4e
#define EXIT_INTERCEPT1  0x60           /* instructions, first word */
#define EXIT_CR0_SELECT  0x65
#define EXIT_INTN        0x75
#define EXIT_INVLPG      0x79
#define EXIT_INVLPGA     0x7a
#define EXIT_INTERCEPT2  0x80           /* instructions, second word */
#define EXIT_VMMCALL     0x81
#define EXIT_NPF         0x400
#define EXIT_INVALID     0xffffffff

#define EVENT_INTR       (0u << 8)
#define EVENT_EXCEPTION  (3u << 8)
#define EVENT_SOFT       (4u << 8)
#define EVENT_VALID      (1u << 31)

#define EFER_LME         (1 << 8)
#define EFER_LMA         (1 << 10)

#define CR0_PG           (1u << 31)
#define CR4_PSE          (1 << 4)
#define CR4_PAE          (1 << 5)

#define EFLAGS_OF        (1u << 11)

#define PTE_P            (1 << 0)
#define PTE_W            (1 << 1)
#define PTE_U            (1 << 2)
#define PTE_A            (1 << 5)
#define PTE_PSE          (1 << 7)

/* What vmcb.next_rip and the instruction bytes hold before the guest runs. */
#define STALE            0x55

struct seg {
    uint16_t selector, attrib;
    uint32_t limit;
    uint64_t base;
};

struct vmcb {
    uint16_t cr_read, cr_write, dr_read, dr_write;
    uint32_t exceptions, instructions1, instructions2;
    uint8_t pad1[0x40 - 0x14];
    uint64_t iopm, msrpm;
    uint8_t pad2[8];
    uint32_t asid;
    uint8_t pad3[0x70 - 0x5c];
    uint64_t exit_code, exit_info1, exit_info2;
    uint32_t exit_event, exit_event_error;
    uint64_t nested_paging;
    uint8_t pad4[0xa8 - 0x98];
    uint32_t event, event_error;
    uint64_t nested_cr3;
    uint8_t pad5[0xc8 - 0xb8];
    uint64_t next_rip;
    uint8_t insn_len, insn[15];
    uint8_t pad6[0x400 - 0xe0];
    struct seg es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
    uint8_t pad7[0x4cb - 0x4a0];
    uint8_t cpl;
    uint8_t pad8[4];
    uint64_t efer;
    uint8_t pad9[0x548 - 0x4d8];
    uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
    uint8_t pad10[0x5d8 - 0x580];
    uint64_t rsp;
    uint8_t pad11[0x18];
    uint64_t rax;
    uint8_t pad12[0x1000 - 0x600];
};

extern struct vmcb vmcb;

/* The test: called with SVM enabled. */
void run(void);

/* Is @word on the command line? */
bool option(const char *word);

/* Does CPUID say so? */
bool have_next_rip(void);
bool have_decode_assists(void);

/* Make the guest's interrupt gate for @vector. */
void set_gate(int vector, const char *code);

/*
 * A guest that will run @code in this program's own flat segments, without
 * paging; VMRUN and VMMCALL are intercepted.
 */
void reset_guest(const void *code);

/* Intercept what exits with @exit_code. */
void intercept(uint32_t exit_code);

/* Run the guest until it exits. */
void run_guest(void);

/* Print one case with the guest's state and count it. */
void report(const char *what, bool good);

#endif
