/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libkvmi 1.1: the old client interface of KVM introspection, for programs that
 * are written against it. A new one uses kvmi/kvmi.h. This header needs no
 * other one of this project; a file that also needs <linux/kvmi.h> or
 * <kvmi/handshake.h> includes them first.
 *
 * A program listens; the device manager of each VM connects. Both callbacks run
 * in a thread of the library.
 *
 * ERRORS. An int function returns 0, or -1 with errno. What sends a command has
 * these, which are those of all commands:
 *
 *	ENOTCONN	the session has ended
 *	ETIMEDOUT	no answer in time; the session goes on
 *	EPERM		the VM's owner does not allow it
 *	ENOSYS		this kernel does not know the command
 *	ENOMEM		no memory, here or in the kernel, or no thread
 *	EPROTO		the other side broke the protocol; the session has ended
 *
 * A command that is about a vCPU has these as well, those of all vCPU commands:
 *
 *	EINVAL		no such vCPU
 *	EAGAIN		the vCPU waits for its first start
 *
 * EOPNOTSUPP is what neither the kernel nor this library has. A line in the log
 * says which function, which vCPU and why.
 *
 * THREADS. Any thread may call any function on a domain, but nothing may run on
 * what is being closed. A program that forks in its callback may use the domain
 * in one of the two processes: the other one calls kvmi_domain_close() with
 * false before it does anything else with it.
 *
 * Since: 1.1 for every declaration.
 */
#ifndef LIBKVMI_H
#define LIBKVMI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/kvm.h>
#include <linux/types.h>

/* The newer protocol has structures of these names, of another layout. */
#ifdef _UAPI_LINUX_KVMI_H
#define kvmi_features kvmi_v1_features
#define kvmi_vcpu_hdr kvmi_v1_vcpu_hdr
#endif
#ifdef _KVMI_HANDSHAKE_H
#define kvmi_qemu2introspector kvmi_v1_qemu2introspector
#define kvmi_introspector2qemu kvmi_v1_introspector2qemu
#endif

#ifdef __cplusplus
extern "C" {
#endif

#ifndef _UAPI_LINUX_KVMI_H
#define KVMI_VERSION	1
#define KVMI_MSG_SIZE	8184
#endif

#define KVMI_EVENT_UNHOOK	0	/* of the VM, without reply */
#define KVMI_EVENT_CR		1
#define KVMI_EVENT_MSR		2
#define KVMI_EVENT_XSETBV	3
#define KVMI_EVENT_BREAKPOINT	4
#define KVMI_EVENT_HYPERCALL	5
#define KVMI_EVENT_PF		6
#define KVMI_EVENT_TRAP		7
#define KVMI_EVENT_DESCRIPTOR	8
#define KVMI_EVENT_CREATE_VCPU	9	/* never reported */
#define KVMI_EVENT_PAUSE_VCPU	10
#define KVMI_EVENT_SINGLESTEP	11
#define KVMI_EVENT_CPUID	13	/* not supported */
#define KVMI_NUM_EVENTS		14

#define KVMI_EVENT_ACTION_CONTINUE	0
#define KVMI_EVENT_ACTION_RETRY		1
#define KVMI_EVENT_ACTION_CRASH		2

#define KVMI_PAGE_ACCESS_R	(1 << 0)
#define KVMI_PAGE_ACCESS_W	(1 << 1)
#define KVMI_PAGE_ACCESS_X	(1 << 2)
#define KVMI_PAGE_ACCESS_SVE	(1 << 3)	/* not supported */

#define KVMI_DESC_IDTR	1
#define KVMI_DESC_GDTR	2
#define KVMI_DESC_LDTR	3
#define KVMI_DESC_TR	4

struct kvmi_features {
	__u8 spp;
	__u8 vmfunc;
	__u8 eptp;
	__u8 ve;
	__u8 padding[4];
};

struct kvmi_vcpu_hdr {
	__u16 vcpu;		/* index */
	__u16 padding1;
	__u32 padding2;
};

/* The state of a vCPU when it reported an event. */
struct kvmi_event_arch {
	__u8 mode;		/* 2, 4 or 8: bytes of an address */
	__u8 padding1;
	__u16 view;		/* 0 */
	__u8 padding2[4];
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct {
		__u64 sysenter_cs;
		__u64 sysenter_esp;
		__u64 sysenter_eip;
		__u64 efer;
		__u64 star;
		__u64 lstar;
		__u64 cstar;
		__u64 pat;
		__u64 shadow_gs;
	} msrs;
};

struct kvmi_event {
	__u16 size;		/* of this structure, bytes */
	__u16 vcpu;		/* index */
	__u8 event;		/* KVMI_EVENT_... */
	__u8 padding[3];
	struct kvmi_event_arch arch;
};

struct kvmi_event_cr {
	__u16 cr;
	__u16 padding[3];
	__u64 old_value;
	__u64 new_value;
};

struct kvmi_event_msr {
	__u32 msr;
	__u32 padding;
	__u64 old_value;
	__u64 new_value;
};

struct kvmi_event_breakpoint {
	__u64 gpa;
	__u8 insn_len;		/* bytes */
	__u8 padding[7];
};

struct kvmi_event_pf {
	__u64 gva;		/* ~0 if not known */
	__u64 gpa;
	__u8 access;		/* what was denied, KVMI_PAGE_ACCESS_... */
	__u8 padding1;
	__u16 view;		/* 0 */
	__u32 padding2;
};

struct kvmi_event_trap {
	__u8 vector;
	__u8 padding1;
	__u16 padding2;
	__u32 error_code;
	__u64 cr2;
};

struct kvmi_event_descriptor {
	__u8 descriptor;	/* KVMI_DESC_... */
	__u8 write;
	__u8 padding[6];
};

struct kvmi_event_cpuid {
	__u32 function;
	__u32 index;
	__u8 insn_length;	/* bytes */
	__u8 padding1[3];
	__u32 padding2;
};

struct kvmi_event_singlestep {
	__u8 failed;
	__u8 padding[7];
};

/* What kvmi_reply_event() sends: kvmi_vcpu_hdr, this, and one of those below. */
struct kvmi_event_reply {
	__u8 action;		/* KVMI_EVENT_ACTION_... */
	__u8 event;		/* KVMI_EVENT_..., that of the event */
	__u16 padding1;
	__u32 padding2;
};

struct kvmi_event_cr_reply {
	__u64 new_val;
};

struct kvmi_event_msr_reply {
	__u64 new_val;
};

struct kvmi_event_pf_reply {
	__u64 ctx_addr;
	__u32 ctx_size;		/* bytes of ctx_data; other than 0 fails */
	__u8 singlestep;	/* step this vCPU from now on */
	__u8 rep_complete;	/* ignored */
	__u16 padding;
	__u8 ctx_data[256];
};

/* An event: one block, which free(3) frees. */
struct kvmi_dom_event {
	void *next;		/* the library's */
	struct {
		struct kvmi_event common;
		__extension__ union {
			struct kvmi_event_cr cr;
			struct kvmi_event_msr msr;
			struct kvmi_event_breakpoint breakpoint;
			struct kvmi_event_pf page_fault;
			struct kvmi_event_trap trap;
			struct kvmi_event_descriptor desc;
			struct kvmi_event_cpuid cpuid;
			struct kvmi_event_singlestep ss;
		};
	} event;
	__u8 buf[8184];		/* zero */
	unsigned int seq;	/* for the reply */
};

/* What a device manager says about its VM. */
struct kvmi_qemu2introspector {
	__u32 struct_size;	/* 96 */
	__u8 uuid[16];
	__u32 padding;
	__s64 start_time;	/* s since 1970, 0: unknown */
	char name[64];		/* NUL terminated */
};

/* What it is told: SHA-1 of the secret that both know. */
struct kvmi_introspector2qemu {
	__u32 struct_size;	/* 24 */
	__u8 cookie_hash[20];
};

typedef enum {
	KVMI_LOG_LEVEL_DEBUG,
	KVMI_LOG_LEVEL_INFO,
	KVMI_LOG_LEVEL_WARNING,
	KVMI_LOG_LEVEL_ERROR
} kvmi_log_level;

typedef int kvmi_timeout_t;	/* ms; negative: without limit */

enum {
	KVMI_NOWAIT = 0,
	KVMI_WAIT = 150,
};

/*
 * Takes a VM: its session stands, and any function may be called on it.
 * @dom:	the domain; kvmi_domain_close() frees it, now the program's
 * @uuid:	of the VM
 * @ctx:	what was given to kvmi_init_...()
 * Returns 0, or something else to refuse: then the library closes the domain.
 */
typedef int (*kvmi_new_guest_cb)(void *dom, unsigned char (*uuid)[16],
				 void *ctx);

/*
 * Judges a VM before it is hooked.
 * @qemu:	what its device manager says
 * @intro:	to be filled; a cookie_hash left zero becomes that of the key
 *		file, if there is one
 * @ctx:	what was given to kvmi_init_...()
 * Returns 0, or a negative number to hang up.
 */
typedef int (*kvmi_handshake_cb)(const struct kvmi_qemu2introspector *qemu,
				 struct kvmi_introspector2qemu *intro,
				 void *ctx);

/* Takes a line of the log. It must not call the library. */
typedef void (*kvmi_log_cb)(kvmi_log_level level, const char *text, void *ctx);

/*
 * Listens on a vsock port and accepts VMs in the background.
 * @port:	port number
 * @accept_cb:	called for each VM
 * @hsk_cb:	called before, or NULL
 * @cb_ctx:	handed to both
 * Returns what kvmi_uninit() frees, or NULL with errno. Errors: EINVAL: no
 * accept_cb, or the environment; EADDRINUSE; EAFNOSUPPORT: this kernel has no
 * vsock; ENOMEM: no memory, or no thread; else as bind(2) says, or open(2) of
 * the key file.
 */
void *kvmi_init_vsock(unsigned int port, kvmi_new_guest_cb accept_cb,
		      kvmi_handshake_cb hsk_cb, void *cb_ctx);
/*
 * The same on a UNIX socket.
 * @socket:	its path; a dead socket there is replaced, nothing else is
 * Errors: EINVAL: no path, no accept_cb, or the environment; EADDRINUSE:
 * another program listens there, or the path is no socket; ENAMETOOLONG: more
 * than 107 bytes; ENOMEM: no memory, or no thread; else as bind(2) says, or
 * open(2) of the key file.
 */
void *kvmi_init_unix_socket(const char *socket, kvmi_new_guest_cb accept_cb,
			    kvmi_handshake_cb hsk_cb, void *cb_ctx);
/* Stops listening; returns when no callback runs. NULL is ignored. */
void kvmi_close(void *ctx);
/* The same, and frees it. Domains stay. NULL is ignored. */
void kvmi_uninit(void *ctx);

/*
 * Ends a session and frees it. The guest goes on.
 * @dom:	the domain; NULL is ignored
 * @do_shutdown: false leaves the connection to another process that has it
 */
void kvmi_domain_close(void *dom, bool do_shutdown);
/* Whether the session stands. */
bool kvmi_domain_is_connected(const void *dom);
/* Copies the VM's name, cut to dest_size with its NUL. */
void kvmi_domain_name(const void *dom, char *dest, size_t dest_size);
/* The connection, which stays the library's: not to be read or written. */
int kvmi_connection_fd(const void *dom);
/* When the guest was started, s since 1970; 0: unknown. */
int64_t kvmi_get_starttime(const void *dom);
/* Sets who gets the log, for the whole process; NULL: nobody. */
void kvmi_set_log_cb(kvmi_log_cb cb, void *ctx);

/* Version of the protocol: 1. Never fails. */
int kvmi_get_version(void *dom, unsigned int *version);
/*
 * Asks if a message or event is allowed, by its old number. Nothing is logged.
 * Errors: ENOENT: there is none; EPERM: it is not; those of all commands.
 */
int kvmi_check_command(void *dom, int id);
int kvmi_check_event(void *dom, int id);
/* What none of them has: false. Never fails. */
int kvmi_spp_support(void *dom, bool *supported);
int kvmi_ve_support(void *dom, bool *supported);
int kvmi_vmfunc_support(void *dom, bool *supported);
int kvmi_eptp_support(void *dom, bool *supported);
bool kvmi_remote_mapping_v2(void);

/* Number of online vCPUs. Errors: those of all commands. */
int kvmi_get_vcpu_count(void *dom, unsigned int *count);
/* One past the highest guest frame of memory. Errors: those of all commands. */
int kvmi_get_maximum_gfn(void *dom, unsigned long long *gfn);
/* Not supported. Errors: EOPNOTSUPP. */
int kvmi_get_next_available_gfn(void *dom, unsigned long long *gfn);
/* Of vCPU 0, Hz; 0: unknown. Errors: those of all vCPU commands. */
int kvmi_get_tsc_speed(void *dom, unsigned long long *speed);

/*
 * Switches an event of a vCPU on or off. SINGLESTEP and TRAP are told to the
 * library only: without them it answers these events itself. CREATE_VCPU and
 * UNHOOK are taken here as well.
 * Errors: EOPNOTSUPP: CPUID, or the processor cannot; EINVAL: also no such
 * event; EPERM: also if the event is not allowed; those of all vCPU commands.
 */
int kvmi_control_events(void *dom, unsigned short vcpu, int id, bool enable);
/*
 * The same for UNHOOK and CREATE_VCPU.
 * Errors: EINVAL: another event; those of all commands.
 */
int kvmi_control_vm_events(void *dom, int id, bool enable);
/*
 * Whether KVMI_EVENT_CR is about CR 0, 3 or 4.
 * Errors: EINVAL: also another one; those of all vCPU commands.
 */
int kvmi_control_cr(void *dom, unsigned short vcpu, unsigned int cr,
		    bool enable);
/*
 * Whether KVMI_EVENT_MSR is about an MSR.
 * Errors: EINVAL: also one that has no event; EPERM: also if the device manager
 * denies the guest to write it; those of all vCPU commands.
 */
int kvmi_control_msr(void *dom, unsigned short vcpu, unsigned int msr,
		     bool enable);
/*
 * Whether a vCPU is stepped.
 * Errors: EOPNOTSUPP: the host cannot; EBUSY: a debugger of the device manager
 * steps it; those of all vCPU commands.
 */
int kvmi_control_singlestep(void *dom, unsigned short vcpu, bool enable);

/*
 * Makes vCPUs 0 to count - 1 leave the guest. On return they have, and each
 * event that they had before is in the queue; KVMI_EVENT_PAUSE_VCPU of each
 * follows. On failure none of them stays out.
 * Errors: EINVAL: there are not so many; EBUSY: more than 1000 pauses of a vCPU
 * are pending; those of all commands.
 */
int kvmi_pause_all_vcpus(void *dom, unsigned int count);

/*
 * With the page tables that the vCPU uses now; ~0 if nothing is mapped there.
 * Errors: those of all vCPU commands.
 */
int kvmi_translate_gva(void *dom, unsigned short vcpu, unsigned long long gva,
		       unsigned long long *gpa);
/*
 * A CPUID leaf as the guest sees it.
 * Errors: ENOENT: no such leaf; those of all vCPU commands.
 */
int kvmi_get_cpuid(void *dom, unsigned short vcpu, unsigned int function,
		   unsigned int index, unsigned int *eax, unsigned int *ebx,
		   unsigned int *ecx, unsigned int *edx);
/* Memory type by the MTRRs of vCPU 0. Errors: those of all vCPU commands. */
int kvmi_get_mtrr_type(void *dom, unsigned long long gpa, unsigned char *type);
/* XCR 0. Errors: EINVAL: also another one; those of all vCPU commands. */
int kvmi_get_xcr(void *dom, unsigned short vcpu, unsigned char xcr,
		 unsigned long long *value);
/*
 * At most 4096 bytes, the rest of the buffer becomes zero.
 * Errors: those of all vCPU commands.
 */
int kvmi_get_xsave(void *dom, unsigned short vcpu, void *buffer,
		   size_t bufSize);
/*
 * What is not given becomes zero.
 * Errors: EINVAL: also more than 4096 bytes, or what the processor does not
 * have; those of all vCPU commands.
 */
int kvmi_set_xsave(void *dom, unsigned short vcpu, const void *buffer,
		   size_t size);
/*
 * Asks for an exception in the guest.
 * @gva:	for vector 14, what CR2 becomes
 * @error:	for vectors that have a code
 * Errors: EINVAL: also a vector that cannot be; EPERM: also if the TRAP event is
 * not allowed; EBUSY: one is on its way, or the vCPU is stepped; those of all
 * vCPU commands.
 */
int kvmi_inject_exception(void *dom, unsigned short vcpu,
			  unsigned long long gva, unsigned int error,
			  unsigned char vector);
/*
 * Reads registers. @msrs has the indices and receives the data; msrs and mode
 * may be NULL.
 * Errors: EINVAL: also an MSR that cannot be read, or more than 481; those of
 * all vCPU commands.
 */
int kvmi_get_registers(void *dom, unsigned short vcpu, struct kvm_regs *regs,
		       struct kvm_sregs *sregs, struct kvm_msrs *msrs,
		       unsigned int *mode);
/*
 * Sets them for a vCPU that waits for the reply to its event.
 * Errors: EOPNOTSUPP: it does not wait; those of all vCPU commands.
 */
int kvmi_set_registers(void *dom, unsigned short vcpu,
		       const struct kvm_regs *regs);

/*
 * Reads any range of guest memory.
 * Errors: ENOENT: there is none at some of it; EINVAL: it wraps around; those of
 * all commands.
 */
int kvmi_read_physical(void *dom, unsigned long long gpa, void *buffer,
		       size_t size);
/*
 * Writes any range of guest memory.
 * Errors: ENOENT: there is none at some of it, the rest may have been written;
 * EINVAL: it wraps around; EAGAIN: the VM has dirty rings and no vCPU yet; those
 * of all commands.
 */
int kvmi_write_physical(void *dom, unsigned long long gpa, const void *buffer,
			size_t size);
/*
 * Sets the rights of count pages, KVMI_PAGE_ACCESS_..., for all vCPUs.
 * Errors: EINVAL: a view other than 0, no memory of the guest, or rights that
 * the processor does not have; those of all commands.
 */
int kvmi_set_page_access(void *dom, unsigned long long *gpa,
			 unsigned char *access, unsigned short count,
			 unsigned short view);
/*
 * Lets the program map guest memory. Errors: EOPNOTSUPP: the device manager does
 * not share it.
 */
int kvmi_memory_mapping(void *dom, bool enable);
/*
 * Returns where a page is mapped, for reading, or MAP_FAILED with errno.
 * Errors: EOPNOTSUPP: the device manager does not share the memory; ENOENT: it
 * does not share this page.
 */
void *kvmi_map_physical_page(void *dom, unsigned long long gpa);
/* Does nothing: it stays. Errors: EINVAL: this was not mapped. */
int kvmi_unmap_physical_page(void *dom, void *addr);

/*
 * Waits for an event: 0 if the queue has one.
 * Errors: ETIMEDOUT: it has none; ENOTCONN: nor will it; EPROTO; ENOMEM: no
 * thread.
 */
int kvmi_wait_event(void *dom, kvmi_timeout_t ms);
/*
 * Takes the oldest event, which the program frees with free().
 * Errors: ETIMEDOUT: there is none; ENOTCONN: nor will there be; EPROTO. *event
 * is NULL then.
 */
int kvmi_pop_event(void *dom, struct kvmi_dom_event **event);
/* How many events the queue has. */
size_t kvmi_get_pending_events(void *dom);
/*
 * Answers an event, of which @seq is the seq: kvmi_vcpu_hdr, kvmi_event_reply
 * and the part of this event.
 * Errors: EINVAL: no event waits for this; EOPNOTSUPP: ctx_size is not 0, and
 * the vCPU goes on without that; ENOMEM: nothing was sent; ENOTCONN; EPROTO; if
 * a step is wanted those of kvmi_control_singlestep(), and the vCPU goes on
 * without that.
 */
int kvmi_reply_event(void *dom, unsigned int msg_seq, const void *data,
		     size_t data_size);

/*
 * Batches: commands that are kept, and sent together by the commit. A batch
 * belongs to one thread at a time.
 * Returns what kvmi_batch_free() frees, or NULL with errno. Errors: ENOMEM.
 */
void *kvmi_batch_alloc(void *dom);
/*
 * Returns when all commands have their answer, and leaves the batch empty; it
 * fails with the first that failed.
 * Errors: those of kvmi_set_registers(), those of kvmi_reply_event(), those of
 * kvmi_set_page_access() and kvmi_pause_all_vcpus().
 */
int kvmi_batch_commit(void *batch);
/* NULL is ignored. */
void kvmi_batch_free(void *batch);
/* As kvmi_set_registers() does at once. Errors: ENOMEM. */
int kvmi_queue_registers(void *batch, unsigned short vcpu,
			 const struct kvm_regs *regs);
/* As kvmi_reply_event() does at once; data is copied. Errors: ENOMEM. */
int kvmi_queue_reply_event(void *batch, unsigned int msg_seq, const void *data,
			   size_t data_size);
/*
 * As kvmi_set_page_access() does at once.
 * Errors: EINVAL: a view other than 0; ENOMEM.
 */
int kvmi_queue_page_access(void *batch, unsigned long long *gpa,
			   unsigned char *access, unsigned short count,
			   unsigned short view);
/* As kvmi_pause_all_vcpus() does for one vCPU. Errors: ENOMEM. */
int kvmi_queue_pause_vcpu(void *batch, unsigned short vcpu);

/* What follows is not supported. Errors: EOPNOTSUPP. */
int kvmi_queue_spp_access(void *batch, unsigned long long *gpa,
			  unsigned int *bitmap, unsigned short view,
			  unsigned short count);
int kvmi_set_page_write_bitmap(void *dom, unsigned long long *gpa,
			       unsigned int *bitmap, unsigned short count);
int kvmi_shutdown_guest(void *dom);
int kvmi_set_ve_info_page(void *dom, unsigned short vcpu,
			  unsigned long long gpa);
int kvmi_set_ept_page_conv(void *dom, unsigned short index,
			   unsigned long long gpa, bool sve);
int kvmi_get_ept_page_conv(void *dom, unsigned short index,
			   unsigned long long gpa, bool *sve);
int kvmi_switch_ept_view(void *dom, unsigned short vcpu, unsigned short view);
int kvmi_disable_ve(void *dom, unsigned short vcpu);
int kvmi_create_ept_view(void *dom, unsigned short *view);
int kvmi_destroy_ept_view(void *dom, unsigned short view);
int kvmi_get_ept_view(void *dom, unsigned short vcpu, unsigned short *view);
int kvmi_control_ept_view(void *dom, unsigned short vcpu, unsigned short view,
			  bool visible);
int kvmi_change_gfn(void *dom, unsigned short vcpu, unsigned short view,
		    unsigned long long old_gfn, unsigned long long new_gfn);
int kvmi_alloc_gfn(void *dom, unsigned long long gfn);
int kvmi_free_gfn(void *dom, unsigned long long gfn);

#ifdef __cplusplus
}
#endif

#endif /* LIBKVMI_H */
