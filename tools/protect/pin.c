// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The registers that kvmi protect pins: bits that may be set and not cleared,
 * MSRs with one right value, and where IDT and GDT are.
 */
#include <errno.h>
#include <inttypes.h>

#include "protect.h"

#define MSR_EFER	0xc0000080
#define MSR_SYSENTER_EIP	0x176
#define EFER_NXE	(1ull << 11)

static const struct {
	unsigned int cr;
	uint64_t bit;
	const char *name;
} bits[] = {
	{ 0, 1ull << 16, "cr0.wp" },
	{ 4, 1ull << 20, "cr4.smep" },
	{ 4, 1ull << 21, "cr4.smap" },
	{ 4, 1ull << 11, "cr4.umip" },
};

/* LSTAR first. EFER has a pinned bit only. */
static const struct pin msrs[PINS] = {
	{ .msr = 0xc0000082, .name = "lstar" },
	{ .msr = 0xc0000083, .name = "cstar" },
	{ .msr = 0xc0000081, .name = "star" },
	{ .msr = 0xc0000084, .name = "sfmask" },
	{ .msr = MSR_SYSENTER_EIP, .name = "sysenter_eip" },
	{ .msr = MSR_EFER, .name = "efer.nxe" },
};

/* What runs now is taken for right, but for LSTAR, which has a symbol. */
static void take_values(struct protect *p, const uint64_t *values)
{
	uint64_t entry;
	int i;

	for (i = 0; i < PINS; i++) {
		p->pins[i] = msrs[i];
		p->pins[i].value = values[i];
		p->pins[i].is_set = true;
	}
	if (!linux_symbol(p->guest, "entry_SYSCALL_64", &entry))
		p->pins[0].value = entry;
}

/* The gpa that a vCPU has at an address, or UINT64_MAX. */
static uint64_t gpa_of(struct protect *p, unsigned int vcpu, uint64_t gva)
{
	uint64_t gpa;

	if (kvmi_vcpu_translate_gva(p->vm, vcpu, gva, &gpa))
		return UINT64_MAX;
	return gpa;
}

static bool is_locked_idt(struct protect *p, unsigned int vcpu, uint64_t base)
{
	const struct area *area = lock_at(p, gpa_of(p, vcpu, base));

	return area && area->what == IDT;
}

/* What was changed before we came cannot be denied, but told. */
static void check_vcpu(struct protect *p, unsigned int vcpu,
		       const struct kvm_sregs *sregs, const uint64_t *values)
{
	size_t i;

	for (i = 0; i < PINS; i++)
		if (msrs[i].msr != MSR_EFER && values[i] != p->pins[i].value)
			complain(0, "vCPU %u has 0x%" PRIx64 " in %s already, not 0x%" PRIx64,
				 vcpu, values[i], msrs[i].name,
				 p->pins[i].value);
	for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (!((bits[i].cr ? sregs->cr4 : sregs->cr0) & bits[i].bit))
			complain(0, "vCPU %u does not have %s set", vcpu,
				 bits[i].name);
	if (!is_locked_idt(p, vcpu, sregs->idt.base))
		complain(0, "vCPU %u has another IDT, at 0x%llx", vcpu,
			 sregs->idt.base);
}

/* The values of the first vCPU that runs; with these the others are compared. */
int pin_learn(struct protect *p)
{
	struct kvmi_vcpu_get_registers_reply reply;
	uint64_t values[PINS];
	uint32_t numbers[PINS];
	unsigned int vcpu;
	int i, err = 0;

	for (i = 0; i < PINS; i++)
		numbers[i] = msrs[i].msr;
	for (vcpu = 0; vcpu < p->vcpus && !err; vcpu++) {
		err = kvmi_vcpu_get_registers(p->vm, vcpu, numbers, PINS,
					      &reply, values);
		if (!err && !p->pins[0].is_set)
			take_values(p, values);
		if (!err)
			check_vcpu(p, vcpu, &reply.sregs, values);
		if (err == -EAGAIN)
			err = 0;
	}
	if (err)
		complain(err, "cannot read the registers to pin");
	return err;
}

/* An MSR that QEMU keeps from the guest needs no pin. */
static int control_msrs(struct protect *p, unsigned int vcpu, bool enable)
{
	int i, err = 0;

	for (i = 0; i < PINS && !err; i++) {
		err = kvmi_vcpu_control_msr(p->vm, vcpu, p->pins[i].msr,
					    enable);
		if (err == -EPERM)
			err = 0;
	}
	return err ? err : kvmi_vcpu_control_events(p->vm, vcpu,
						    KVMI_VCPU_EVENT_MSR, enable);
}

int pin_control(struct protect *p, unsigned int vcpu, bool enable)
{
	int err;

	err = kvmi_vcpu_control_cr(p->vm, vcpu, 0, enable);
	if (!err)
		err = kvmi_vcpu_control_cr(p->vm, vcpu, 4, enable);
	if (!err)
		err = kvmi_vcpu_control_events(p->vm, vcpu, KVMI_VCPU_EVENT_CR,
					       enable);
	if (!err)
		err = control_msrs(p, vcpu, enable);
	if (err || !p->has_tables)
		return err;
	err = kvmi_vcpu_control_events(p->vm, vcpu, KVMI_VCPU_EVENT_DESCRIPTOR,
				       enable);
	if (err != -EOPNOTSUPP)
		return err;
	complain(0, "this processor does not tell of LIDT and LGDT");
	p->has_tables = false;
	return 0;
}

static void tell(struct protect *p, const struct kvmi_event *event,
		 const struct attempt *a)
{
	if (attempt_count(p, event, a))
		attempt_tell(p, event, a);
}

static int crash(struct protect *p, struct kvmi_event *event)
{
	return kvmi_event_reply(p->vm, event, KVMI_EVENT_ACTION_CRASH, NULL, 0);
}

int pin_cr(struct protect *p, struct kvmi_event *event,
	   const struct kvmi_vcpu_event_cr *cr)
{
	struct attempt a = {
		.what = CONTROL, .has_values = true,
		.old_value = cr->old_value, .new_value = cr->new_value,
	};
	uint64_t value = cr->new_value;
	size_t i;

	for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		if (bits[i].cr != cr->cr ||
		    !(cr->old_value & ~cr->new_value & bits[i].bit))
			continue;
		a.name = bits[i].name;
		tell(p, event, &a);
		value |= bits[i].bit;
	}
	if (!a.name || p->mode == MODE_REPORT)
		return kvmi_event_reply_cr(p->vm, event, cr->new_value);
	return p->mode == MODE_CRASH ? crash(p, event) :
				       kvmi_event_reply_cr(p->vm, event, value);
}

static const struct pin *find_pin(const struct protect *p, uint32_t msr)
{
	int i;

	for (i = 0; i < PINS; i++)
		if (p->pins[i].is_set && p->pins[i].msr == msr)
			return &p->pins[i];
	return NULL;
}

/* An AMD processor keeps 32 bits of what the kernel writes. */
static bool is_sysenter_entry(struct protect *p, const struct pin *pin,
			      uint64_t value)
{
	uint64_t entry;

	return pin->msr == MSR_SYSENTER_EIP && (uint32_t)value == pin->value &&
	       !linux_symbol(p->guest, "entry_SYSENTER_compat", &entry) &&
	       entry == value;
}

/* Returns whether the write is right, else the value that is. */
static bool is_right(struct protect *p, const struct pin *pin,
		     const struct kvmi_vcpu_event_msr *msr, uint64_t *value)
{
	*value = msr->new_value;
	if (!pin)
		return true;
	if (pin->msr == MSR_EFER) {
		*value |= msr->old_value & EFER_NXE;
		return *value == msr->new_value;
	}
	/* As a processor that is started does it. */
	if (msr->new_value == pin->value ||
	    is_sysenter_entry(p, pin, msr->new_value))
		return true;
	*value = msr->old_value;
	return false;
}

int pin_msr(struct protect *p, struct kvmi_event *event,
	    const struct kvmi_vcpu_event_msr *msr)
{
	const struct pin *pin = find_pin(p, msr->msr);
	struct attempt a = {
		.what = MSR, .has_values = true,
		.old_value = msr->old_value, .new_value = msr->new_value,
	};
	uint64_t value;

	if (is_right(p, pin, msr, &value))
		return kvmi_event_reply_msr(p->vm, event, msr->new_value);
	a.name = pin->name;
	tell(p, event, &a);
	if (p->mode == MODE_CRASH)
		return crash(p, event);
	return kvmi_event_reply_msr(p->vm, event, p->mode == MODE_DENY ?
				    value : msr->new_value);
}

/*
 * The one IDT; none, which a kernel loads to reset the machine; or the first
 * one of a processor that has just been started: INIT empties the task register,
 * and nothing else does.
 */
static bool is_right_idt(struct protect *p, const struct kvmi_vcpu_event *state,
			 uint64_t base, uint16_t limit)
{
	uint64_t first;

	if (!limit || is_locked_idt(p, state->vcpu, base))
		return true;
	return !state->arch.sregs.tr.selector &&
	       !linux_symbol(p->guest, "bringup_idt_table", &first) &&
	       base == first;
}

/* The page of any processor's GDT, by whatever mapping. */
static bool is_right_gdt(struct protect *p, const struct kvmi_vcpu_event *state,
			 uint64_t base, uint16_t limit)
{
	uint64_t gpa = gpa_of(p, state->vcpu, base);

	return !limit ||
	       gpa == gpa_of(p, state->vcpu, state->arch.sregs.gdt.base) ||
	       gdt_is_own(p, gpa);
}

/* What LIDT or LGDT at the vCPU's rip would load. */
static int read_operand(struct protect *p, const struct kvmi_event *event,
			uint16_t *limit, uint64_t *base)
{
	const struct kvmi_vcpu_event *state = kvmi_event_get_state(event);
	uint8_t code[KVMI_INSTRUCTION_MAX], operand[10];
	uint64_t gva;
	int err, size = kvmi_event_read_instruction(p->vm, event, code);

	if (size < 0)
		return size;
	err = store_operand(&gva, &state->arch, code, (size_t)size);
	if (!err)
		err = protect_read(p->vm, state->vcpu, gva, operand,
				   sizeof(operand));
	if (err)
		return err;
	memcpy(limit, operand, sizeof(*limit));
	memcpy(base, operand + 2, sizeof(*base));
	return 0;
}

/* A processor that is started is in another mode at first. */
static bool is_right_table(struct protect *p, const struct kvmi_event *event,
			   bool is_idt, uint64_t *base)
{
	const struct kvmi_vcpu_event *state = kvmi_event_get_state(event);
	uint16_t limit;

	*base = 0;
	if (!(state->arch.sregs.cr0 & (1ull << 31)))
		return true;
	if (read_operand(p, event, &limit, base))
		return false;
	return is_idt ? is_right_idt(p, state, *base, limit) :
			is_right_gdt(p, state, *base, limit);
}

int pin_table(struct protect *p, struct kvmi_event *event,
	      const struct kvmi_vcpu_event_descriptor *table)
{
	const struct kvm_sregs *sregs = &kvmi_event_get_state(event)->arch.sregs;
	bool is_idt = table->descriptor == KVMI_DESC_IDTR;
	struct attempt a = {
		.what = TABLE, .name = is_idt ? "idtr" : "gdtr",
		.has_values = true,
		.old_value = is_idt ? sregs->idt.base : sregs->gdt.base,
	};

	if (!table->write ||
	    (!is_idt && table->descriptor != KVMI_DESC_GDTR) ||
	    is_right_table(p, event, is_idt, &a.new_value))
		return kvmi_event_reply(p->vm, event,
					KVMI_EVENT_ACTION_CONTINUE, NULL, 0);
	tell(p, event, &a);
	if (p->mode == MODE_CRASH)
		return crash(p, event);
	if (p->mode == MODE_DENY && !kvmi_event_reply_skip(p->vm, event))
		return 0;
	return kvmi_event_reply(p->vm, event, p->mode == MODE_DENY ?
				KVMI_EVENT_ACTION_CRASH :
				KVMI_EVENT_ACTION_CONTINUE, NULL, 0);
}
