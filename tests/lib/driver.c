// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client of the old interface, as drivers of introspection libraries are.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "driver.h"

#define CONNECT_SECONDS 10

static int resolve(struct driver *d)
{
	d->library = dlopen("libkvmi.so", RTLD_NOW | RTLD_GLOBAL);
	if (!d->library) {
		fprintf(stderr, "%s\n", dlerror());
		return -ELIBACC;
	}

#define DRIVER_RESOLVE(name) \
	d->api.name = (__typeof__(&name))dlsym(d->library, #name); \
	if (!d->api.name) \
		return -ENOSYS;
	DRIVER_NAMES(DRIVER_RESOLVE)
#undef DRIVER_RESOLVE
	return 0;
}

static int on_hello(const struct kvmi_qemu2introspector *qemu,
		    struct kvmi_introspector2qemu *intro, void *ctx)
{
	struct driver *d = ctx;

	/* The hash stays zero: such clients have no keys. */
	(void)intro;
	pthread_mutex_lock(&d->lock);
	memcpy(d->name, qemu->name, sizeof(d->name));
	pthread_mutex_unlock(&d->lock);
	return 0;
}

static int on_guest(void *dom, unsigned char (*uuid)[16], void *ctx)
{
	struct driver *d = ctx;
	unsigned int version;
	void *before;

	if (d->api.kvmi_connection_fd(dom) < 0 ||
	    d->api.kvmi_get_version(dom, &version) || version != KVMI_VERSION)
		return 1;

	pthread_mutex_lock(&d->lock);
	before = d->dom;
	memcpy(d->uuid, *uuid, sizeof(d->uuid));
	d->dom = dom;
	pthread_cond_signal(&d->connected);
	pthread_mutex_unlock(&d->lock);
	if (before)
		d->api.kvmi_domain_close(before, true);
	return 0;
}

static void on_log(kvmi_log_level level, const char *text, void *ctx)
{
	(void)ctx;
	if (level >= KVMI_LOG_LEVEL_WARNING)
		fprintf(stderr, "libkvmi: %s\n", text);
}

static int wait_for_guest(struct driver *d)
{
	struct timespec end;
	int err = 0;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += CONNECT_SECONDS;
	pthread_mutex_lock(&d->lock);
	while (!d->dom && !err)
		err = pthread_cond_timedwait(&d->connected, &d->lock, &end);
	pthread_mutex_unlock(&d->lock);
	return -err;
}

static int read_features(struct driver *d)
{
	bool has[4];

	if (d->api.kvmi_spp_support(d->dom, &has[0]) ||
	    d->api.kvmi_ve_support(d->dom, &has[1]) ||
	    d->api.kvmi_vmfunc_support(d->dom, &has[2]) ||
	    d->api.kvmi_eptp_support(d->dom, &has[3]))
		return -errno;
	return has[0] || has[1] || has[2] || has[3] ? -EPROTO : 0;
}

int driver_listen(struct driver *d, const char *path)
{
	int err;

	*d = (struct driver){ 0 };
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->connected, NULL);
	err = resolve(d);
	if (err) {
		if (d->library)
			dlclose(d->library);
		d->library = NULL;
		return err;
	}
	d->api.kvmi_set_log_cb(on_log, d);
	d->ctx = d->api.kvmi_init_unix_socket(path, on_guest, on_hello, d);
	return d->ctx ? 0 : -errno;
}

int driver_connect(struct driver *d)
{
	int err;

	err = wait_for_guest(d);
	if (err)
		return err;
	if (d->api.kvmi_get_vcpu_count(d->dom, &d->vcpus))
		return -errno;
	if (!d->vcpus || d->vcpus > DRIVER_VCPUS_MAX)
		return -E2BIG;
	return read_features(d);
}

int driver_open(struct driver *d, const char *path)
{
	int err = driver_listen(d, path);

	return err ? err : driver_connect(d);
}

int driver_init_events(struct driver *d)
{
	static const int events[] = {
		KVMI_EVENT_CR, KVMI_EVENT_MSR, KVMI_EVENT_PF,
		KVMI_EVENT_SINGLESTEP,
	};
	unsigned short vcpu;
	size_t i;

	for (vcpu = 0; vcpu < d->vcpus; vcpu++)
		for (i = 0; i < sizeof(events) / sizeof(events[0]); i++)
			if (d->api.kvmi_control_events(d->dom, vcpu, events[i],
						       true))
				return -errno;
	return 0;
}

struct reply {
	struct kvmi_vcpu_hdr vcpu;
	struct kvmi_event_reply reply;
	union {
		uint64_t new_val;
		struct kvmi_event_pf_reply pf;
	};
};

static int send_reply(struct driver *d, const struct kvmi_dom_event *event,
		      int action, uint64_t new_val)
{
	struct reply r = {
		.vcpu.vcpu = event->event.common.vcpu,
		.reply.action = (uint8_t)action,
		.reply.event = event->event.common.event,
	};
	size_t size = offsetof(struct reply, pf);

	switch (event->event.common.event) {
	case KVMI_EVENT_CR:
	case KVMI_EVENT_MSR:
		r.new_val = new_val;
		size += sizeof(r.new_val);
		break;
	case KVMI_EVENT_PF:
		size += sizeof(r.pf);
		break;
	}
	return d->api.kvmi_reply_event(d->dom, event->seq, &r, size) ? -errno :
								       0;
}

static uint64_t new_value(const struct kvmi_dom_event *event)
{
	return event->event.common.event == KVMI_EVENT_CR ?
	       event->event.cr.new_value : event->event.msr.new_value;
}

static int answer(struct driver *d, const struct kvmi_dom_event *event)
{
	int action = KVMI_EVENT_ACTION_CONTINUE;
	uint64_t new_val = new_value(event);

	switch (event->event.common.event) {
	case KVMI_EVENT_BREAKPOINT:
		action = KVMI_EVENT_ACTION_RETRY;
		break;
	case KVMI_EVENT_CR:
	case KVMI_EVENT_MSR:
	case KVMI_EVENT_PF:
	case KVMI_EVENT_DESCRIPTOR:
	case KVMI_EVENT_SINGLESTEP:
	case KVMI_EVENT_CPUID:
		break;
	default:
		/* Nobody knows it, so nobody answers it. */
		return 0;
	}
	if (d->on_event)
		action = d->on_event(d, event, &new_val, d->arg);
	return send_reply(d, event, action, new_val);
}

/* Owns the event. */
static int dispatch(struct driver *d, struct kvmi_dom_event *event)
{
	unsigned int vcpu = event->event.common.vcpu;
	int err;

	d->count[event->event.common.event]++;
	if (event->event.common.event == KVMI_EVENT_PAUSE_VCPU) {
		d->pauses[vcpu] = event;
		d->waiting_pauses--;
		return 0;
	}
	err = answer(d, event);
	free(event);
	return err;
}

int driver_serve(struct driver *d, int ms)
{
	struct kvmi_dom_event *event;

	if (d->api.kvmi_wait_event(d->dom, ms) ||
	    d->api.kvmi_pop_event(d->dom, &event))
		return -errno;
	return dispatch(d, event);
}

int driver_pause(struct driver *d)
{
	int err;

	if (d->api.kvmi_pause_all_vcpus(d->dom, d->vcpus))
		return -errno;
	d->waiting_pauses = d->vcpus;
	while (d->api.kvmi_get_pending_events(d->dom)) {
		err = driver_serve(d, KVMI_NOWAIT);
		if (err)
			return err;
	}
	return 0;
}

int driver_resume(struct driver *d)
{
	unsigned int i;
	int err;

	while (d->waiting_pauses) {
		err = driver_serve(d, 20000);
		if (err)
			return err;
	}
	for (i = 0; i < d->vcpus; i++) {
		err = send_reply(d, d->pauses[i], KVMI_EVENT_ACTION_CONTINUE, 0);
		free(d->pauses[i]);
		d->pauses[i] = NULL;
		if (err)
			return err;
	}
	return 0;
}

void driver_close(struct driver *d)
{
	unsigned int i;

	if (d->ctx)
		d->api.kvmi_uninit(d->ctx);
	if (d->library)
		d->api.kvmi_domain_close(d->dom, true);
	for (i = 0; i < DRIVER_VCPUS_MAX; i++)
		free(d->pauses[i]);
	if (d->library) {
		d->api.kvmi_set_log_cb(NULL, NULL);
		dlclose(d->library);
	}
	pthread_cond_destroy(&d->connected);
	pthread_mutex_destroy(&d->lock);
}
