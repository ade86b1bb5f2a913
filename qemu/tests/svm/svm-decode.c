/*
 * Decode assists: what do exits tell of the operands, and which bytes of the
 * instruction does a page fault give?
 *
 * "decodeassists" on the command line says that the feature is on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "vmm.h"

#define MOV_CR           (1ULL << 63)

#define SIZE_4M          (4u << 20)
#define SIZE_2M          (2u << 20)
#define MAPPED           64             /* MiB, as much as there is */

/* Two MiB that some page tables leave out. */
#define HOLE             (3 * SIZE_4M)

/* MOV EAX, [HOLE] and UD2 */
static const uint8_t load[] = { 0xa1, 0x00, 0x00, 0xc0, 0x00, 0x0f, 0x0b };

static uint8_t pages[2][4096] __attribute__((aligned(4096)));

/* Page tables: of the host, of the guest's physical memory, of the guest. */
static uint64_t host_tables[2][512] __attribute__((aligned(4096)));
static uint64_t nested_tables[2][512] __attribute__((aligned(4096)));
static uint32_t small_dir[1024] __attribute__((aligned(4096)));
static uint32_t small_table[1024] __attribute__((aligned(4096)));
static uint64_t long_tables[3][512] __attribute__((aligned(4096)));

asm(".text\n"
    "int_code:      int $0x21\n"
    "long_to_cr3:   .byte 0x41, 0x0f, 0x22, 0xd9\n"     /* mov %r9, %cr3 */
    "long_from_cr0: .byte 0x41, 0x0f, 0x20, 0xc6\n"     /* mov %cr0, %r14 */
    "long_to_dr7:   .byte 0x41, 0x0f, 0x23, 0xfa\n"     /* mov %r10, %dr7 */
    "invlpg_es:     invlpg %es:0x1234(%eax)\n");

extern const char int_code[], long_to_cr3[], long_from_cr0[], long_to_dr7[];
extern const char invlpg_es[];

static bool on;

/* EXITINFO1 of the guest that was made ready. */
static void tells(const char *what, uint32_t exit_code, uint64_t info1)
{
    intercept(exit_code);
    run_guest();
    report(what, vmcb.exit_code == exit_code &&
                 vmcb.exit_info1 == (on ? info1 : 0));
}

static void operands(void)
{
    reset_guest("\x0f\x22\xc2");        /* mov %edx, %cr0 */
    tells("MOV to CR0 from EDX", 0x10, MOV_CR | 2);
    reset_guest("\x0f\x20\xdb");        /* mov %cr3, %ebx */
    tells("MOV from CR3 to EBX", 0x03, MOV_CR | 3);
    reset_guest("\x0f\x22\xe6");        /* mov %esi, %cr4 */
    tells("MOV to CR4 from ESI", 0x14, MOV_CR | 6);
    reset_guest("\x0f\x22\xc7");        /* mov %edi, %cr0 */
    vmcb.cr0 ^= 1 << 18;
    tells("selected MOV to CR0 from EDI", EXIT_CR0_SELECT, MOV_CR | 7);
    reset_guest("\x0f\x01\xf0");
    tells("LMSW", 0x10, 0);
    reset_guest("\x0f\x01\xf1");
    vmcb.cr0 ^= 1 << 2;
    tells("selected LMSW", EXIT_CR0_SELECT, 0);
    reset_guest("\x0f\x06");
    tells("CLTS", 0x10, 0);
    reset_guest("\x0f\x01\xe3");
    tells("SMSW", 0x00, 0);
    reset_guest("\x0f\x23\xfb");        /* mov %ebx, %dr7 */
    tells("MOV to DR7 from EBX", 0x37, 3);
    reset_guest("\x0f\x21\xf5");        /* mov %dr6, %ebp */
    tells("MOV from DR6 to EBP", 0x26, 5);
    reset_guest("\xcd\x91");
    tells("INT 0x91", EXIT_INTN, 0x91);

    reset_guest("\x0f\xa2");
    intercept(0x72);
    run_guest();
    report("CPUID has none", vmcb.exit_code == 0x72 && vmcb.exit_info1 == 0);
}

static void addresses(void)
{
    reset_guest(invlpg_es);
    vmcb.rax = 0x400000;
    vmcb.es.base = 0x10000;
    tells("INVLPG", EXIT_INVLPG, 0x10000 + 0x400000 + 0x1234);
    reset_guest("\x0f\x01\xdf");
    vmcb.rax = 0x87654321;
    tells("INVLPGA", EXIT_INVLPGA, 0x87654321);
}

/* One to one, in pages of 2 MiB. */
static void map(uint64_t *directory)
{
    uint32_t i;

    for (i = 0; i < MAPPED / 2; i++) {
        directory[i] = i * SIZE_2M | PTE_P | PTE_W | PTE_U | PTE_PSE;
    }
}

static void map_long(void)
{
    long_tables[0][0] = (uint32_t)long_tables[1] | PTE_P | PTE_W;
    long_tables[1][0] = (uint32_t)long_tables[2] | PTE_P | PTE_W;
    map(long_tables[2]);
}

static void reset_long_guest(const void *code)
{
    reset_guest(code);
    vmcb.cs.attrib = 0xa9b;
    vmcb.efer |= EFER_LME | EFER_LMA;
    vmcb.cr4 |= CR4_PAE;
    vmcb.cr3 = (uint32_t)long_tables;
    vmcb.cr0 |= CR0_PG;
}

static void long_mode_operands(void)
{
    map_long();
    reset_long_guest(long_to_cr3);
    tells("MOV to CR3 from R9", 0x13, MOV_CR | 9);
    reset_long_guest(long_from_cr0);
    tells("MOV from CR0 to R14", 0x00, MOV_CR | 14);
    reset_long_guest(long_to_dr7);
    tells("MOV to DR7 from R10", 0x37, 10);
}

/* Nested page tables are of the host's kind; they leave out HOLE. */
static void enable_paging(void)
{
    host_tables[0][0] = (uint32_t)host_tables[1] | PTE_P;
    map(host_tables[1]);
    nested_tables[0][0] = (uint32_t)nested_tables[1] | PTE_P;
    map(nested_tables[1]);
    nested_tables[1][HOLE / SIZE_2M] = 0;
    asm volatile("mov %%cr4, %%eax\n or %0, %%eax\n mov %%eax, %%cr4\n"
                 "mov %1, %%cr3\n"
                 "mov %%cr0, %%eax\n or %2, %%eax\n mov %%eax, %%cr0\n"
                 : : "i"(CR4_PAE), "r"(host_tables), "i"(CR0_PG)
                 : "eax", "memory");
}

/* Small pages, not yet accessed, up to 4 MiB; large ones but for HOLE. */
static void map_small(void)
{
    uint32_t i;

    for (i = 0; i < 1024; i++) {
        small_table[i] = i << 12 | PTE_P | PTE_W;
    }
    small_dir[0] = (uint32_t)small_table | PTE_P | PTE_W;
    for (i = 1; i < MAPPED / 4; i++) {
        small_dir[i] = i * SIZE_4M | PTE_P | PTE_W | PTE_PSE;
    }
    small_dir[HOLE / SIZE_4M] = 0;
}

/* Did the exit leave just @length bytes of @code? */
static bool bytes_are(const uint8_t *code, uint8_t length)
{
    uint8_t i;

    if (!on) {
        return vmcb.insn_len == STALE && vmcb.insn[0] == STALE;
    }
    for (i = 0; i < length; i++) {
        if (vmcb.insn[i] != code[i]) {
            return false;
        }
    }
    return vmcb.insn_len == length;
}

/* Put the load @left bytes before the end of the first page. */
static uint8_t *place(uint32_t left)
{
    uint8_t *code = pages[0] + sizeof(pages[0]) - left;
    uint32_t i;

    for (i = 0; i < sizeof(load); i++) {
        code[i] = load[i];
    }
    return code;
}

static void reset_nested_guest(const void *code)
{
    reset_guest(code);
    vmcb.nested_paging = 1;
    vmcb.nested_cr3 = (uint32_t)nested_tables;
}

static void nested_fault(const char *what, uint32_t left, uint8_t length)
{
    const uint8_t *code = place(left);

    reset_nested_guest(code);
    run_guest();
    report(what, vmcb.exit_code == EXIT_NPF && vmcb.exit_info2 == HOLE &&
                 vmcb.rip == (uint32_t)code && bytes_are(code, length));
}

static void nested_fetch_fault(void)
{
    reset_nested_guest((void *)HOLE);
    run_guest();
    report("nested fault of a fetch",
           vmcb.exit_code == EXIT_NPF && vmcb.exit_info2 == HOLE &&
           bytes_are(NULL, 0));
}

/* RIP is not at what faults: there are no bytes. */
static void nested_delivery_fault(void)
{
    reset_nested_guest(int_code);
    vmcb.rsp = HOLE + 0x1000;
    set_gate(0x21, int_code);
    run_guest();
    report("nested fault of a delivery",
           vmcb.exit_code == EXIT_NPF &&
           vmcb.exit_info2 / SIZE_2M == HOLE / SIZE_2M &&
           vmcb.exit_event == (EVENT_VALID | EVENT_SOFT | 0x21) &&
           vmcb.rip == (uint32_t)int_code && bytes_are(NULL, 0));
}

static void reset_paged_guest(const void *code)
{
    map_small();
    reset_guest(code);
    vmcb.cr3 = (uint32_t)small_dir;
    vmcb.cr4 |= CR4_PSE;
    vmcb.cr0 |= CR0_PG;
    intercept(EXIT_PF);
}

/* The page of the bytes is accessed, and the next one is not. */
static void page_fault(void)
{
    const uint8_t *code = place(sizeof(load));
    const uint32_t *pte = &small_table[(uint32_t)code >> 12];

    reset_paged_guest(code);
    run_guest();
    report("#PF at the end of a page",
           vmcb.exit_code == EXIT_PF && vmcb.exit_info2 == HOLE &&
           vmcb.rip == (uint32_t)code && bytes_are(code, sizeof(load)) &&
           (pte[0] & PTE_A) && !(pte[1] & PTE_A));
}

static void page_fetch_fault(void)
{
    reset_paged_guest((void *)HOLE);
    run_guest();
    report("#PF of a fetch", vmcb.exit_code == EXIT_PF &&
                             vmcb.exit_info2 == HOLE && bytes_are(NULL, 0));
}

/* An exit of another kind after a fault has no bytes any more. */
static void other_exit(void)
{
    reset_guest("\x0f\x01\xd9");
    run_guest();
    report("no bytes at VMMCALL", vmcb.exit_code == EXIT_VMMCALL &&
                                  (on ? vmcb.insn_len == 0 :
                                        vmcb.insn_len == STALE));
}

void run(void)
{
    on = option("decodeassists");
    report("CPUID tells decode assists", have_decode_assists() == on);

    operands();
    addresses();
    long_mode_operands();

    enable_paging();
    nested_fault("nested fault far from a page's end", 100, 15);
    nested_fault("nested fault at the end of a page", sizeof(load),
                 sizeof(load));
    nested_fault("nested fault across pages", 2, 2);
    nested_fetch_fault();
    nested_delivery_fault();
    page_fault();
    page_fetch_fault();
    other_exit();
}
