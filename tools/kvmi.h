/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the verbs of the kvmi command share. */
#ifndef KVMI_TOOL_H
#define KVMI_TOOL_H

#include <getopt.h>
#include <signal.h>
#include <stdio.h>

#include <json-c/json.h>
#include <kvmi/kvmi.h>

#include "verbs.h"

#define DEFAULT_SOCKET	"/run/kvmi/kvmi.sock"

/* The exit status, as kvmi(1) tells. */
enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,	/* also: nothing found, a problem found */
	EXIT_USAGE = 2,
	EXIT_NO_VM = 3,		/* no such VM connected in time */
};

struct verb {
	const char *name;
	const char *arguments;
	const char *summary;
	const char *help;	/* the verb's own options, a line each */
	int (*run)(int argc, char **argv);
};

#define DECLARE_VERB(name) extern const struct verb verb_##name;
VERBS(DECLARE_VERB)

/* kvmi.c: the table of verbs. */
const struct verb *verb_find(const char *name);
/* NULL behind the last one. */
const struct verb *verb_at(size_t index);
/* The words "help" and what follows. Returns an exit status. */
int help(int argc, char **argv);

/* run.c */
/* Ends the verb, before it has opened a session or allocated anything. */
__attribute__((noreturn)) void verb_leave(int status);
/* Returns the exit status. */
int verb_run(const struct verb *verb, int argc, char **argv);
/* VERB ARGUMENT..., VERB ARGUMENT...: until one fails, in one session. */
int verbs_run(int argc, char **argv);

/* kept.c: session_open() gives the same session again until the end. */
void kept_begin(bool is_wide);
void kept_end(void);
bool kept_is_on(void);

/* options.c: what every verb understands. */
struct common {
	const char *socket;
	const char *vm;		/* UUID or name, NULL: the first that comes */
	const char *key_file;
	bool is_old_auth;
	bool shares_memory;
	unsigned int socket_mode;
	int timeout;		/* s */
	bool is_json;
	bool is_verbose;
};

#define COMMON_SHORT	"hs:v"
enum {
	OPTION_VM = 0x100,
	OPTION_KEY_FILE,
	OPTION_OLD_AUTH,
	OPTION_SHARE_MEMORY,
	OPTION_SOCKET_MODE,
	OPTION_TIMEOUT,
	OPTION_JSON,
	OPTION_OWN,		/* the verb's begin here */
};

#define COMMON_LONG \
	{ "help", no_argument, NULL, 'h' }, \
	{ "socket", required_argument, NULL, 's' }, \
	{ "verbose", no_argument, NULL, 'v' }, \
	{ "vm", required_argument, NULL, OPTION_VM }, \
	{ "key-file", required_argument, NULL, OPTION_KEY_FILE }, \
	{ "old-auth", no_argument, NULL, OPTION_OLD_AUTH }, \
	{ "share-memory", no_argument, NULL, OPTION_SHARE_MEMORY }, \
	{ "socket-mode", required_argument, NULL, OPTION_SOCKET_MODE }, \
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT }, \
	{ "json", no_argument, NULL, OPTION_JSON }

void common_init(struct common *common);
/* Takes an option of getopt_long(). Leaves on --help and on what is wrong. */
void common_option(struct common *common, const struct verb *verb, int option);
/* The lines about their options, below those of a verb. */
extern const char common_help[];
void print_verb_help(const struct verb *verb, FILE *out);
/* Says what is wrong with the command line and leaves with EXIT_USAGE. */
__attribute__((format(printf, 2, 3), noreturn))
void usage(const struct verb *verb, const char *format, ...);

/* session.c: the VM that this command is about. */
struct session {
	struct kvmi_listener *listener;
	struct kvmi_vm *vm;
};

/*
 * Waits for the VM. Returns an exit status and has said why. With several verbs
 * the session is that of the verb before, and session_close() leaves it open: a
 * verb leaves the VM as it found it by itself.
 */
int session_open(struct session *session, const struct common *common);
void session_close(struct session *session);

/* stop.c: SIGINT, SIGTERM or SIGHUP, if that came; SIGPIPE is ignored. */
extern volatile sig_atomic_t is_stopped;
void stop_by_signals(void);
/* Before a verb: as at the beginning of the program. */
void stop_forget(void);
/* For a program that outlives its verbs: each is stopped by signals. */
void stop_always(void);

/* output.c */
__attribute__((format(printf, 2, 3)))
void complain(int err, const char *format, ...);
void print_hexdump(uint64_t gpa, const uint8_t *data, size_t size);
void print_json(struct json_object *object);
struct json_object *json_hex(const uint8_t *data, size_t size);
struct json_object *json_gpa(uint64_t gpa);
/* Text from a guest or a VM's owner, with control characters replaced. */
const char *printable(char *to, size_t room, const char *from, size_t size);

/* disassemble.c: at the rip of @state, in the syntax of AT&T or Intel. */
void disassemble(const struct kvmi_vcpu_event *state, const uint8_t *code,
		 size_t size, bool is_intel, char *text, size_t room);

#define INSTRUCTION_TEXT 128

struct instruction {
	size_t size;
	char text[INSTRUCTION_TEXT];
	bool has_target;
	uint64_t target;	/* of a branch, or what is relative to rip */
};

/*
 * The instruction at @rip of code with addresses of @mode bytes. Returns false
 * if these bytes are none that is known.
 */
bool disassemble_at(unsigned int mode, uint64_t rip, const uint8_t *code,
		    size_t size, bool is_intel,
		    struct instruction *instruction);

/* features.c: those of KVMI_FEATURES that the kernel says this host has. */
struct features {
	uint32_t set;
};

/* Returns 0 or -errno, as where the kernel does not say. */
int features_read(struct features *features);
bool features_have(const struct features *features, const char *name);
unsigned int features_count(const struct features *features);
/* A table of all, with what each means here. */
void features_show(const struct features *features);
struct json_object *features_json(const struct features *features);

/* Why a vCPU that was asked to stop says nothing. */
#define VCPU_IS_OUTSIDE	"it does not run, as in a VM that is not started yet, or stopped by\n" \
	"kvmi: a debugger; let it run ('cont' in QEMU's monitor) and try again"

/* vcpu.c */
/* The number in --vcpu N; leaves if it is none. */
int vcpu_option(const struct verb *verb, const char *text);
/* All vCPUs, or @wanted if it is not negative. Complains. */
int vcpu_range(struct kvmi_vm *vm, int wanted, unsigned int *first,
	       unsigned int *end);

/* registers.c */
#define MSR_NAMES_MAX	64

struct msr_names {
	const char *const *names;	/* as they were asked for; NULL: none */
	size_t count;
};

struct registers {
	unsigned int vcpu;
	bool is_started;	/* or there is nothing else */
	unsigned int mode;	/* bytes, of the code that it runs */
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	uint64_t msrs[MSR_NAMES_MAX];
};

void print_registers(const struct registers *all, size_t count,
		     const struct msr_names *msrs);
struct json_object *json_registers(const struct registers *of,
				   const struct msr_names *names);
struct json_object *json_all_registers(const struct registers *all,
				       size_t count,
				       const struct msr_names *msrs);

/* parse.c: return 0 or -EINVAL, -ERANGE, -ENOMEM. */
int parse_number(const char *text, uint64_t *number);
/* A number or a name as "lstar". */
int parse_msr(const char *text, uint32_t *msr);
/* The name, or NULL. */
const char *msr_name(uint32_t msr);
/* Allocates. Spaces and colons between bytes are fine. */
int parse_hex(const char *text, uint8_t **data, size_t *size);
/* Allocates. Errors: as read(2), -EFBIG above @max. */
int read_file(const char *path, size_t max, uint8_t **data, size_t *size);

#endif
