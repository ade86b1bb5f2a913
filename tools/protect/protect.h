/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of kvmi protect share. */
#ifndef KVMI_TOOL_PROTECT_H
#define KVMI_TOOL_PROTECT_H

#include <linux-guest.h>

#include "descriptor.h"
#include "kvmi.h"
#include "poke.h"
#include "store.h"

#define PAGE_SIZE	4096ull
#define AREAS		4
#define PINS		6
#define PLACES		256
#define VCPUS_MAX	1024
#define CACHE		64
#define COPIERS		8
#define AROUND		32

enum mode { MODE_REPORT, MODE_DENY, MODE_CRASH, MODES };

enum what {
	TEXT, RODATA, IDT, GDT,	/* areas of memory */
	CONTROL, MSR, TABLE,		/* registers */
	WHATS
};

/* A part of the kernel's image; its pages lie behind each other. */
struct area {
	enum what what;
	uint64_t gva, gpa, size;
};

/* An MSR and the one value that it may get. */
struct pin {
	uint32_t msr;
	const char *name;
	uint64_t value;
	bool is_set;
};

struct range {
	uint64_t start, end;
};

/* A page of the kernel's, and where it was when it was looked up. */
struct page_at {
	uint64_t gva, gpa;
};

/* What was read of the event that is judged. */
struct ahead {
	uint64_t at;			/* address of text; 0: it was not read */
	uint8_t text[AROUND];
	uint64_t caller;		/* what rsp leads to, if that was known */
	uint64_t from;			/* rsi, and what is there */
	bool has_source;
	uint8_t source[STORE_MAX];
};

/* By what the kernel patches itself. */
struct own {
	struct pokes pokes;
	uint64_t root, window;		/* poking_mm and poking_addr */
	struct range callers[COPIERS];	/* of the function that copies */
	struct range copiers[COPIERS];
	struct {
		uint64_t rip;
		int size;
		uint8_t code[KVMI_INSTRUCTION_MAX];
	} cache[CACHE];
	struct ahead ahead;
	struct page_at stacks[CACHE];	/* by their number */
	uint64_t counts[POKE_KINDS];	/* stores that were let through */
};

/* Something that was tried, and by whom. */
struct attempt {
	enum what what;
	const char *name;		/* "text", "cr0.wp" */
	uint64_t address;		/* in the kernel; 0: none */
	uint64_t gpa;
	bool has_bytes;
	size_t size;
	uint8_t old[STORE_MAX], new[STORE_MAX];
	bool has_values;
	uint64_t old_value, new_value;
};

/* Where attempts come from and what they are at, so that no flood drowns us. */
struct place {
	enum what what;
	uint64_t rip, page;
	uint64_t count, shown, hidden;
	double second;			/* when it was shown first, this second */
};

struct protect {
	struct kvmi_vm *vm;
	struct linux_guest *guest;
	enum mode mode;
	bool is_json, is_quiet, is_verbose;
	double start, seconds;
	struct area areas[AREAS];
	size_t area_count, pages;
	bool has_gdt;			/* --gdt: lock these */
	bool has_other_gdt;		/* that was told */
	struct area gdts[VCPUS_MAX];	/* no size: not locked yet */
	uint64_t gdt_counts[DESCRIPTOR_KINDS];	/* let through */
	struct range table;		/* of system calls */
	struct own own;
	struct pin pins[PINS];
	bool has_tables;		/* the event of LIDT and LGDT */
	unsigned int vcpus;
	bool is_armed[VCPUS_MAX];
	struct place places[PLACES];
	size_t place_count;
	uint64_t counts[WHATS], hidden;
	bool is_unhooking;
};

/* cmd-protect.c: seconds of the monotonic clock. */
double protect_now(void);
/* guard.c: reads memory by the page tables of a vCPU; -EFAULT: not mapped. */
int protect_read(struct kvmi_vm *vm, unsigned int vcpu, uint64_t gva, void *to,
		 size_t size);

/* guard.c: takes the next event. Errors: of kvmi_vm_next_event() and others. */
int guard_next(struct protect *p, int timeout);

/* lock.c: these complain about what they return. */
int lock_find(struct protect *p);
int lock_set(struct protect *p);
int lock_clear(struct protect *p);
/* Locks one more area; does not complain. */
int lock_area(struct protect *p, const struct area *area);
/* Of what is locked, or NULL. */
const struct area *lock_at(const struct protect *p, uint64_t gpa);

/* gdt.c */
/* Whether the GDT of one of the guest's processors is there, or nobody can tell. */
bool gdt_is_own(struct protect *p, uint64_t gpa);
/* Locks those of vCPUs that are watched and have not been; complains. */
int gdt_lock(struct protect *p);
/* Whether this store is the kernel's own; as own_judge(). */
int gdt_judge(struct protect *p, const struct kvmi_event *event,
	      const struct kvmi_vcpu_event_pf *pf, const struct area *gdt);

/* sites.c: fills in what the kernel's symbols and tables tell. */
int own_find(struct protect *p);

/* own.c */
int own_init(struct protect *p);
void own_exit(struct protect *p);
/*
 * Whether this store is the kernel's own patch of its text: 0, -EPERM or what
 * a command returned.
 */
int own_judge(struct protect *p, const struct kvmi_event *event,
	      const struct kvmi_vcpu_event_pf *pf, const struct area *area);
/* Nothing is sure any more about the code that copies. */
void own_forget(struct protect *p);
/*
 * What an instruction of the kernel's text, which is read once, is about to store
 * at @gva. Returns 0 or -EPERM: it lies elsewhere, or that cannot be told.
 */
int own_decode(struct protect *p, const struct kvmi_event *event, uint64_t gva,
	       struct store *store);
/* Whether it is LTR in the kernel's text. */
bool own_is_ltr(struct protect *p, const struct kvmi_event *event);
/* What any instruction is about to store at @gva; -EPERM: it cannot be told. */
int own_read_store(struct protect *p, const struct kvmi_event *event,
		   uint64_t gva, uint8_t *bytes, size_t *size);

/* pin.c */
int pin_learn(struct protect *p);
int pin_control(struct protect *p, unsigned int vcpu, bool enable);
/* Answer an event. */
int pin_cr(struct protect *p, struct kvmi_event *event,
	   const struct kvmi_vcpu_event_cr *cr);
int pin_msr(struct protect *p, struct kvmi_event *event,
	    const struct kvmi_vcpu_event_msr *msr);
int pin_table(struct protect *p, struct kvmi_event *event,
	      const struct kvmi_vcpu_event_descriptor *table);

/* attempt.c */
extern const char *const mode_names[MODES];
extern const char *const verdicts[MODES];	/* what came of it */
/* Counts it. Returns whether to tell it, or there were too many of its kind. */
bool attempt_count(struct protect *p, const struct kvmi_event *event,
		   const struct attempt *attempt);
void attempt_tell(struct protect *p, const struct kvmi_event *event,
		  const struct attempt *attempt);

/* attempt-sum.c */
void attempt_sum(const struct protect *p);

#endif
