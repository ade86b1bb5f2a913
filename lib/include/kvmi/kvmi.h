/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libkvmi-native: introspect the virtual machines of KVM.
 *
 * A program listens; the device manager (QEMU with an "introspection" object)
 * of each watched VM connects to it, says which VM this is, and hands its end
 * of the socket to KVM. From then on the program talks to the kernel: one
 * struct kvmi_vm is one such session.
 *
 *	struct kvmi_options opts;
 *	struct kvmi_listener *listener;
 *	struct kvmi_vm *vm;
 *
 *	kvmi_options_init(&opts);
 *	err = kvmi_listener_open_unix(&listener, "/run/kvmi/kvmi.sock", &opts);
 *	err = kvmi_listener_accept(listener, NULL, 30000, &vm);
 *	err = kvmi_vm_read_physical(vm, gpa, buf, size);
 *	kvmi_vm_close(vm);
 *	kvmi_listener_close(listener);
 *
 * ERRORS. Functions that can fail return 0 or a negative errno; errno itself
 * is not part of the interface. Where KVM answers a command with an error the
 * function returns it (-KVM_EPERM is -EPERM, -KVM_ENOSYS is -ENOSYS). These
 * mean the same everywhere:
 *
 *	-ETIMEDOUT	no answer in time; the session goes on
 *	-ECONNRESET	the session has ended: the guest powered off, the
 *			device manager unhooked or the connection died
 *	-ECONNREFUSED	the device manager hung up right after the handshake:
 *			wrong key, or KVM refused the hook
 *	-EKEYREJECTED	the device manager did not prove that it has the key
 *	-ENOKEY		the device manager asks for a key, and there is none
 *	-EPROTO		the peer broke the protocol; the session has ended
 *	-EPERM		the VM's owner does not allow this command or event
 *	-ENOSYS		this kernel does not know the command
 *	-EAGAIN		a vCPU that waits for its first start cannot answer
 *	-ENOMEM		no memory, here or in the kernel
 *
 * THREADS. The library starts none and has no global state. Different handles
 * are independent. Functions on one struct kvmi_vm may be called from several
 * threads at once, except kvmi_vm_close(), which must be the last call. A
 * struct kvmi_listener belongs to one thread at a time.
 *
 * EVENT LOOPS. Beside the functions that wait there is one descriptor a session,
 * kvmi_vm_get_fd(), one function that never does, kvmi_vm_pump(), and commands
 * that are sent now and answered later, kvmi_vm_submit(). Both ways can be used
 * in one session.
 *
 * OUTPUT. The library prints nothing. See struct kvmi_options for the log.
 *
 * Since: 0.1 for every declaration without another number.
 */
#ifndef _KVMI_KVMI_H
#define _KVMI_KVMI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The protocol's arrays have no end in C++ either, which is an extension. */
#if defined(__cplusplus) && defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#endif
#include <linux/kvmi.h>
#if defined(__cplusplus) && defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define KVMI_API __attribute__((visibility("default")))

/* Bytes of a UUID and of its text with the terminating NUL. */
#define KVMI_UUID_SIZE		16
#define KVMI_UUID_TEXT_SIZE	37

/* Bytes of a VM's name with the terminating NUL. */
#define KVMI_NAME_SIZE		64

/* Bytes of a key's SHA-1. */
#define KVMI_HASH_SIZE		20

/* MSRs that one kvmi_vcpu_get_registers() can ask for. */
#define KVMI_MSRS_MAX		481

/* A socket that device managers connect to. */
struct kvmi_listener;

/* A session with the kernel about one VM. */
struct kvmi_vm;

/* An event that the kernel reported. */
struct kvmi_event;

/* The answer to a command that was submitted. */
struct kvmi_reply;

enum kvmi_log_level {
	KVMI_LOG_ERROR = 0,	/* a session ended or was refused, no answer */
	KVMI_LOG_INFO = 1,	/* a session began or ended as usual */
	KVMI_LOG_DEBUG = 2,	/* a VM was parked, a command retried */
};

/*
 * Receives one line of the log.
 * @data:	log_data of the options
 * @level:	how important the line is
 * @text:	one line without newline, valid during the call only
 *
 * Called in the thread that called the library, possibly with locks held: it
 * must not call the library.
 */
typedef void (*kvmi_log_fn)(void *data, enum kvmi_log_level level,
			    const char *text);

/*
 * Events of the library itself, about the life of a VM, if own_events of the
 * options asks for them. Their ids are none of the protocol's, their number in the
 * session is 0, they are of no vCPU and need no reply.
 *
 * KVMI_OWN_EVENT_RETURN is the first event of a session of a VM that the listener
 * has had before: struct kvmi_own_event_return tells whether it was reset, or went
 * on after a migration or a stop, or a snapshot was loaded. KVMI_OWN_EVENT_END is
 * the last event of each session, with struct kvmi_own_event_end.
 */
enum kvmi_own_event {
	KVMI_OWN_EVENT_RETURN = 0x10000,
	KVMI_OWN_EVENT_END = 0x10001,
};

struct kvmi_own_event_return {
	uint32_t run;		/* enum kvmi_run, but not KVMI_RUN_OTHER */
	uint32_t padding;
	int64_t before;		/* start time as it was, s since 1970 */
	int64_t now;		/* as it is; 0: unknown, as above */
};

struct kvmi_own_event_end {
	uint32_t end;		/* enum kvmi_end, but not KVMI_END_NONE */
	uint32_t padding;
};

/* Whether to have the guest's memory mapped. */
enum kvmi_share {
	KVMI_SHARE_NO = 0,
	KVMI_SHARE_TRY = 1,	/* if the device manager offers it */
	KVMI_SHARE_MUST = 2,	/* else there is no session: -EOPNOTSUPP */
};

struct kvmi_identity;

/*
 * Judges a VM whose hello is complete, before the answer to it.
 * @data:	hello_data of the options
 * @id:		what the device manager says, valid during the call only
 * @hash:	with old_auth SHA-1 of the options' key, else zeros; when it is
 *		changed the device manager is told this, and no proof of the
 *		options' key
 *
 * Called in the thread that accepts the VM. It must not call the library on
 * this listener.
 * Returns 0, or a negative errno: the device manager is hung up on, and the
 * function that accepts the VM returns this.
 */
typedef int (*kvmi_hello_fn)(void *data, const struct kvmi_identity *id,
			     uint8_t hash[KVMI_HASH_SIZE]);

/*
 * Options of a listener and of the sessions that it accepts. Begin with
 * kvmi_options_init(): a zero in any field means its default, so that a
 * program keeps working when fields are added. Times are in milliseconds; a
 * negative time means: without limit.
 */
struct kvmi_options {
	size_t size;		/* of this structure, set by init */
	const void *key;	/* the secret's bytes, NULL: none; copied */
	size_t key_size;	/* bytes of key, not 0 if there is one */
	kvmi_log_fn log;	/* NULL: no log */
	void *log_data;		/* handed to log */
	int backlog;		/* of listen(2); default 16 */
	unsigned int socket_mode; /* of the UNIX socket; default 0600 */
	int handshake_timeout;	/* for hello, and for the first answer; 10 s */
	int command_timeout;	/* for the answer to a command; 15 s */
	int settle_time;	/* see kvmi_listener_accept(); 1 s, <0: 0 */
	int old_auth;		/* 1: also without proof; see below */
	int share_memory;	/* enum kvmi_share; default: no */
	kvmi_hello_fn hello;	/* NULL: every VM is welcome */
	void *hello_data;	/* handed to hello */
	int own_events;		/* 1: see enum kvmi_own_event */
};

/*
 * KEYS. With a key both sides prove by HMAC-SHA256 that they have it, and the
 * session exists only if both do. A device manager that does not offer that is
 * refused, for it may be anybody. The original ones do not: with old_auth such
 * a one is sent the SHA-1 hash of the key, and nothing is known about who it
 * is. Who gets that hash can pass for this program at other such device
 * managers. One that offers the proof has to give it with old_auth as well.
 */

/*
 * Sets all options to their defaults.
 * @opts:	the structure to initialise
 */
static inline void kvmi_options_init(struct kvmi_options *opts)
{
	memset(opts, 0, sizeof(*opts));
	opts->size = sizeof(*opts);
}

/*
 * What a device manager says about its VM. The library fills at most
 * size bytes, so set size to sizeof(struct kvmi_identity) before a call.
 */
struct kvmi_identity {
	size_t size;		/* of this structure, set by the caller */
	uint8_t uuid[KVMI_UUID_SIZE];	/* zero if the VM has none */
	char name[KVMI_NAME_SIZE];	/* NUL terminated, may be empty */
	int64_t start_time;	/* of the guest's run, s since 1970; 0: unknown */
	uint64_t max_gpa;	/* end of the highest RAM, bytes; 0: unknown */
};

/* What has become of a VM that was known before. */
enum kvmi_run {
	KVMI_RUN_OTHER = 0,	/* this is another VM */
	KVMI_RUN_UNKNOWN = 1,	/* the same; a start time was not told */
	/*
	 * The run goes on: the VM was migrated, stopped or saved, the connection
	 * was lost, or a snapshot of this run was loaded. With a snapshot memory
	 * and registers are those of an earlier moment.
	 */
	KVMI_RUN_SAME = 2,
	KVMI_RUN_NEWER = 3,	/* it was reset, or started anew */
	KVMI_RUN_OLDER = 4,	/* a snapshot of an earlier run was loaded */
};

/* How a session ended. */
enum kvmi_end {
	KVMI_END_NONE = 0,	/* it goes on */
	KVMI_END_CLOSED = 1,	/* by kvmi_vm_shutdown() */
	/*
	 * After KVMI_VM_EVENT_UNHOOK: the device manager had asked to leave, as
	 * before a migration, a snapshot, a stop or the power down.
	 */
	KVMI_END_UNHOOKED = 2,
	/*
	 * Without that event: a reset, a snapshot that is loaded, the end of the
	 * device manager, a connection that died, or the event is not switched on.
	 */
	KVMI_END_LOST = 3,
	KVMI_END_BROKEN = 4,	/* the protocol was broken, or no memory */
};

/*
 * What failed. The library fills at most size bytes, so set size to
 * sizeof(struct kvmi_error) before a call.
 */
struct kvmi_error {
	size_t size;		/* of this structure, set by the caller */
	int err;		/* negative errno: why */
	unsigned int command;	/* KVMI_VM_READ_PHYSICAL and so on */
	int vcpu;		/* index of the vCPU it was for; -1: none */
	int event;		/* that was to be answered; -1: none */
	uint64_t gpa;		/* of memory that failed; UINT64_MAX: none */
};

/*
 * A part of guest memory to read or write. Like struct iovec it does not grow.
 */
struct kvmi_range {
	uint64_t gpa;		/* guest physical address, bytes */
	void *data;		/* receives or has size bytes; the caller's */
	size_t size;		/* bytes, any number */
	int err;		/* receives 0, -ENOENT or -EINVAL: it wraps around */
};

/* The kinds of areas that firmware tells a guest about. Others may come. */
enum kvmi_area_type {
	KVMI_AREA_RAM = 1,
	KVMI_AREA_RESERVED = 2,
	KVMI_AREA_ACPI = 3,	/* free after the guest has read the tables */
	KVMI_AREA_NVS = 4,	/* to be kept over a sleep */
	KVMI_AREA_UNUSABLE = 5,
};

/*
 * A part of a guest's physical addresses, a row of its e820 table. The library
 * fills at most size bytes, so set size to sizeof(struct kvmi_memory_area)
 * before a call.
 */
struct kvmi_memory_area {
	size_t size;		/* of this structure, set by the caller */
	uint64_t gpa;		/* bytes */
	uint64_t length;	/* bytes; the end is no more than 2^64 - 1 */
	uint32_t type;		/* enum kvmi_area_type */
};

/*
 * Tells the version of the library.
 * Returns a constant text as "0.1.0". Never fails.
 */
KVMI_API const char *kvmi_library_version(void);

/*
 * Tells what an error of this library means.
 * @err:	a negative errno that the library returned
 * Returns a constant English sentence without a full stop. Never fails.
 */
KVMI_API const char *kvmi_strerror(int err);

/*
 * Writes an error as one line of English: which command, for which vCPU, event
 * or address, and why, as "vcpu-get-info of vCPU 3: an argument is not valid".
 * @error:	the error; error->size tells how much of it there is
 * @text:	receives the line and a NUL, cut to size bytes; may be NULL if
 *		size is 0
 * @size:	bytes of text
 * Returns the bytes of the whole line without the NUL. Never fails.
 */
KVMI_API size_t kvmi_error_format(const struct kvmi_error *error, char *text,
				  size_t size);

/*
 * Tells what has become of a VM: whether it is the same one, and whether its
 * guest is still in the run that was watched. Their start times are compared,
 * which a device manager never uses twice.
 * @before:	as it was; before->size tells how much of it there is
 * @now:	as it is, of the VM that has come or wants to
 * Returns enum kvmi_run. Never fails.
 */
KVMI_API enum kvmi_run
kvmi_identity_compare(const struct kvmi_identity *before,
		      const struct kvmi_identity *now);

/*
 * Writes a UUID as text.
 * @uuid:	KVMI_UUID_SIZE bytes in text order
 * @text:	receives 36 characters and a NUL
 */
KVMI_API void kvmi_uuid_format(const uint8_t uuid[KVMI_UUID_SIZE],
			       char text[KVMI_UUID_TEXT_SIZE]);

/*
 * Reads a UUID from text.
 * @text:	8-4-4-4-12 hexadecimal digits, in either case
 * @uuid:	receives the bytes in text order
 * Errors: -EINVAL: this is not a UUID.
 */
KVMI_API int kvmi_uuid_parse(const char *text, uint8_t uuid[KVMI_UUID_SIZE]);

/*
 * Tells the name of a command, as "vm-read-physical".
 * @id:		KVMI_GET_VERSION and so on
 * Returns a constant text, or NULL if the protocol has no such command.
 */
KVMI_API const char *kvmi_command_name(unsigned int id);

/*
 * Tells the id of a command.
 * @name:	as kvmi_command_name() returns it, '_' and '-' being equal
 * Returns the id, which is positive. Errors: -ENOENT: no such command.
 */
KVMI_API int kvmi_command_id(const char *name);

/*
 * Tells the name of an event, as "unhook".
 * @id:		KVMI_VM_EVENT_UNHOOK and so on, or enum kvmi_own_event
 * Returns a constant text, or NULL if there is no such event.
 */
KVMI_API const char *kvmi_event_name(unsigned int id);

/*
 * Tells the id of an event that can be switched on.
 * @name:	as kvmi_event_name() returns it, '_' and '-' being equal
 * Returns the id, 0 or more. Errors: -ENOENT: no such event.
 */
KVMI_API int kvmi_event_id(const char *name);

/*
 * Listens on a UNIX socket.
 * @listener:	receives the handle; free it with kvmi_listener_close()
 * @path:	path of the socket; a dead socket there is replaced
 * @opts:	options, copied with the key; NULL for the defaults
 * Errors: -EADDRINUSE: another program listens there, or the path is no
 * socket; -ENAMETOOLONG: more than 107 bytes; -EINVAL: options; -E2BIG:
 * options of a newer library; else as bind(2) says.
 */
KVMI_API int kvmi_listener_open_unix(struct kvmi_listener **listener,
				     const char *path,
				     const struct kvmi_options *opts);

/*
 * Listens on a vsock port, for device managers on another host or VM.
 * @listener:	receives the handle; free it with kvmi_listener_close()
 * @port:	port number
 * @opts:	options, copied with the key; NULL for the defaults
 * Errors: -EADDRINUSE; -EAFNOSUPPORT: this kernel has no vsock; -EINVAL:
 * options; -E2BIG: options of a newer library; else as bind(2) says.
 */
KVMI_API int kvmi_listener_open_vsock(struct kvmi_listener **listener,
				      unsigned int port,
				      const struct kvmi_options *opts);

/*
 * Uses a socket that somebody else made, as a service manager does.
 * @listener:	receives the handle; free it with kvmi_listener_close()
 * @fd:		listening stream socket; the listener owns it on success
 * @opts:	options, copied with the key; NULL for the defaults
 * Errors: -ENOTSOCK, -EBADF; -EINVAL: not listening, or options; -E2BIG:
 * options of a newer library.
 */
KVMI_API int kvmi_listener_open_fd(struct kvmi_listener **listener, int fd,
				   const struct kvmi_options *opts);

/*
 * Tells a descriptor to poll for POLLIN.
 * @listener:	the listener, which keeps the descriptor
 * Returns the descriptor. When it is readable a device manager has connected
 * or spoken: call kvmi_listener_accept() with timeout 0, which does not wait for
 * anything. Who wants several VMs by their names calls it for each.
 */
KVMI_API int kvmi_listener_get_fd(const struct kvmi_listener *listener);

/*
 * Accepts a VM: waits for its device manager, takes the handshake, waits until
 * KVM answers.
 * @listener:	the listener
 * @wanted:	UUID or name of the VM, NULL for whichever comes first
 * @timeout:	ms to wait for the hello of that VM, <0: for ever; 0: to wait for
 *		nothing, not for the rest of the handshake either
 * @vm:		receives the session; free it with kvmi_vm_close()
 *
 * With timeout 0 a VM that is wanted gets its answer, and later calls go on from
 * there: it is hooked, and is to be accepted. Call it also now and then when the
 * descriptor is not readable, for what does not come in time is found then only.
 *
 * The hello of a VM that is not wanted is kept: the VM stays parked, not yet
 * hooked, until a later call wants it or its device manager gives up (and
 * connects again). kvmi_listener_get_parked() lists them. A peer that connects
 * and keeps silent hinders nobody; it is dropped after handshake_timeout.
 *
 * A device manager gives the permissions right after the hook. A program that
 * is quicker would see -EPERM for what is allowed a moment later. Our QEMU
 * tells when it is ready. With one that does not, during settle_time after
 * KVM's first answer an -EPERM is not returned but the command is sent again
 * every few ms.
 *
 * Errors: -ETIMEDOUT: the VM did not come; -EAGAIN: not yet, with timeout 0;
 * -ECONNREFUSED, -EPROTO, -EKEYREJECTED, -ENOKEY: it came, but no session came
 * of it; call again;
 * -EOPNOTSUPP: the kernel's protocol is not version 1, or memory must be shared
 * and is not; what the options' hello returned; else as accept(2) says.
 */
KVMI_API int kvmi_listener_accept(struct kvmi_listener *listener,
				  const char *wanted, int timeout,
				  struct kvmi_vm **vm);

/*
 * Tells which VMs have said hello and wait to be accepted.
 * @listener:	the listener
 * @index:	0 for the first
 * @id:		is filled; set id->size before
 * Errors: -ENOENT: there are not so many; -EINVAL: id->size is 0.
 */
KVMI_API int kvmi_listener_get_parked(const struct kvmi_listener *listener,
				      unsigned int index,
				      struct kvmi_identity *id);

/*
 * Stops listening, hangs up on parked VMs, removes the UNIX socket. Sessions
 * that were accepted go on.
 * @listener:	the listener, freed; NULL is ignored
 */
KVMI_API void kvmi_listener_close(struct kvmi_listener *listener);

/*
 * Makes a session of a connected socket: the handshake and KVM's first answer,
 * as kvmi_listener_accept() does.
 * @vm:		receives the session; free it with kvmi_vm_close()
 * @fd:		connected stream socket; the session owns it on success
 * @opts:	options, copied; NULL for the defaults
 * Errors: -ETIMEDOUT: no hello or no answer within handshake_timeout;
 * -ECONNRESET: hung up before the hello; -ECONNREFUSED, -EPROTO, -EKEYREJECTED,
 * -ENOKEY: no session came of it; -EOPNOTSUPP: the kernel's protocol is not
 * version 1, or memory must be shared and is not; -EINVAL: options; -E2BIG:
 * options of a newer library.
 */
KVMI_API int kvmi_vm_open_fd(struct kvmi_vm **vm, int fd,
			     const struct kvmi_options *opts);

/*
 * Ends the session and frees it. KVM removes what was set up, the device
 * manager sees the hang-up, the guest goes on. No other call on @vm may run
 * or follow.
 * @vm:		the session, freed; NULL is ignored
 */
KVMI_API void kvmi_vm_close(struct kvmi_vm *vm);

/*
 * Ends the session but keeps the handle: every call that waits, in whatever
 * thread, and every later one returns -ECONNRESET.
 * @vm:		the session
 */
KVMI_API void kvmi_vm_shutdown(struct kvmi_vm *vm);

/*
 * Tells how the session ended. What became of the VM is not known before it
 * comes again: see kvmi_identity_compare().
 * @vm:		the session
 * Returns enum kvmi_end: KVMI_END_NONE before a call has found that it ended.
 */
KVMI_API enum kvmi_end kvmi_vm_get_end(struct kvmi_vm *vm);

/*
 * Tells whether the device manager has asked to leave, for a part of a program
 * that may not be the one that took KVMI_VM_EVENT_UNHOOK.
 * @vm:		the session
 * Returns true once that event has been received, taken or not.
 */
KVMI_API bool kvmi_vm_is_unhooking(struct kvmi_vm *vm);

/*
 * Tells which command of the calling thread failed last in this session, or
 * which reply to an event, and why.
 * @vm:		the session
 * @error:	is filled; set error->size before
 *
 * Each thread has its own. It means something right after a function that sends
 * has failed, as a later success leaves it. It is kept for the last 64 threads
 * that had one. What a function refuses before it knows the command, and
 * timeouts of kvmi_vm_next_event() and kvmi_vm_next_reply(), leave none.
 * Errors: -ENOENT: there is none; -EINVAL: error->size is 0.
 */
KVMI_API int kvmi_vm_get_error(struct kvmi_vm *vm, struct kvmi_error *error);

/*
 * Tells what the device manager said about the VM.
 * @vm:		the session
 * @id:		is filled; set id->size before
 * Errors: -EINVAL: id->size is 0.
 */
KVMI_API int kvmi_vm_get_identity(const struct kvmi_vm *vm,
				  struct kvmi_identity *id);

/*
 * Tells how the guest's physical addresses were divided at its start. Memory
 * that was plugged in later is not among them, and a guest can move devices.
 * @vm:		the session
 * @index:	0 for the lowest
 * @area:	is filled; set area->size before
 * Errors: -ENOENT: there are not so many, or the device manager does not tell,
 * as older ones do not; -EINVAL: area->size is 0.
 */
KVMI_API int kvmi_vm_get_memory_area(const struct kvmi_vm *vm,
				     unsigned int index,
				     struct kvmi_memory_area *area);

/*
 * Tells whether both sides have proved that they have the key.
 * @vm:		the session
 * Returns false if there is none, and with old_auth if it was needed.
 */
KVMI_API bool kvmi_vm_is_authenticated(const struct kvmi_vm *vm);

/*
 * Tells the name of the VM.
 * @vm:		the session
 * Returns a text that lives as long as the session; empty if it has none.
 */
KVMI_API const char *kvmi_vm_get_name(const struct kvmi_vm *vm);

/*
 * Tells since when the session exists.
 * @vm:		the session
 * Returns seconds since 1970.
 */
KVMI_API int64_t kvmi_vm_get_session_time(const struct kvmi_vm *vm);

/*
 * Sets how long later commands wait for their answer.
 * @vm:		the session
 * @timeout:	ms, <0: for ever; 0 is the default of the options
 */
KVMI_API void kvmi_vm_set_timeout(struct kvmi_vm *vm, int timeout);

/*
 * Sends any command and waits for its answer, which may be of any kind.
 * @vm:		the session
 * @id:		command, 2 to 65535
 * @request:	what follows the message header, may be NULL if request_size
 *		is 0
 * @request_size: bytes, at most KVMI_MAX_MSG_SIZE
 * @reply:	receives what follows the error code
 * @reply_size:	in: bytes of reply; out: bytes received. NULL: the answer must
 *		have no data
 * Errors: -EMSGSIZE: the answer has more data than reply_size, which then
 * tells how much; -EINVAL: id or request_size; those of all commands.
 */
KVMI_API int kvmi_vm_command(struct kvmi_vm *vm, unsigned int id,
			     const void *request, size_t request_size,
			     void *reply, size_t *reply_size);

/* Submitted commands of a session whose replies have not been taken. */
#define KVMI_SUBMITTED_MAX	1024

/*
 * Sends any command and does not wait: not for the answer, nor for room in the
 * socket. Many can be under way. Those of one vCPU, and those about the VM, are
 * executed in order; the answers of different vCPUs come in any order.
 * @vm:		the session
 * @id:		command, 2 to 65535
 * @request:	what follows the message header, copied; may be NULL if size is 0
 * @size:	bytes, at most KVMI_MAX_MSG_SIZE
 * @seq:	receives the number by which to know the reply; may be NULL
 *
 * Every command that was submitted gets one reply, which waits for
 * kvmi_vm_next_reply(), also when the session ends before. There is no timeout,
 * and no second try within settle_time.
 * Errors: -EAGAIN: KVMI_SUBMITTED_MAX replies have not been taken; -EINVAL: id or
 * size; -ENOMEM; -ECONNRESET, -EPROTO: the session has ended.
 */
KVMI_API int kvmi_vm_submit(struct kvmi_vm *vm, unsigned int id,
			    const void *request, size_t size, uint32_t *seq);

/* What kvmi_vm_pump() returns, or both. */
#define KVMI_PUMP_EVENT		1
#define KVMI_PUMP_REPLY		2

/*
 * Sends and receives what is possible without waiting, for an event loop: call
 * it when kvmi_vm_get_fd() is readable, then take with timeout 0 what it tells.
 * What is not taken keeps the descriptor readable.
 * @vm:		the session
 * Returns what is there to be taken, KVMI_PUMP_EVENT or KVMI_PUMP_REPLY or both,
 * or 0. Errors: -ECONNRESET: nothing is, and the session has ended; -EPROTO.
 */
KVMI_API int kvmi_vm_pump(struct kvmi_vm *vm);

/*
 * Takes the next reply to a command that was submitted, in the order in which
 * they came. Several threads may wait; each reply goes to one of them.
 * @vm:		the session
 * @timeout:	ms, 0: only look, <0: for ever
 * @reply:	receives the reply; free it with kvmi_reply_free()
 * Errors: -ETIMEDOUT; -EAGAIN: none, with timeout 0; -ECONNRESET: none, and the
 * session has ended; -EPROTO.
 */
KVMI_API int kvmi_vm_next_reply(struct kvmi_vm *vm, int timeout,
				struct kvmi_reply **reply);

/*
 * Tells to which command a reply belongs.
 * @reply:	the reply
 * Returns the number that kvmi_vm_submit() gave.
 */
KVMI_API uint32_t kvmi_reply_get_seq(const struct kvmi_reply *reply);

/*
 * Tells whether a submitted command succeeded.
 * @reply:	the reply
 * @error:	may be NULL, else is filled also for a success; set error->size
 *		before
 * Returns 0. Errors: what the kernel answered, as -EPERM; -ECONNRESET, -EPROTO:
 * the session ended first.
 */
KVMI_API int kvmi_reply_get_error(const struct kvmi_reply *reply,
				  struct kvmi_error *error);

/*
 * Tells the data of a reply.
 * @reply:	the reply
 * @size:	receives the number of bytes, 0 after an error. It is what the
 *		kernel sent: the program compares it with what it expects
 * Returns what followed the error code, aligned for any structure, as long as
 * the reply lives; NULL if the session ended first.
 */
KVMI_API const void *kvmi_reply_get_data(const struct kvmi_reply *reply,
					 size_t *size);

/*
 * Frees a reply.
 * @reply:	the reply; NULL is ignored
 */
KVMI_API void kvmi_reply_free(struct kvmi_reply *reply);

/*
 * Asks for the protocol version and the features of the kernel.
 * @vm:		the session
 * @reply:	version, max_msg_size in bytes, features
 * Errors: those of all commands.
 */
KVMI_API int kvmi_get_version(struct kvmi_vm *vm,
			      struct kvmi_get_version_reply *reply);

/*
 * Asks if a command is allowed.
 * @vm:		the session
 * @id:		KVMI_VM_READ_PHYSICAL and so on
 * Returns 0 if it is. Errors: -EPERM: not allowed; -ENOENT: unknown to this
 * kernel; -EINVAL: id above 65535; those of all commands.
 */
KVMI_API int kvmi_vm_check_command(struct kvmi_vm *vm, unsigned int id);

/*
 * Asks if an event is allowed.
 * @vm:		the session
 * @id:		KVMI_VM_EVENT_UNHOOK and so on
 * Returns 0 if it is. Errors: -EPERM: not allowed; -ENOENT: unknown to this
 * kernel; -EINVAL: id above 65535; those of all commands.
 */
KVMI_API int kvmi_vm_check_event(struct kvmi_vm *vm, unsigned int id);

/*
 * Asks for the number of online vCPUs.
 * @vm:		the session
 * @reply:	vcpu_count
 * Errors: those of all commands.
 */
KVMI_API int kvmi_vm_get_info(struct kvmi_vm *vm,
			      struct kvmi_vm_get_info_reply *reply);

/*
 * Switches an event of the VM on or off.
 * @vm:		the session
 * @id:		KVMI_VM_EVENT_UNHOOK
 * @enable:	whether the kernel shall report it
 * Errors: -EINVAL: no VM event; -EPERM: not allowed; those of all commands.
 */
KVMI_API int kvmi_vm_control_events(struct kvmi_vm *vm, unsigned int id,
				    bool enable);

/*
 * Reads guest memory.
 * @vm:		the session
 * @gpa:	guest physical address, bytes
 * @data:	receives size bytes
 * @size:	bytes, any number; 0 does nothing
 *
 * The range is cut at page ends and many commands are under way at a time. It
 * is not one atomic read.
 *
 * What the device manager shares (see kvmi_vm_map_physical()) is copied without
 * asking KVM, so long as no call has found that the session has ended.
 *
 * Errors: -ENOENT: no memory at some of these addresses; then all of data is
 * unspecified; -EINVAL: the range wraps around; those of all commands.
 */
KVMI_API int kvmi_vm_read_physical(struct kvmi_vm *vm, uint64_t gpa,
				   void *data, size_t size);

/*
 * Tells where guest memory is mapped, to read it without a copy.
 * @vm:		the session
 * @gpa:	guest physical address, bytes
 * @size:	bytes, not 0
 * @data:	receives where the first byte is
 *
 * The mapping is read-only and shared: what the guest stores is seen there as
 * soon as another processor sees it, so any byte can change at any time. It
 * stays until kvmi_vm_close(), and must not be used after. When the session
 * ends it stays as well, but is no longer sure to be the guest's memory: the
 * device manager ends the session when what it has shared moves or goes.
 *
 * Where the memory is a file that the device manager can shorten, as that of
 * memory-backend-file, an access behind its new end raises SIGBUS. That of
 * memory-backend-memfd is sealed against it. kvmi_vm_read_physical() is safe
 * with both.
 *
 * Errors: -EOPNOTSUPP: the device manager does not share the memory, or options
 * did not ask; -ENOENT: it is not shared there, or not in one piece, as around
 * 4 GiB and between 640 KiB and 1 MiB; -EINVAL: size is 0.
 */
KVMI_API int kvmi_vm_map_physical(struct kvmi_vm *vm, uint64_t gpa,
				  size_t size, const void **data);

/*
 * Reads whole pages of guest memory of which some may not exist.
 * @vm:		the session
 * @gpa:	guest physical address, a multiple of 4096
 * @data:	receives count * 4096 bytes, zeros for a page that failed
 * @count:	number of pages
 * @status:	receives count times 0 or the error of that page, as -ENOENT
 * Errors: -EINVAL: gpa; those of all commands: nothing was read, or the rest was
 * not.
 */
KVMI_API int kvmi_vm_read_pages(struct kvmi_vm *vm, uint64_t gpa, void *data,
				size_t count, int *status);

/*
 * Reads many ranges of guest memory in one call, with many commands under way at
 * a time. Each range has its own result.
 * @vm:		the session
 * @ranges:	where and how much; err of each is set, and where there is no
 *		memory data gets zeros
 * @count:	number of ranges, 0 does nothing
 * Errors: those of all commands: nothing was read, or the rest was not, and err
 * of the ranges means nothing.
 */
KVMI_API int kvmi_vm_readv_physical(struct kvmi_vm *vm,
				    struct kvmi_range *ranges, size_t count);

/*
 * Writes guest memory, as kvmi_vm_read_physical() reads it.
 * @vm:		the session
 * @gpa:	guest physical address, bytes
 * @data:	size bytes
 * @size:	bytes, any number; 0 does nothing
 * Errors: -ENOENT: no memory at some of these addresses, others may have been
 * written; -EINVAL: the range wraps around; -EAGAIN: the VM has dirty rings and no
 * vCPU yet; those of all commands.
 */
KVMI_API int kvmi_vm_write_physical(struct kvmi_vm *vm, uint64_t gpa,
				    const void *data, size_t size);

/*
 * Writes many ranges of guest memory in one call, in their order, with many
 * commands under way at a time. Each range has its own result.
 * @vm:		the session
 * @ranges:	where and what; data is only read; err of each is set, and where
 *		there is no memory the other pages of the range are written
 * @count:	number of ranges, 0 does nothing
 * Errors: -EAGAIN: as with kvmi_vm_write_physical(); those of all commands. Some
 * may have been written then, and err of the ranges means nothing.
 */
KVMI_API int kvmi_vm_writev_physical(struct kvmi_vm *vm,
				     struct kvmi_range *ranges, size_t count);

/*
 * Tells if KVM shall restore the interceptions when the session ends.
 * @vm:		the session
 * @enable:	true, which is what KVM does by default, or false
 * Errors: those of all commands.
 */
KVMI_API int kvmi_vm_control_cleanup(struct kvmi_vm *vm, bool enable);

/*
 * Asks for the end of guest memory.
 * @vm:		the session
 * @gfn:	receives one past the highest guest frame of writable memory;
 *		times 4096 it is an address
 * Errors: those of all commands.
 */
KVMI_API int kvmi_vm_get_max_gfn(struct kvmi_vm *vm, uint64_t *gfn);

/*
 * Makes a vCPU leave the guest and report KVMI_VCPU_EVENT_PAUSE, once for each
 * call, before it enters the guest again. Every other event that it has comes
 * first. It stays out until the event has its reply.
 * @vm:		the session
 * @vcpu:	index of the vCPU
 * @wait:	whether to return only when it has left the guest, which is not
 *		yet when its event is there
 * Errors: -EPERM: also if the event is not allowed; -EINVAL: no such vCPU;
 * -EBUSY: more than 1000 pauses are pending; those of all commands.
 */
KVMI_API int kvmi_vm_pause_vcpu(struct kvmi_vm *vm, unsigned int vcpu,
				bool wait);

/* Pages that one call of kvmi_vm_set_page_access() takes. */
#define KVMI_PAGES_MAX	511

/*
 * Sets what all vCPUs may do with pages, KVMI_PAGE_ACCESS_R, W and X; all three
 * end a restriction. An access against it is KVMI_VCPU_EVENT_PF, or happens all
 * the same while that is off. Done when this returns.
 * @vm:		the session
 * @entries:	the gpa of each page and its rights, padding 0; of two for one
 *		page the later counts; the caller's
 * @count:	of entries, 0 to KVMI_PAGES_MAX
 * Errors: -EINVAL: count, or an entry: no memory of the guest, or rights that
 * the processor does not have; all others are done; -ENOMEM: the kernel's or
 * here; those of all commands.
 */
KVMI_API int
kvmi_vm_set_page_access(struct kvmi_vm *vm,
			const struct kvmi_page_access_entry *entries,
			size_t count);

/*
 * The functions kvmi_vcpu_...() are about one vCPU, named by its index, 0 to
 * vcpu_count - 1 of kvmi_vm_get_info(). The vCPU answers, in the order in which
 * it was asked: in the guest it leaves it for that; halted, outside of KVM_RUN
 * or waiting for the reply to its event it answers there. Different vCPUs
 * answer in any order, so several threads can ask several vCPUs at once.
 *
 * Beside those of all commands they have these errors: -EINVAL: no such vCPU;
 * -EAGAIN: it waits for its first start. -ETIMEDOUT with a line in the log that
 * names the command and the vCPU means that the vCPU's thread is held up, as in
 * a device manager that is itself stopped.
 */

/*
 * Asks for what is special about a vCPU.
 * @vm:		the session
 * @vcpu:	index of the vCPU
 * @reply:	tsc_speed in Hz, 0 if unknown
 * Errors: those of all vCPU commands.
 */
KVMI_API int kvmi_vcpu_get_info(struct kvmi_vm *vm, unsigned int vcpu,
				struct kvmi_vcpu_get_info_reply *reply);

/*
 * Switches an event of a vCPU on or off. KVMI_VCPU_EVENT_CR also needs
 * kvmi_vcpu_control_cr(), KVMI_VCPU_EVENT_MSR kvmi_vcpu_control_msr(); the
 * order does not matter. When this has returned 0
 * for off, the events that are still to be taken have arrived already.
 * @vm:		the session
 * @vcpu:	index of the vCPU
 * @event:	KVMI_VCPU_EVENT_HYPERCALL and so on
 * @enable:	whether the kernel shall report it
 * Errors: -EINVAL: also if this is no vCPU event; -EPERM: also if the event is
 * not allowed; -EOPNOTSUPP: the processor cannot; those of all vCPU commands.
 */
KVMI_API int kvmi_vcpu_control_events(struct kvmi_vm *vm, unsigned int vcpu,
				      unsigned int event, bool enable);

/*
 * Reads the registers of a vCPU.
 * @vm:		the session
 * @vcpu:	index of the vCPU
 * @msrs:	numbers of the MSRs to read, may be NULL if count is 0
 * @count:	of msrs, 0 to KVMI_MSRS_MAX
 * @reply:	mode (2, 4 or 8 bytes of an address), regs, sregs; nothing is
 *		written behind the structure, where its msrs would be
 * @values:	receives count values in the order of msrs, may be NULL if count
 *		is 0
 * Errors: -EINVAL: also if one of the MSRs cannot be read, or count; those of
 * all vCPU commands.
 */
KVMI_API int kvmi_vcpu_get_registers(struct kvmi_vm *vm, unsigned int vcpu,
				     const uint32_t *msrs, size_t count,
				     struct kvmi_vcpu_get_registers_reply *reply,
				     uint64_t *values);

/*
 * Sets the general registers, rip and rflags of a vCPU that waits for the reply
 * to its event. It has them when the reply is taken; of several calls the last
 * one counts.
 * @vm:		the session
 * @vcpu:	index of the vCPU
 * @regs:	all of them; begin with those of kvmi_event_get_state()
 * Errors: -EOPNOTSUPP: the vCPU does not wait; those of all vCPU commands.
 */
KVMI_API int kvmi_vcpu_set_registers(struct kvmi_vm *vm, unsigned int vcpu,
				     const struct kvm_regs *regs);

/*
 * Asks for a CPUID leaf as the guest sees it.
 * @vm:		the session
 * @vcpu:	index of the vCPU
 * @function:	the leaf, eax of CPUID
 * @index:	the subleaf, ecx of CPUID
 * @reply:	eax, ebx, ecx, edx
 * Errors: -ENOENT: no such leaf; those of all vCPU commands.
 */
KVMI_API int kvmi_vcpu_get_cpuid(struct kvmi_vm *vm, unsigned int vcpu,
				 uint32_t function, uint32_t index,
				 struct kvmi_vcpu_get_cpuid_reply *reply);

/*
 * Tells whether KVMI_VCPU_EVENT_CR shall report writes of a control register.
 * @vm:		the session
 * @vcpu:	index of the vCPU
 * @cr:		0, 3 or 4
 * @enable:	whether to report them
 * Errors: -EINVAL: also another register; those of all vCPU commands.
 */
KVMI_API int kvmi_vcpu_control_cr(struct kvmi_vm *vm, unsigned int vcpu,
				  unsigned int cr, bool enable);

/*
 * Tells whether KVMI_VCPU_EVENT_MSR shall report writes of an MSR. What the
 * guest changes without WRMSR is not reported, and an MSR that cannot be read
 * has no event.
 * @vm:		the session
 * @vcpu:	index of the vCPU
 * @msr:	0 to 0x1fff or 0xc0000000 to 0xc0001fff, but not 0x800 to 0x8ff:
 *		the registers of the x2APIC
 * @enable:	whether to report them
 * Errors: -EINVAL: also another MSR; -EPERM: also if the device manager's own
 * filter denies the guest to write it; those of all vCPU commands.
 */
KVMI_API int kvmi_vcpu_control_msr(struct kvmi_vm *vm, unsigned int vcpu,
				   uint32_t msr, bool enable);

/*
 * Makes a vCPU report KVMI_VCPU_EVENT_SINGLESTEP after each instruction, or
 * ceases to. The event need not be switched on. Meanwhile interrupts wait, and
 * kvmi_vcpu_inject_exception() is -EBUSY. Whether the host can is
 * features.singlestep of kvmi_get_version(). When this has returned 0 for off,
 * an event that is still to be taken has arrived already. The end of the session
 * switches it off.
 * @vm:		the session
 * @vcpu:	index of the vCPU
 * @enable:	whether it shall be stepped
 * Errors: -EPERM: also if the event is not allowed; -EOPNOTSUPP: the host
 * cannot; -EBUSY: a debugger of the device manager steps it; those of all vCPU
 * commands.
 */
KVMI_API int kvmi_vcpu_control_singlestep(struct kvmi_vm *vm, unsigned int vcpu,
					  bool enable);

/*
 * Translates a guest virtual address with the page tables that a vCPU uses now.
 * @vm:		the session
 * @vcpu:	index of the vCPU
 * @gva:	guest virtual address
 * @gpa:	receives the guest physical address, UINT64_MAX if there is none
 * Errors: those of all vCPU commands; that nothing is mapped is none.
 */
KVMI_API int kvmi_vcpu_translate_gva(struct kvmi_vm *vm, unsigned int vcpu,
				     uint64_t gva, uint64_t *gpa);

/*
 * Asks for an exception in the guest. It is delivered between two instructions,
 * once, and a halted vCPU wakes up for it. KVMI_VCPU_EVENT_TRAP comes before
 * that and tells what the guest really gets, with struct kvmi_vcpu_event_trap:
 * when an interrupt or an exception was on its way already it is that one, and
 * the wanted one is off. This event need not be switched on.
 * @vm:		the session
 * @vcpu:	index of the vCPU
 * @nr:		vector: 0, 1, 3 to 8, 10 to 14, 16, 17 or 19. 3 and 4 return
 *		behind an INT3 or INTO at rip, and to rip where there is none
 * @error_code:	for vectors that have one, else ignored
 * @address:	for a page fault (14), what CR2 becomes, else ignored
 * Errors: -EINVAL: also another vector; -EPERM: also if the TRAP event is not
 * allowed; -EBUSY: one is on its way: its event is unanswered, or the guest has
 * not got it yet; or the vCPU is single-stepped; -EAGAIN: also between INIT and
 * SIPI; those of all vCPU commands.
 */
KVMI_API int kvmi_vcpu_inject_exception(struct kvmi_vm *vm, unsigned int vcpu,
					unsigned int nr, uint32_t error_code,
					uint64_t address);

/*
 * Reads an extended control register.
 * @vm:		the session
 * @vcpu:	index of the vCPU
 * @xcr:	0, there is no other
 * @value:	receives it
 * Errors: -EINVAL: also another number; those of all vCPU commands.
 */
KVMI_API int kvmi_vcpu_get_xcr(struct kvmi_vm *vm, unsigned int vcpu,
			       unsigned int xcr, uint64_t *value);

/*
 * Reads the state of the x87, vector and other extended registers.
 * @vm:		the session
 * @vcpu:	index of the vCPU
 * @reply:	4096 bytes in the standard format of XSAVE, its header at 512;
 *		state that the processor has behind them is left out
 * Errors: those of all vCPU commands.
 */
KVMI_API int kvmi_vcpu_get_xsave(struct kvmi_vm *vm, unsigned int vcpu,
				 struct kvmi_vcpu_get_xsave_reply *reply);

/*
 * Sets that state, at once: a vCPU that waits for the reply to its event has it
 * when it goes on.
 * @vm:		the session
 * @vcpu:	index of the vCPU
 * @area:	as kvmi_vcpu_get_xsave() gives it: what the header does not name
 *		gets its initial state, but PKRU, which stays
 * Errors: -EINVAL: also if the header names what there is not, or MXCSR has
 * bits that there are not; those of all vCPU commands.
 */
KVMI_API int kvmi_vcpu_set_xsave(struct kvmi_vm *vm, unsigned int vcpu,
				 const struct kvmi_vcpu_set_xsave *area);

/*
 * Asks for the memory type that the guest's MTRRs give to an address.
 * @vm:		the session
 * @vcpu:	index of the vCPU, as each has MTRRs of its own
 * @gpa:	guest physical address, bytes
 * @type:	receives 0 (UC), 1 (WC), 4 (WT), 5 (WP) or 6 (WB)
 * Errors: those of all vCPU commands.
 */
KVMI_API int kvmi_vcpu_get_mtrr_type(struct kvmi_vm *vm, unsigned int vcpu,
				     uint64_t gpa, uint8_t *type);

/*
 * Tells a descriptor to poll for POLLIN.
 * @vm:		the session, which keeps the descriptor
 * Returns the descriptor. When it is readable there may be an event or a reply,
 * the session may have ended, or the socket takes more of what was submitted:
 * call kvmi_vm_pump(). A program that submits nothing can call
 * kvmi_vm_next_event() with timeout 0, which can find that it was only the answer
 * to a command of another thread.
 */
KVMI_API int kvmi_vm_get_fd(const struct kvmi_vm *vm);

/*
 * Takes the next event, of the kernel or of the library: enum kvmi_own_event.
 * @vm:		the session
 * @timeout:	ms, 0: only look, <0: for ever
 * @event:	receives the event; free it with kvmi_event_free()
 * Events that arrive while a command waits for its answer are kept. An event
 * that came before the end of the session is still returned after it. Several
 * threads may wait; each event goes to one of them.
 *
 * A vCPU that reported an event waits for kvmi_event_reply(), from whatever
 * thread and in whatever order among vCPUs. Meanwhile it answers commands. When
 * the session ends, the vCPUs whose events have no reply simply go on.
 * Errors: -ETIMEDOUT; -EAGAIN: none, with timeout 0; -ECONNRESET: none, and
 * the session has ended; -EPROTO.
 */
KVMI_API int kvmi_vm_next_event(struct kvmi_vm *vm, int timeout,
				struct kvmi_event **event);

/*
 * Tells which event this is.
 * @event:	the event
 * Returns KVMI_VM_EVENT_UNHOOK and so on, or one of enum kvmi_own_event.
 */
KVMI_API unsigned int kvmi_event_get_id(const struct kvmi_event *event);

/*
 * Tells the number of the event in its session.
 * @event:	the event
 * Returns the number; the first event of the kernel has 1, and those of the
 * library have 0.
 */
KVMI_API uint32_t kvmi_event_get_seq(const struct kvmi_event *event);

/*
 * Tells the data of the event.
 * @event:	the event
 * @size:	receives the number of bytes
 * Returns what followed struct kvmi_event_hdr, and struct kvmi_vcpu_event if it
 * is an event of a vCPU, as long as the event lives: struct kvmi_vcpu_event_cr
 * for KVMI_VCPU_EVENT_CR, and so on. There are at least as many bytes as that
 * structure has.
 */
KVMI_API const void *kvmi_event_get_data(const struct kvmi_event *event,
					 size_t *size);

/*
 * Tells which vCPU reported the event.
 * @event:	the event
 * Returns its index. Errors: -ENOENT: it is an event of the VM.
 */
KVMI_API int kvmi_event_get_vcpu(const struct kvmi_event *event);

/*
 * Tells the state of the vCPU when it reported the event: registers, mode and
 * some MSRs.
 * @event:	the event
 * Returns what lives as long as the event, or NULL for an event of the VM.
 */
KVMI_API const struct kvmi_vcpu_event *
kvmi_event_get_state(const struct kvmi_event *event);

/*
 * Answers an event of a vCPU, which then goes on. The event is not freed. The
 * kernel confirms nothing: after 0 the reply is on its way. This does not wait: if
 * the socket is full, whoever waits or sends next in this session takes it along,
 * or kvmi_vm_pump() when kvmi_vm_get_fd() is readable.
 * @vm:		the session that the event came from
 * @event:	the event
 * @action:	KVMI_EVENT_ACTION_CONTINUE: what the guest was about to do
 *		happens; KVMI_EVENT_ACTION_RETRY: the guest goes on at rip, which
 *		kvmi_vcpu_set_registers() may have changed;
 *		KVMI_EVENT_ACTION_CRASH: the device manager is told to end it
 * @data:	for KVMI_VCPU_EVENT_CR: struct kvmi_vcpu_event_cr_reply, for
 *		KVMI_VCPU_EVENT_MSR: struct kvmi_vcpu_event_msr_reply; may be
 *		NULL if size is 0
 * @size:	bytes of data
 *
 * A wrong reply would end the session, so it is not sent: -EINVAL if the event
 * is none of a vCPU, does not have this action, or has not as much data; with
 * KVMI_EVENT_ACTION_CONTINUE all data must be given.
 *
 * Errors: -EINVAL; -EALREADY: it has its reply; -ENOMEM: nothing was sent, it can
 * be tried again; -ECONNRESET, -EPROTO: the session has ended.
 */
KVMI_API int kvmi_event_reply(struct kvmi_vm *vm, struct kvmi_event *event,
			      unsigned int action, const void *data,
			      size_t size);

/*
 * Answers KVMI_VCPU_EVENT_CR with KVMI_EVENT_ACTION_CONTINUE.
 * @vm:		the session that the event came from
 * @event:	the event
 * @new_val:	what is written: new_value of the event lets the guest have its
 *		way, old_value makes the write have no effect
 * Errors: as kvmi_event_reply().
 */
KVMI_API int kvmi_event_reply_cr(struct kvmi_vm *vm, struct kvmi_event *event,
				 uint64_t new_val);

/*
 * Answers KVMI_VCPU_EVENT_MSR with KVMI_EVENT_ACTION_CONTINUE.
 * @vm:		the session that the event came from
 * @event:	the event
 * @new_val:	what is written: new_value of the event lets the guest have its
 *		way, old_value makes the write have no effect, what the MSR
 *		cannot hold makes it fault
 * Errors: as kvmi_event_reply().
 */
KVMI_API int kvmi_event_reply_msr(struct kvmi_vm *vm, struct kvmi_event *event,
				  uint64_t new_val);

/* Bytes of the longest instruction. */
#define KVMI_INSTRUCTION_MAX	15

/*
 * Reads the instruction at rip of an event's vCPU from the guest's memory. An
 * INT3 that the tool has written there is what is read.
 * @vm:		the session that the event came from
 * @event:	the event of a vCPU; not answered, or memory and tables may have
 *		changed
 * @code:	room for KVMI_INSTRUCTION_MAX bytes; what is behind the
 *		instruction means nothing
 * Returns its length, 1 to KVMI_INSTRUCTION_MAX. Errors: -EINVAL: it is an event
 * of the VM; -EFAULT: it, or its rest in the next page, is not mapped or there
 * is no memory; -EILSEQ: no instruction that is known has these bytes; those of
 * all vCPU commands.
 */
KVMI_API int kvmi_event_read_instruction(struct kvmi_vm *vm,
					 const struct kvmi_event *event,
					 uint8_t *code);

/*
 * Denies what an event is about: the vCPU goes on behind the instruction at rip,
 * which has no effect, and all other registers are those of the event. Of an
 * instruction with a REP prefix no further iteration is done. The reply is
 * KVMI_EVENT_ACTION_RETRY.
 * @vm:		the session that the event came from
 * @event:	KVMI_VCPU_EVENT_PF, or another that can be answered so
 *
 * An access that the processor makes to deliver an interrupt or exception is no
 * instruction's, and its event does not tell so: what is at rip is skipped then,
 * which was not meant.
 *
 * Errors: -EINVAL: the event does not have KVMI_EVENT_ACTION_RETRY, and there is
 * nothing to skip; -EALREADY: it has its reply; -EFAULT, -EILSEQ: as
 * kvmi_event_read_instruction(), and the event still waits for a reply; those of
 * kvmi_vcpu_set_registers() and kvmi_event_reply().
 */
KVMI_API int kvmi_event_reply_skip(struct kvmi_vm *vm,
				   struct kvmi_event *event);

/*
 * Frees an event.
 * @event:	the event; NULL is ignored
 */
KVMI_API void kvmi_event_free(struct kvmi_event *event);

#ifdef __cplusplus
}
#endif

#endif /* _KVMI_KVMI_H */
