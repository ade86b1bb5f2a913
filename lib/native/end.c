// SPDX-License-Identifier: LGPL-2.1-or-later
/* How a session ends, and who is told. */
#include <errno.h>
#include <sys/socket.h>

#include "event.h"

void channel_end(struct channel *ch, int err)
{
	if (ch->end)
		return;
	ch->end = err;
	shutdown(ch->fd, SHUT_RDWR);
	reply_fail_all(ch, err);
	event_tell_end(ch);
	log_say(ch->log, err == -ECONNRESET ? KVMI_LOG_INFO : KVMI_LOG_ERROR,
		"session ended: %s", kvmi_strerror(err));
	pthread_cond_broadcast(&ch->changed);
}

void channel_shutdown(struct channel *ch)
{
	pthread_mutex_lock(&ch->lock);
	if (!ch->end)
		ch->is_closed = true;
	channel_end(ch, -ECONNRESET);
	pthread_mutex_unlock(&ch->lock);
}

void channel_breach(struct channel *ch)
{
	pthread_mutex_lock(&ch->lock);
	channel_end(ch, -EPROTO);
	pthread_mutex_unlock(&ch->lock);
}

enum kvmi_end channel_how(const struct channel *ch)
{
	if (!ch->end)
		return KVMI_END_NONE;
	if (ch->end != -ECONNRESET)
		return KVMI_END_BROKEN;
	if (ch->is_unhooking)
		return KVMI_END_UNHOOKED;
	return ch->is_closed ? KVMI_END_CLOSED : KVMI_END_LOST;
}

bool channel_has_ended(struct channel *ch)
{
	bool has_ended;

	pthread_mutex_lock(&ch->lock);
	has_ended = ch->end;
	pthread_mutex_unlock(&ch->lock);
	return has_ended;
}
