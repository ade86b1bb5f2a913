// SPDX-License-Identifier: GPL-2.0-or-later
/* The old interface on one end of a UNIX socket, a script on the other. */
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "compat.h"
#include "proved.h"

#define PENDING_MAX 64

/* Commands that the script has and the library waits for. */
struct pending {
	struct frame *frames[PENDING_MAX];
	unsigned int count;
};

static int complain(const struct act *act, const struct frame *frame,
		    const char *what)
{
	size_t i;

	fprintf(stderr, "# %s: want %u, got %u of %u bytes:", what, act->id,
		frame->hdr.id, frame->hdr.size);
	for (i = 0; i < frame->hdr.size && i < 64; i++)
		fprintf(stderr, " %02x", frame->body[i]);
	fprintf(stderr, "\n");
	return -EBADMSG;
}

static int check(const struct act *act, const struct frame *frame)
{
	size_t head = frame->hdr.id & 1 ? sizeof(struct kvmi_v1_vcpu_hdr) : 0;
	uint16_t vcpu;

	memcpy(&vcpu, frame->body, sizeof(vcpu));
	if (frame->hdr.id != act->id)
		return complain(act, frame, "another message");
	if (head && vcpu != act->vcpu)
		return complain(act, frame, "another vCPU");
	if (frame->hdr.size != head + act->size)
		return complain(act, frame, "another size");
	if (act->body && memcmp(frame->body + head, act->body, act->size))
		return complain(act, frame, "other content");
	return 0;
}

static int receive(int fd, const struct act *act, struct frame *frame)
{
	int err = script_command(fd, frame);

	return err ? err : check(act, frame);
}

static int run_command(int fd, const struct act *act)
{
	struct frame frame;
	int err = receive(fd, act, &frame);

	return err ? err : script_reply(fd, &frame, act->err, act->data,
					act->data_size);
}

static int hold_command(int fd, const struct act *act, struct pending *p)
{
	struct frame *frame = malloc(sizeof(*frame));

	p->frames[p->count++] = frame;
	return receive(fd, act, frame);
}

static int answer_held(int fd, const struct act *act, struct pending *p)
{
	struct frame *frame = p->frames[act->index];

	return script_reply(fd, frame, act->err, act->data, act->data_size);
}

static int run_reply(int fd, const struct act *act)
{
	const struct act message = {
		.id = KVMI_VCPU_EVENT, .vcpu = act->vcpu,
		.body = act->body, .size = act->size,
	};
	struct frame frame;
	int err = receive(fd, &message, &frame);

	if (err)
		return err;
	return frame.hdr.seq == act->seq ? 0 : complain(act, &frame, "seq");
}

static int run_act(int fd, const struct act *act, struct pending *p)
{
	switch (act->kind) {
	case ACT_COMMAND:
		return run_command(fd, act);
	case ACT_UNANSWERED:
		return hold_command(fd, act, p);
	case ACT_ANSWER:
		return answer_held(fd, act, p);
	case ACT_REPLY:
		return run_reply(fd, act);
	case ACT_EVENT:
		if (act->id & 1)
			return script_vcpu_event(fd, act->seq, act->vcpu,
						 (uint16_t)act->id, act->data,
						 act->data_size);
		return script_event(fd, act->seq, (uint16_t)act->id, act->data,
				    act->data_size);
	default:
		return -EINVAL;
	}
}

static int run_acts(struct compat *c)
{
	const struct act *act = c->acts;
	struct pending p = { .count = 0 };
	int fd = c->fd, err = 0;

	for (; act && act->kind != ACT_END && !err; act++) {
		err = run_act(fd, act, &p);
		__atomic_add_fetch(&c->done, 1, __ATOMIC_SEQ_CST);
	}
	while (p.count)
		free(p.frames[--p.count]);
	/* The library closes, and says nothing more. */
	return err ? err : script_nothing(fd, NULL);
}

static int answer_version(struct compat *c)
{
	const struct kvmi_get_version_reply reply = {
		.version = KVMI_VERSION,
		.max_msg_size = c->max_msg_size,
		.features.singlestep = !c->is_old,
	};
	struct frame frame;

	if (script_command(c->fd, &frame))
		return -EPIPE;
	if (frame.hdr.id != KVMI_GET_VERSION)
		return -EBADMSG;
	return script_reply(c->fd, &frame, 0, &reply, sizeof(reply));
}

static void *run(void *arg)
{
	struct compat *c = arg;
	int i;

	c->result = c->begin ? c->begin(c->fd, c->arg) :
			       peer_begin(c->fd, "old", 0x5a, c->hash);
	/* Once when the session begins, once for the domain. */
	for (i = 0; i < 2 && !c->result; i++)
		c->result = answer_version(c);
	if (!c->result)
		c->result = c->script ? c->script(c->fd, c->arg) :
					run_acts(c);
	shutdown(c->fd, SHUT_RDWR);
	return NULL;
}

static int on_hello(const struct kvmi_v1_qemu2introspector *hello,
		    struct kvmi_v1_introspector2qemu *intro, void *ctx)
{
	struct compat *c = ctx;

	c->hellos++;
	c->hello = *hello;
	memcpy(intro->cookie_hash, c->fill, sizeof(c->fill));
	return c->hello_result;
}

static int on_guest(void *dom, unsigned char (*uuid)[16], void *ctx)
{
	struct compat *c = ctx;

	if (c->guest_result)
		return c->guest_result;
	if (c->ends_in_callback)
		kvmi_uninit(c->ctx);
	pthread_mutex_lock(&c->lock);
	memcpy(c->uuid, *uuid, sizeof(c->uuid));
	c->dom = dom;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	return 0;
}

static void on_log(kvmi_log_level level, const char *text, void *ctx)
{
	struct compat *c = ctx;
	size_t used = strlen(c->log);

	snprintf(c->log + used, sizeof(c->log) - used, "%d %s\n", level, text);
}

void compat_init(struct compat *c, const struct act *acts)
{
	*c = (struct compat){
		.acts = acts, .max_msg_size = KVMI_MAX_MSG_SIZE, .fd = -1,
	};
	strcpy(c->folder, "/tmp/kvmi-old-XXXXXX");
	assert_non_null(mkdtemp(c->folder));
	snprintf(c->path, sizeof(c->path), "%s/socket", c->folder);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	kvmi_set_log_cb(on_log, c);
}

void compat_listen(struct compat *c)
{
	c->ctx = kvmi_init_unix_socket(c->path, on_guest, on_hello, c);
	assert_non_null(c->ctx);
}

void compat_connect(struct compat *c)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	strncpy(sun.sun_path, c->path, sizeof(sun.sun_path) - 1);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(c->fd, (struct sockaddr *)&sun, sizeof(sun)),
			 0);
	assert_int_equal(pthread_create(&c->thread, NULL, run, c), 0);
}

int compat_wait(struct compat *c, int seconds)
{
	struct timespec end;
	int err = 0;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += seconds;
	pthread_mutex_lock(&c->lock);
	while (!c->dom && !err)
		err = pthread_cond_timedwait(&c->changed, &c->lock, &end);
	pthread_mutex_unlock(&c->lock);
	return err;
}

void compat_wait_acts(struct compat *c, int count)
{
	int i;

	for (i = 0; i < 1000; i++) {
		if (__atomic_load_n(&c->done, __ATOMIC_SEQ_CST) >= count)
			return;
		usleep(10000);
	}
	fail_msg("the script stands behind act %d of %d", c->done, count);
}

void compat_open(struct compat *c)
{
	compat_listen(c);
	compat_connect(c);
	assert_int_equal(compat_wait(c, 10), 0);
}

void compat_join(struct compat *c)
{
	pthread_join(c->thread, NULL);
	close(c->fd);
	c->fd = -1;
}

void compat_finish(struct compat *c)
{
	if (!c->ends_in_callback)
		kvmi_uninit(c->ctx);
	kvmi_set_log_cb(NULL, NULL);
	assert_int_equal(access(c->path, F_OK), -1);
	assert_int_equal(rmdir(c->folder), 0);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
}

void compat_close(struct compat *c)
{
	kvmi_domain_close(c->dom, true);
	compat_join(c);
	if (c->result)
		fprintf(stderr, "# the log:\n%s", c->log);
	assert_int_equal(c->result, 0);
	compat_finish(c);
}

struct kvmi_dom_event *compat_event(struct compat *c, unsigned int event,
				    unsigned int vcpu)
{
	struct kvmi_dom_event *e = NULL;

	assert_int_equal(kvmi_wait_event(c->dom, 5000), 0);
	assert_int_equal(kvmi_pop_event(c->dom, &e), 0);
	assert_non_null(e);
	assert_null(e->next);
	assert_int_equal(e->event.common.event, event);
	assert_int_equal(e->event.common.vcpu, vcpu);
	assert_int_equal(e->event.common.size, 544);
	return e;
}

int compat_reply(struct compat *c, const struct kvmi_dom_event *event,
		 unsigned int action, const void *data, size_t size)
{
	struct {
		struct kvmi_v1_vcpu_hdr vcpu;
		struct kvmi_event_reply reply;
		uint8_t data[512];
	} r = {
		.vcpu.vcpu = event->event.common.vcpu,
		.reply.action = (uint8_t)action,
		.reply.event = event->event.common.event,
	};

	if (size)
		memcpy(r.data, data, size);
	return kvmi_reply_event(c->dom, event->seq, &r,
				sizeof(r.vcpu) + sizeof(r.reply) + size);
}

int compat_said(struct compat *c, const char *text)
{
	const char *at = c->log;
	int count = 0;

	while ((at = strstr(at, text))) {
		count++;
		at = strchr(at, '\n');
	}
	return count;
}

void compat_assert_errno(const char *call, int expected, bool has_failed,
			 const char *file, int line)
{
	int got = errno;

	_assert_true(has_failed, call, file, line);
	_assert_int_equal(expected, got, file, line);
	proved_write("KVMI_PROVED_OLD", "", call, expected);
}

void compat_excuse(const char *function, int expected)
{
	proved_write("KVMI_PROVED_OLD", "excuse ", function, expected);
}
