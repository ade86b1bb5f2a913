// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The session that several verbs have one after the other. While a verb runs it
 * is the verb's, with the rules of a single call: QEMU cuts it when it cannot
 * wait, unless the verb asks to be told. Between verbs there is nothing to undo,
 * so the VM is let go as soon as QEMU asks.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>

#include "kept.h"
#include "session.h"

static struct {
	bool is_on;
	bool is_wide;		/* --json is for all verbs, too */
	struct common common;	/* of the first verb; its texts are ours */
	struct session session;
	struct kvmi_identity id;
	char wanted[KVMI_NAME_SIZE]; /* to have the same VM again */
	char name[KVMI_NAME_SIZE];
	char news[256];
} kept;

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static void take_common(const struct common *common)
{
	kept.common = *common;
	kept.common.socket = copy(common->socket);
	kept.common.vm = copy(common->vm);
	kept.common.key_file = copy(common->key_file);
}

static void free_common(void)
{
	free((char *)kept.common.socket);
	free((char *)kept.common.vm);
	free((char *)kept.common.key_file);
	kept.common = (struct common){ 0 };
}

void kept_begin(bool is_wide)
{
	kept.is_on = true;
	kept.is_wide = is_wide;
}

void kept_end(void)
{
	session_disconnect(&kept.session);
	free_common();
	memset(&kept, 0, sizeof(kept));
}

bool kept_is_on(void)
{
	return kept.is_on;
}

void kept_defaults(struct common *common)
{
	if (!kept.session.listener)
		return;
	common->socket = kept.common.socket;
	common->vm = kept.common.vm;
	common->key_file = kept.common.key_file;
	common->is_old_auth = kept.common.is_old_auth;
	common->shares_memory = kept.common.shares_memory;
	common->socket_mode = kept.common.socket_mode;
	common->timeout = kept.common.timeout;
	common->is_verbose = kept.common.is_verbose;
	common->is_json = kept.is_wide && kept.common.is_json;
}

const char *kept_get_name(void)
{
	return *kept.name ? kept.name : NULL;
}

bool kept_is_connected(void)
{
	return kept.session.vm;
}

int kept_get_fd(void)
{
	if (kept.session.vm)
		return kvmi_vm_get_fd(kept.session.vm);
	if (kept.session.listener)
		return kvmi_listener_get_fd(kept.session.listener);
	return -1;
}

__attribute__((format(printf, 1, 2)))
static const char *news(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(kept.news, sizeof(kept.news), format, args);
	va_end(args);
	return kept.news;
}

/* The VM may have no UUID, or no name. */
static void learn_names(void)
{
	static const uint8_t none[KVMI_UUID_SIZE];
	char uuid[KVMI_UUID_TEXT_SIZE];
	bool has_uuid = memcmp(kept.id.uuid, none, sizeof(none));

	kvmi_uuid_format(kept.id.uuid, uuid);
	snprintf(kept.wanted, sizeof(kept.wanted), "%s",
		 has_uuid ? uuid : kept.id.name);
	printable(kept.name, sizeof(kept.name),
		  *kept.id.name ? kept.id.name : uuid,
		  strlen(*kept.id.name ? kept.id.name : uuid));
}

static const char *tell_run(enum kvmi_run run)
{
	switch (run) {
	case KVMI_RUN_SAME:
		return "its run goes on";
	case KVMI_RUN_NEWER:
		return "it was reset or started anew";
	case KVMI_RUN_OLDER:
		return "a snapshot of an earlier run was loaded";
	default:
		return "whether its run goes on is not known";
	}
}

/* Idle, there is nothing to undo: to be told is to know why it ends. */
static void ask_to_be_told(bool enable)
{
	/* Where that is not allowed the end comes without a word. */
	kvmi_vm_control_events(kept.session.vm, KVMI_VM_EVENT_UNHOOK, enable);
}

/* Of a new session. */
static const char *welcome(void)
{
	struct kvmi_identity before = kept.id;

	kept.id.size = sizeof(kept.id);
	kvmi_vm_get_identity(kept.session.vm, &kept.id);
	learn_names();
	if (!before.size)
		return NULL;
	return news("%s is back: %s", kept.name,
		    tell_run(kvmi_identity_compare(&before, &kept.id)));
}

static const char *let_go(void)
{
	struct kvmi_vm *vm = kept.session.vm;
	const char *why;

	if (kvmi_vm_is_unhooking(vm))
		why = "its QEMU wants to stop, save, move or end it";
	else if (kvmi_vm_get_end(vm) == KVMI_END_BROKEN)
		why = "the protocol was broken";
	else if (kvmi_vm_get_end(vm) == KVMI_END_LOST)
		why = "it was reset or powered off, or its QEMU has ended or cut it";
	else
		why = "a verb has left something behind, which is undone so";
	kvmi_vm_close(vm);
	kept.session.vm = NULL;
	return news("the session with %s has ended: %s", kept.name, why);
}

/* Whether the session is as it should be between verbs. */
static bool is_idle(void)
{
	return kvmi_vm_pump(kept.session.vm) == 0 &&
	       !kvmi_vm_is_unhooking(kept.session.vm);
}

const char *kept_serve(void)
{
	if (kept.session.vm)
		return is_idle() ? NULL : let_go();
	if (!kept.session.listener ||
	    kvmi_listener_accept(kept.session.listener, kept.wanted, 0,
				 &kept.session.vm))
		return NULL;
	ask_to_be_told(true);
	return welcome();
}

static bool is_text_equal(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool is_this_vm(const char *wanted)
{
	uint8_t uuid[KVMI_UUID_SIZE];

	if (is_text_equal(wanted, kept.common.vm) ||
	    !strcmp(wanted, kept.id.name))
		return true;
	return !kvmi_uuid_parse(wanted, uuid) &&
	       !memcmp(uuid, kept.id.uuid, sizeof(uuid));
}

/* What a session has from its beginning. Says what is not so. */
static int check_options(const struct common *common)
{
	const struct common *own = &kept.common;
	const char *other = NULL;

	if (!is_text_equal(common->socket, own->socket))
		other = "--socket";
	else if (common->vm && !is_this_vm(common->vm))
		other = "--vm";
	else if (!is_text_equal(common->key_file, own->key_file))
		other = "--key-file";
	else if (common->is_old_auth != own->is_old_auth)
		other = "--old-auth";
	else if (common->shares_memory != own->shares_memory)
		other = "--share-memory";
	else if (common->socket_mode != own->socket_mode)
		other = "--socket-mode";
	if (!other)
		return EXIT_DONE;
	complain(0, "the session with %s is open already and %s is not its: give it to the first verb or to 'kvmi shell'",
		 kept.name, other);
	return EXIT_USAGE;
}

/* Hands the session to a verb. Returns an exit status. */
static int lend(void)
{
	ask_to_be_told(false);
	/* What was sent before that is here now. */
	if (is_idle())
		return EXIT_DONE;
	complain(0, "%s", let_go());
	return EXIT_NO_VM;
}

static int begin(const struct common *common)
{
	int status;

	take_common(common);
	status = session_connect(&kept.session, &kept.common);
	if (status) {
		free_common();
		return status;
	}
	welcome();
	return lend();
}

static int come_back(void)
{
	struct common common = kept.common;
	int status;

	common.vm = kept.wanted;
	status = session_wait(&kept.session, &common);
	if (!status)
		complain(0, "%s", welcome());
	return status;
}

int kept_open(struct session *session, const struct common *common)
{
	const char *told;
	int status;

	if (!kept.session.listener) {
		status = begin(common);
		*session = kept.session;
		return status;
	}
	status = check_options(common);
	if (status)
		return status;
	kept.common.is_verbose = common->is_verbose;
	kept.common.timeout = common->timeout;
	told = kept_serve();
	if (told)
		complain(0, "%s", told);
	if (!kept.session.vm)
		status = come_back();
	if (!status)
		status = lend();
	*session = kept.session;
	return status;
}

void kept_close(void)
{
	if (!kept.session.vm)
		return;
	ask_to_be_told(true);
	if (!is_idle())
		complain(0, "%s", let_go());
}
