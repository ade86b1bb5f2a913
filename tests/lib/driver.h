/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A client of the old interface, as drivers of introspection libraries are:
 * opens libkvmi.so by its bare name, needs each of the names that they need,
 * waits ten seconds for the VM, switches the usual events on, answers with the
 * tails that they send, and drops without a reply what they do not know.
 *
 * It asserts nothing, for it serves unit and live tests: functions return 0, or
 * a negative errno.
 */
#ifndef TESTS_LIB_DRIVER_H
#define TESTS_LIB_DRIVER_H

#include <pthread.h>

#include <libkvmi.h>

#define DRIVER_NAMES(N) \
	N(kvmi_init_unix_socket) N(kvmi_init_vsock) N(kvmi_uninit) \
	N(kvmi_close) N(kvmi_domain_close) N(kvmi_set_log_cb) \
	N(kvmi_connection_fd) N(kvmi_get_version) N(kvmi_spp_support) \
	N(kvmi_ve_support) N(kvmi_vmfunc_support) N(kvmi_eptp_support) \
	N(kvmi_get_vcpu_count) N(kvmi_get_maximum_gfn) \
	N(kvmi_get_next_available_gfn) N(kvmi_get_tsc_speed) \
	N(kvmi_get_registers) N(kvmi_set_registers) N(kvmi_inject_exception) \
	N(kvmi_read_physical) N(kvmi_write_physical) N(kvmi_pause_all_vcpus) \
	N(kvmi_wait_event) N(kvmi_pop_event) N(kvmi_get_pending_events) \
	N(kvmi_reply_event) N(kvmi_control_events) N(kvmi_control_vm_events) \
	N(kvmi_control_cr) N(kvmi_control_msr) N(kvmi_control_singlestep) \
	N(kvmi_set_page_access) N(kvmi_create_ept_view) \
	N(kvmi_destroy_ept_view) N(kvmi_switch_ept_view) N(kvmi_get_ept_view) \
	N(kvmi_change_gfn) N(kvmi_alloc_gfn) N(kvmi_free_gfn)

struct driver_api {
#define DRIVER_POINTER(name) __typeof__(&name) name;
	DRIVER_NAMES(DRIVER_POINTER)
#undef DRIVER_POINTER
};

#define DRIVER_VCPUS_MAX 16

struct driver;

/*
 * Looks at an event before its reply. Returns the action; for a write of a
 * register *new_val may be changed.
 */
typedef int (*driver_event_fn)(struct driver *d,
			       const struct kvmi_dom_event *event,
			       uint64_t *new_val, void *arg);

struct driver {
	void *library;
	struct driver_api api;
	void *ctx, *dom;
	pthread_mutex_t lock;
	pthread_cond_t connected;
	unsigned char uuid[16];
	char name[64];
	unsigned int vcpus;
	driver_event_fn on_event;
	void *arg;
	int count[KVMI_NUM_EVENTS];	/* by event, all that were popped */
	struct kvmi_dom_event *pauses[DRIVER_VCPUS_MAX];
	unsigned int waiting_pauses;
};

/* Listens on the path and waits for the VM. */
int driver_open(struct driver *d, const char *path);
/* The same in two steps. */
int driver_listen(struct driver *d, const char *path);
int driver_connect(struct driver *d);
/* Switches CR, MSR, PF and SINGLESTEP on for all vCPUs. */
int driver_init_events(struct driver *d);
/* One round: an event and its reply. -ETIMEDOUT: there was none. */
int driver_serve(struct driver *d, int ms);
/* All vCPUs out of the guest, and their queue empty. */
int driver_pause(struct driver *d);
/* Takes the pause of each vCPU and answers it. */
int driver_resume(struct driver *d);
/* Harmless whatever was reached before. */
void driver_close(struct driver *d);

#endif /* TESTS_LIB_DRIVER_H */
