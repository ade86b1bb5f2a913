// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls within Bochs, led elsewhere.
 *
 * Bochs keeps the names of its functions for its plugins, and calls them by a
 * distance in the instruction itself. That is changed in memory, at the one
 * place that is to call us; a piece of code near Bochs leads on to where this
 * library lies. The file of the distribution is not touched.
 */
#include <dlfcn.h>
#include <errno.h>
#include <elf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "redirect.h"

#define PAGE	4096ul
#define CALL	0xe8

void give_up(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "lab/bochs: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "; this library knows Debian's Bochs 2.7\n");
	_exit(1);
}

bool wanted(const char *list, const char *word)
{
	const char *words = getenv(list);
	size_t length = strlen(word);

	while (words && *words) {
		size_t next = strcspn(words, " ,");

		if (next == length && !strncmp(words, word, length))
			return true;
		words += next + strspn(words + next, " ,");
	}
	return false;
}

uint8_t *code_of(const char *symbol, uint64_t *length)
{
	void *code = dlsym(RTLD_DEFAULT, symbol);
	const Elf64_Sym *entry;
	Dl_info info;

	if (!code || !dladdr1(code, &info, (void **)&entry, RTLD_DL_SYMENT))
		give_up("no function %s", symbol);
	if (length)
		*length = entry->st_size;
	return code;
}

void write_code(void *code, const void *bytes, uint64_t length)
{
	void *page = (void *)((uintptr_t)code & -PAGE);
	uint64_t whole = (char *)code + length - (char *)page;

	if (mprotect(page, whole, PROT_READ | PROT_WRITE | PROT_EXEC))
		give_up("cannot write code: %s", strerror(errno));
	memcpy(code, bytes, length);
	if (mprotect(page, whole, PROT_READ | PROT_EXEC))
		give_up("cannot protect code: %s", strerror(errno));
}

/* A page below Bochs, in the reach of its calls; filled piece by piece. */
static uint8_t *near_page(void)
{
	uintptr_t at = (uintptr_t)code_of("_ZN8BX_CPU_C8cpu_loopEv", NULL) & -PAGE;
	int tries;
	void *page;

	for (tries = 0; tries < 4096; tries++) {
		at -= 64 * PAGE;
		page = mmap((void *)at, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (page == (void *)at)
			return page;
	}
	give_up("no room near Bochs");
}

/* mov $ours, %rax; jmp *%rax */
static uint8_t *piece_to(void *ours)
{
	static uint8_t *next;
	uint8_t *piece;

	if (!next)
		next = near_page();
	piece = next;
	memcpy(piece, "\x48\xb8", 2);
	memcpy(piece + 2, &ours, sizeof(ours));
	memcpy(piece + 10, "\xff\xe0", 2);
	next += 16;
	return piece;
}

void *redirect(const char *caller, const char *callee, void *ours)
{
	uint8_t *target = code_of(callee, NULL), *found = NULL, *at, *code;
	uint64_t length;
	int32_t distance;

	code = code_of(caller, &length);
	for (at = code; at + 5 <= code + length; at++) {
		memcpy(&distance, at + 1, sizeof(distance));
		if (*at != CALL || at + 5 + distance != target)
			continue;
		if (found)
			give_up("%s calls %s twice", caller, callee);
		found = at;
	}
	if (!found)
		give_up("%s does not call %s", caller, callee);
	distance = piece_to(ours) - (found + 5);
	write_code(found + 1, &distance, sizeof(distance));
	return target;
}

/* Instructions that name the fields of redirect.h. */
static const struct {
	const char *symbol;
	const char *bytes;
	size_t length;
} layout[] = {
#define HAS(symbol, bytes)	{ symbol, bytes, sizeof(bytes) - 1 }
	/* or $1 << 27 into the primary controls, if bit 5 of the extensions */
	HAS("_ZN8BX_CPU_C36init_primary_proc_based_vmexec_ctrlsEv",
	    "\xf6\xc2\x20\x74\x0a\x81\x8f\x34\x92\x00\x00\x00\x00\x00\x08"),
	HAS("_ZN8BX_CPU_C36init_primary_proc_based_vmexec_ctrlsEv", "\x8b\x57\x50"),
	HAS("_ZN8BX_CPU_C27init_pin_based_vmexec_ctrlsEv",
	    "\x89\x87\x30\x92\x00\x00"),
	HAS("_ZN8BX_CPU_C26init_ept_vpid_capabilitiesEv",
	    "\x48\x89\x97\x48\x92\x00\x00"),
	/* the trap of an entry that injects it: or $1 << 4, look at it */
	HAS("_ZN8BX_CPU_C19VMenterInjectEventsEv",
	    "\x83\x8b\xb0\x93\x00\x00\x10"),
	HAS("_ZN8BX_CPU_C19VMenterInjectEventsEv",
	    "\xc7\x83\xb8\x93\x00\x00\x01\x00\x00\x00"),
	HAS("_ZN8BX_CPU_C19VMenterInjectEventsEv",
	    "\x8b\xaf\x58\x91\x00\x00"),
	HAS("_ZN8BX_CPU_C8VMLAUNCHEP15bxInstruction_c",
	    "\xf6\x83\xec\x8f\x00\x00\x08"),
	HAS("_ZN8BX_CPU_C8VMLAUNCHEP15bxInstruction_c",
	    "\xc6\x83\xc1\x8f\x00\x00\x01"),
	/* what an exit puts into the IDT-vectoring information field */
	HAS("_ZN8BX_CPU_C6VMexitEjm",
	    "\x8b\x93\x78\x91\x00\x00\xbe\x08\x44\x00\x00"),
	/* in the guest, and external-interrupt exiting? */
	HAS("_ZN8BX_CPU_C25handleInterruptMaskChangeEv",
	    "\xf6\x87\xe8\x8f\x00\x00\x01"),
	HAS("_ZN8BX_CPU_C16handleAsyncEventEv", "\x48\x8b\x83\x30\x01\x00\x00"),
};

static void check_layout(void)
{
	uint64_t length, i;
	uint8_t *code;

	for (i = 0; i < sizeof(layout) / sizeof(layout[0]); i++) {
		code = code_of(layout[i].symbol, &length);
		if (!memmem(code, length, layout[i].bytes, layout[i].length))
			give_up("%s is not as it was", layout[i].symbol);
	}
}

static void __attribute__((constructor)) start(void)
{
	/* What Bochs starts is not for us. */
	unsetenv("LD_PRELOAD");
	check_layout();
	install_interrupts();
	install_monitor_trap();
	install_capabilities();
	install_page_log();
	install_virtual_interrupt();
}
