/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kvmi gdbserver: what its parts share. A thread of gdb is a vCPU, with the
 * vCPU's index plus 1 as its number. While gdb looks, each vCPU waits for the
 * reply to an event.
 */
#ifndef KVMI_TOOL_GDB_H
#define KVMI_TOOL_GDB_H

#include "packet.h"
#include "kvmi.h"

#define GDB_VCPUS	4096
#define GDB_BREAKS	256
#define GDB_WATCHES	32
#define GDB_INT3	0xcc

/* As gdb numbers them in Z packets. */
enum gdb_kind {
	GDB_SOFTWARE = 0,
	GDB_HARDWARE = 1,
	GDB_WRITE = 2,
	GDB_READ = 3,
	GDB_ACCESS = 4,
};

enum gdb_stop {
	GDB_NOTHING = 0,
	GDB_STEPPED,
	GDB_BROKE,	/* at a breakpoint */
	GDB_WATCHED,	/* behind an access */
};

/* What gdb wants a vCPU to do. */
enum gdb_wish { GDB_GO = 0, GDB_STEP, GDB_STAY };

struct gdb_vcpu {
	bool is_ready;		/* it has started, its events are on */
	struct kvmi_event *event; /* with which it waits, NULL: it runs */
	struct kvm_regs regs;	/* what it goes on with, if they were changed */
	bool is_changed;
	unsigned int owed;	/* pauses that have not come yet */
	enum gdb_wish wish;
	bool is_awaited;	/* gdb waits for news of it */
	enum gdb_stop stop;	/* why it waits, until gdb is told */
	enum gdb_kind kind;	/* of the breakpoint or watchpoint */
	uint64_t watched;	/* address of the watchpoint that was hit */
	bool is_hit;		/* the access is being made */
	bool is_stepping;	/* single step is on */
	bool wants_step;	/* one step, for gdb */
	unsigned int tries;	/* of this step that failed */
};

struct gdb_break {
	uint64_t gva, gpa;
	enum gdb_kind kind;
	uint8_t byte;		/* below the INT3 */
	bool is_armed;
};

struct gdb_watch {
	uint64_t gva, gpa, size;
	enum gdb_kind kind;
};

struct profile;

struct gdb {
	struct kvmi_vm *vm;
	struct gdb_wire wire;
	struct gdb_vcpu vcpus[GDB_VCPUS];
	unsigned int count;	/* of vCPUs */
	unsigned int current;	/* whose registers and memory gdb means */
	int next;		/* that c and s are for, -1: all */
	struct gdb_break breaks[GDB_BREAKS];
	size_t break_count;
	struct gdb_watch watches[GDB_WATCHES];
	size_t watch_count;
	struct profile *profile; /* once something asked for it */
	bool can_step;		/* the host */
	bool is_unhooking;
	bool knows_swbreak, knows_hwbreak;
	bool is_running;	/* gdb waits for news */
	bool is_detached;
	bool is_gone;		/* without a word */
	bool is_verbose;
	int64_t begun, refreshed; /* ms: the last run, the list of vCPUs */
};

/* gdb-event.c: these return 0 or -errno, as -ECONNRESET: the session ended. */
/* Takes an event, which it owns: the vCPU waits with it or goes on. */
int gdb_take(struct gdb *g, struct kvmi_event *event);
/* Takes what has come, waits up to @ms for the first. */
int gdb_take_all(struct gdb *g, int ms);
/* Answers the event with which it waits, if there is one. */
int gdb_let_go(struct gdb *g, struct gdb_vcpu *c);
/* Asks for its pause. */
int gdb_pause(struct gdb *g, struct gdb_vcpu *c);
int gdb_begin_steps(struct gdb *g, struct gdb_vcpu *c);
void gdb_end_steps(struct gdb *g, struct gdb_vcpu *c);

/* gdb-stop.c: as above. */
/* Finds vCPUs that are new, and switches their events on. */
int gdb_refresh(struct gdb *g);
/* Whether vCPUs report accesses that a watched page does not allow. */
int gdb_control_access(struct gdb *g, bool enable);
/* Has every vCPU wait; one outside the guest will when it is back. */
int gdb_stop_all(struct gdb *g);
/* Does what the wishes say, unless there is news to be told first. */
int gdb_resume(struct gdb *g);
/* The vCPU that has news which gdb waits for, -1: none. */
int gdb_news(const struct gdb *g);
/* Takes all changes back, and lets everybody go. */
int gdb_undo(struct gdb *g);
/* Milliseconds of the monotonic clock. */
int64_t gdb_now(void);

/* gdb-break.c: return 0 or -errno. */
int gdb_insert(struct gdb *g, enum gdb_kind kind, uint64_t gva, uint64_t size);
int gdb_remove(struct gdb *g, enum gdb_kind kind, uint64_t gva, uint64_t size);
int gdb_remove_all(struct gdb *g);
/* That is in the guest's memory there, or NULL. */
struct gdb_break *gdb_find_break(struct gdb *g, uint64_t gpa);
/* Puts the INT3 there, or the byte below it. */
int gdb_arm(struct gdb *g, struct gdb_break *b);
int gdb_disarm(struct gdb *g, struct gdb_break *b);
/* That such an access may concern, or NULL. */
const struct gdb_watch *gdb_find_watch(const struct gdb *g, uint64_t gpa,
				       unsigned int access);

/* gdb-memory.c: by the tables of the current vCPU; breakpoints do not show. */
int gdb_translate(struct gdb *g, uint64_t gva, uint64_t *gpa);
/* Returns how many bytes from the start could be read, or -errno if none. */
ssize_t gdb_read_memory(struct gdb *g, uint64_t gva, uint8_t *to, size_t size);
int gdb_write_memory(struct gdb *g, uint64_t gva, const uint8_t *from,
		     size_t size);

/* gdb-registers.c: of the current vCPU. */
void gdb_get_registers(struct gdb *g);		/* g */
void gdb_set_registers(struct gdb *g, const char *hex);	/* G */
void gdb_get_register(struct gdb *g, const char *text);	/* p */
void gdb_set_register(struct gdb *g, const char *text);	/* P */
/* The target's description in XML; free() it. */
char *gdb_describe(void);
/* Where the vCPU goes on. */
int gdb_pc(struct gdb *g, unsigned int vcpu, uint64_t *pc);

/* gdb-query.c: q and Q packets. */
void gdb_query(struct gdb *g, const char *text);
void gdb_set(struct gdb *g, const char *text);

/* gdb-command.c: what follows "monitor". */
void gdb_command(struct gdb *g, const char *hex);
/* The profile of the guest's kernel; complains. */
int gdb_open_profile(struct gdb *g);

/* gdb-request.c: answer packets. */
void gdb_ask_memory(struct gdb *g, const char *text);	/* m */
void gdb_change_memory(struct gdb *g, const char *text, bool is_hex); /* M, X */
void gdb_change_point(struct gdb *g, const char *text, bool is_new); /* Z, z */

/* gdb-serve.c: talks to one gdb until it goes. Returns 0 or -errno. */
int gdb_serve(struct gdb *g);

/* gdb-listen.c: where gdb comes from. */
struct gdb_listener {
	const char *where;
	int fd;			/* -1: standard input and output */
	bool is_unix;
};

/* Returns 0 or -errno, and has complained. */
int gdb_listen(struct gdb_listener *listener, const char *where);
void gdb_listen_end(struct gdb_listener *listener);

/* gdb-symbols.c: an ELF file with the kernel's symbols where they are now. */
int gdb_write_symbols(struct gdb *g, const char *path);

#endif
