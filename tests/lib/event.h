/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands for vCPUs and events of vCPUs, on a raw socket.
 */
#ifndef TESTS_LIB_EVENT_H
#define TESTS_LIB_EVENT_H

#include "hook.h"

struct event {
	uint16_t id;
	uint16_t vcpu;
	uint32_t seq;
	struct kvmi_vcpu_event_arch arch;
	size_t size;		/* of the event's own data */
	union {
		uint8_t data[32];
		struct kvmi_vcpu_event_cr cr;
		struct kvmi_vcpu_event_breakpoint breakpoint;
		struct kvmi_vcpu_event_trap trap;
		struct kvmi_vcpu_event_msr msr;
		struct kvmi_vcpu_event_xsetbv xsetbv;
		struct kvmi_vcpu_event_descriptor descriptor;
		struct kvmi_vcpu_event_pf pf;
		struct kvmi_vcpu_event_singlestep singlestep;
	};
};

/* Like peer_command() and the like, with the vCPU's header before the body. */
int __vcpu_command(struct peer *peer, uint16_t vcpu, uint16_t id,
		   const void *body, size_t size, void *data,
		   size_t data_size);
void vcpu_command(struct peer *peer, uint16_t vcpu, uint16_t id,
		  const void *body, size_t size, void *data, size_t data_size);
void vcpu_expect_error(struct peer *peer, uint16_t vcpu, uint16_t id,
		       const void *body, size_t size, int error);
/* Padding of the body, from its start; the vCPU is 0. */
void vcpu_expect_padding(struct peer *peer, uint16_t id, const void *body,
			 size_t size, size_t from, size_t to);

int __vcpu_control_events(struct peer *peer, uint16_t vcpu, uint16_t event,
			  uint8_t enable);
void vcpu_control_events(struct peer *peer, uint16_t vcpu, uint16_t event,
			 uint8_t enable);
int __vcpu_control_cr(struct peer *peer, uint16_t vcpu, uint8_t cr,
		      uint8_t enable);
void vcpu_control_cr(struct peer *peer, uint16_t vcpu, uint8_t cr,
		     uint8_t enable);
int __vcpu_control_msr(struct peer *peer, uint16_t vcpu, uint32_t msr,
		       uint8_t enable);
void vcpu_control_msr(struct peer *peer, uint16_t vcpu, uint32_t msr,
		      uint8_t enable);
/* What the guest may do with the page of this gpa: KVMI_PAGE_ACCESS_... */
int __vm_set_page_access(struct peer *peer, uint64_t gpa, uint8_t access);
/* GET_VERSION: whether this CPU can be stopped after one instruction. */
bool step_supported(struct peer *peer);
/* Skips the test where it cannot. */
void step_require(void);
/* Single step of a vCPU, on or off. */
int __vcpu_control_singlestep(struct peer *peer, uint16_t vcpu,
			      uint8_t enable);
void vcpu_control_singlestep(struct peer *peer, uint16_t vcpu,
			     uint8_t enable);
void vcpu_get_registers(struct peer *peer, uint16_t vcpu,
			struct kvmi_vcpu_get_registers_reply *reply);
int __vcpu_set_registers(struct peer *peer, uint16_t vcpu,
			 const struct kvm_regs *regs);
void vcpu_set_registers(struct peer *peer, uint16_t vcpu,
			const struct kvm_regs *regs);
int __vcpu_pause(struct peer *peer, uint16_t vcpu, uint8_t wait);
void vcpu_pause(struct peer *peer, uint16_t vcpu);

/* An address and an error code are sent for every vector. */
int __vcpu_inject(struct peer *peer, uint16_t vcpu, uint8_t nr,
		  uint32_t error_code, uint64_t address);
void vcpu_inject(struct peer *peer, uint16_t vcpu, uint8_t nr);

/* One instruction for each event, and more where they differ much. */
#define EVENT_KINDS \
	GUEST_CR0, GUEST_CR3, GUEST_CR4, GUEST_INT3, GUEST_HYPERCALL, \
	GUEST_MSR, GUEST_XSETBV, GUEST_SIDT, GUEST_LTR, GUEST_PAGE

/* What it may still do with that page, when it stores there. */
#define KIND_ACCESS	(KVMI_PAGE_ACCESS_R | KVMI_PAGE_ACCESS_X)

/* The MSR of that instruction. */
#define KIND_MSR	0xc0000102

/* The event by which a tool sees instructions of this kind. */
uint16_t kind_event(uint64_t kind);
/* Switches it on or off on the vCPU. */
void kind_control(struct peer *peer, uint16_t vcpu, uint64_t kind,
		  uint8_t enable);

/* Makes a guest that waits for an exception get it, after TRAP. */
void kind_provoke(struct peer *peer, uint16_t vcpu, uint64_t kind);
/* Lets the guest do one more of this kind. */
void kind_begin(struct peer *peer, struct vmm_vcpu *vcpu, uint64_t kind);

/* The next event of a vCPU, or what __peer_receive() returns. */
int __event_receive(struct peer *peer, struct event *event);
/* Must be this one, and well formed. */
void event_receive(struct peer *peer, uint16_t id, struct event *event);
/* One from each of the first vCPUs, by vCPU. */
void event_receive_each(struct peer *peer, uint16_t id, struct event *events,
			int count);
/* Whether an event, or whatever else, is there to be received. */
bool event_is_here(struct peer *peer);
/* Fails if an event comes within a moment. */
void event_expect_none(struct peer *peer);
void event_answer_data(struct peer *peer, const struct event *event,
		       uint8_t action, const void *data, size_t size);
/* With the reply data that change nothing. */
void event_answer(struct peer *peer, const struct event *event,
		  uint8_t action);
void event_continue(struct peer *peer, const struct event *event);

#endif /* TESTS_LIB_EVENT_H */
