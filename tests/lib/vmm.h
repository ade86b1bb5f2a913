/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small VMM on bare /dev/kvm, for what QEMU never does.
 *
 * Memory slot 0 is at gpa 0. A guest reports by OUT to GUEST_PORT_REPORT and
 * ends by OUT to GUEST_PORT_EXIT; see tests/guest.
 */
#ifndef TESTS_LIB_VMM_H
#define TESTS_LIB_VMM_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../guest/guest.h"

#define VMM_MEMORY	(4ul << 20)
#define VMM_SLOTS	8
#define VMM_VCPUS	8

enum vmm_irqchip {
	VMM_IRQCHIP_FULL,
	VMM_IRQCHIP_SPLIT,
	VMM_IRQCHIP_NONE,
};

struct vmm_options {
	enum vmm_irqchip irqchip;
	uint64_t memory;	/* of slot 0, bytes; 0: VMM_MEMORY */
	uint32_t flags;		/* of slot 0, KVM_MEM_... */
	uint32_t dirty_ring;	/* bytes per vCPU; 0: no dirty ring */
};

struct vmm_vcpu {
	struct vmm *vm;
	int fd;
	int id;
	struct kvm_run *run;
	struct kvm_dirty_gfn *ring;
	pthread_t thread;
	bool started;
	atomic_bool stop;
	atomic_bool exited;		/* the guest wrote to the exit port */
	atomic_uint report;		/* the last value reported */
	atomic_uint reports;
	atomic_int error;		/* of KVM_RUN, negative errno */
	atomic_uint exit_reason;	/* the last that was not handled */
	atomic_uint interrupted;	/* how often KVM_RUN gave -EINTR */
};

struct vmm {
	int kvm;
	int fd;
	struct vmm_options options;
	int nvcpus;
	bool has_spare;
	struct vmm_vcpu vcpus[VMM_VCPUS];	/* by index */
	struct vmm_slot {
		uint8_t *host;
		uint64_t gpa;
		uint64_t size;
	} slots[VMM_SLOTS];
};

/* NULL options: full irqchip, VMM_MEMORY. Skips where KVM cannot do it. */
struct vmm *vmm_create(const struct vmm_options *options);
/* Stops the vCPUs and closes all files. */
void vmm_destroy(struct vmm *vm);

/* Adds zeroed memory and returns the host's address of it. */
uint8_t *vmm_slot_add(struct vmm *vm, int slot, uint64_t gpa, uint64_t size,
		      uint32_t flags);
void vmm_slot_remove(struct vmm *vm, int slot);
/* The host's address of guest memory. */
void *vmm_host(struct vmm *vm, uint64_t gpa);

/* The id is free, the index is the order of creation. */
struct vmm_vcpu *vmm_vcpu_create(struct vmm *vm, int id);
/* Puts code at its gpa and sets registers to start it in real mode. */
void vmm_vcpu_load(struct vmm_vcpu *vcpu, const struct guest *guest);
void vmm_vcpu_start(struct vmm_vcpu *vcpu);
/* Interrupts KVM_RUN; the vCPU's thread calls it again. */
void vmm_vcpu_kick(struct vmm_vcpu *vcpu);
/* Makes the vCPU leave KVM_RUN and joins its thread. */
void vmm_vcpu_stop(struct vmm_vcpu *vcpu);
/* Creates vCPU id, loads the guest and starts it. */
struct vmm_vcpu *vmm_vcpu_run(struct vmm *vm, int id,
			      const struct guest *guest);

/* The guest has its first 4 GiB there once more. */
#define VMM_ALIAS	(1ull << 39)

/* What a guest of kind GUEST_PAGE executes; no other vCPU may be doing it. */
void vmm_page_code(struct vmm *vm, const void *code, size_t size);

/* Puts code and tables of the events guest in memory from gpa 0 on. */
void events_fill(uint8_t *memory);
/* After that: the guest's handlers of the first 32 vectors count what they get. */
void events_catch(uint8_t *memory);
/*
 * Sets up the events guest in 64-bit mode, to do instructions of a kind. All
 * vCPUs share code and tables.
 */
void vmm_vcpu_load_long(struct vmm_vcpu *vcpu, uint64_t kind);
/* The same after vmm_vcpu_load_long(). */
void vmm_catch(struct vmm *vm);
/* After that: this vector goes to this address, without error code or not. */
void vmm_gate(struct vmm *vm, int vector, uint64_t at);
/* After that: all pages are open to user mode. */
void vmm_user(struct vmm *vm);
/* From now on the vCPU gets 1000 timer interrupts a second. */
void vmm_vcpu_start_timer(struct vmm_vcpu *vcpu);
volatile struct guest_state *vmm_state(struct vmm_vcpu *vcpu);
/* The gpa, and here the gva, of a label of the events guest. */
uint64_t vmm_label(const uint8_t *label);
/* Where the instruction of this kind is. */
uint64_t vmm_kind_rip(uint64_t kind);
/* Whether the CPU is of that vendor. */
bool vmm_is_intel(void);
/* False if this CPU has no such instruction. */
bool vmm_kind_possible(uint64_t kind);
/* Lets the guest do so many more. */
void vmm_vcpu_allow(struct vmm_vcpu *vcpu, uint64_t count);
/* Waits until it has done all that it may, and nothing went wrong. */
void vmm_wait_executions(struct vmm_vcpu *vcpu, uint64_t count);

/* Fails unless the guest makes two rounds of its loop in time. */
void vmm_expect_alive(struct vmm_vcpu *vcpu);
void vmm_wait_report(struct vmm_vcpu *vcpu, uint32_t value);

#endif /* TESTS_LIB_VMM_H */
