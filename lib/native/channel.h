/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The channel: commands out, answers and events in, many threads on one
 * socket.
 *
 * There is no thread of the library's own. Of the threads that wait for
 * something one is the reader: it receives and hands out whatever comes, and
 * passes the role on when it has got what it waited for.
 *
 * Locks, in the order in which they are taken:
 *	send_lock	one writer at a time
 *	lock		the fields below it
 * The receive buffer belongs to the reader, whoever that is.
 */
#ifndef KVMI_NATIVE_CHANNEL_H
#define KVMI_NATIVE_CHANNEL_H

#include <pthread.h>
#include <sys/uio.h>

#include <kvmi/kvmi.h>

#include "log.h"

#define CHANNEL_BUFFER_SIZE	65536
/* Commands that one thread may have under way at a time. */
#define CHANNEL_BATCH		16

/* A command and its answer. */
struct call {
	struct call *next;
	struct kvmi_msg_hdr hdr;
	struct iovec body[2];	/* what follows the header */
	void *reply;
	size_t reply_room;	/* bytes of reply */
	size_t reply_size;	/* bytes received, may be more than the room */
	int err;
	bool done;
	bool is_lost;		/* given up; freed when the answer comes */
	bool is_submitted;	/* of a struct kvmi_reply, which gets it */
};

/* A message on its way out that nobody waits for. */
struct packet {
	struct packet *next;
	size_t sent;		/* bytes */
	size_t size;
	uint8_t bytes[];
};

struct channel {
	int fd;
	int event_fd;		/* readable while something is untaken */
	int epoll_fd;		/* for users to poll: fd and event_fd */
	const struct log *log;

	pthread_mutex_t send_lock;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_reading;	/* some thread is the reader */
	int end;		/* error that ended the session, or 0 */
	bool is_closed;		/* by this side */
	bool is_unhooking;	/* the peer has asked to leave */
	uint32_t next_seq;
	unsigned int lost_count;
	unsigned int event_count;
	unsigned int submitted_count;	/* with those answered, not taken */
	unsigned int untaken_count;	/* events and replies */
	struct call *calls;	/* sent, not answered; oldest first */
	struct call **calls_tail;
	struct kvmi_event *events;
	struct kvmi_event **events_tail;
	struct kvmi_event *end_event;	/* prepared, if it is wanted */
	struct kvmi_reply *replies;
	struct kvmi_reply **replies_tail;
	struct packet *packets;	/* the first leaves with send_lock held */
	struct packet **packets_tail;
	uint64_t queued, sent;	/* how many packets ever */
	bool is_room_watched;	/* by epoll_fd */

	size_t fill;		/* bytes in buffer */
	uint8_t buffer[CHANNEL_BUFFER_SIZE];
};

/* Owns @fd afterwards, not on error. */
int channel_init(struct channel *ch, int fd, const struct log *log);
void channel_uninit(struct channel *ch);
/* Ends the session for all threads. */
void channel_shutdown(struct channel *ch);
/* The same, because the peer broke the protocol. */
void channel_breach(struct channel *ch);
/* How it ended, with lock held. */
enum kvmi_end channel_how(const struct channel *ch);
/* Whether it has, as far as is known without a look at the socket. */
bool channel_has_ended(struct channel *ch);

/* Sends @count calls, at most CHANNEL_BATCH. None is under way on error. */
int channel_start(struct channel *ch, struct call *calls, size_t count,
		  int64_t deadline);
/* Waits for @count calls. None is under way afterwards. */
int channel_finish(struct channel *ch, struct call *calls, size_t count,
		   int64_t deadline);

/* Sends what nobody answers, without waiting. */
int channel_send(struct channel *ch, const struct iovec *iov, size_t count);

/* Appends @count calls to those under way, with lock held. */
int channel_enlist(struct channel *ch, struct call *calls, size_t count);
/* Sends packets as far as the socket takes them; waits for nothing. */
void channel_flush(struct channel *ch);
/* A message of these pieces, or NULL. */
struct packet *packet_create(const struct iovec *iov, size_t count);
/* It gets its place behind the others, with lock held. */
void packet_queue(struct channel *ch, struct packet *packet);
/* With send_lock held. -EAGAIN: the socket is full. */
int packet_send_all(struct channel *ch);
void packet_free_all(struct channel *ch);
/* Receives what is there, with lock held, dropped meanwhile. */
void channel_pump(struct channel *ch);
/* Something to be taken has come or gone, with lock held. */
void channel_add_untaken(struct channel *ch);
void channel_drop_untaken(struct channel *ch);

/* Waits with lock held until @is_ready; drops the lock meanwhile. */
int channel_wait(struct channel *ch,
		 bool (*is_ready)(const struct channel *ch, const void *arg),
		 const void *arg, int64_t deadline);
/* Ends the session with lock held; the first reason stays. */
void channel_end(struct channel *ch, int err);

/* Receives once, as the reader, without lock. -ETIMEDOUT: nothing came. */
int receive_some(struct channel *ch, short events, int64_t deadline);

/* Takes a copy of an event with lock held. */
int event_queue(struct channel *ch, const struct kvmi_msg_hdr *hdr,
		const uint8_t *body);
void event_free_all(struct channel *ch);

/* Room for the answer of @size bytes to a submitted command. */
int reply_grow(struct call *call, size_t size);
/* A submitted command is answered, or all will never be, with lock held. */
void reply_queue(struct channel *ch, struct call *call);
void reply_fail_all(struct channel *ch, int err);
void reply_free_all(struct channel *ch);

int error_from_wire(int32_t err);

#endif
