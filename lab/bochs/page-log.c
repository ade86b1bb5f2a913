// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page-modification logging (Intel SDM, volume 3): an entry of the log is the
 * address of a 4-KByte page. Bochs writes the address of the access, with its
 * low bits, of which KVM rightly warns.
 */
#include "redirect.h"

#define PAGE	4096ull

static void (*log_access)(struct processor *cpu, uint64_t gpa,
			  unsigned int makes_dirty);

static void log_page(struct processor *cpu, uint64_t gpa,
		     unsigned int makes_dirty)
{
	log_access(cpu, gpa & -PAGE, makes_dirty);
}

void install_page_log(void)
{
	log_access = redirect("_ZN8BX_CPU_C24translate_guest_physicalEmmbbjb",
			      "_ZN8BX_CPU_C29vmx_page_modification_loggingEmj",
			      log_page);
}
