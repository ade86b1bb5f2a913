// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi gdbserver: gdb on a guest. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <profile.h>

#include "gdb.h"

#define DEFAULT_LISTEN	"127.0.0.1:1234"
#define POLL_MS		100

enum { OPTION_LISTEN = OPTION_OWN, OPTION_ONCE, OPTION_SYMBOLS };

struct wish {
	const char *listen, *symbols;
	bool is_once;
};

static bool can_step(struct kvmi_vm *vm)
{
	struct kvmi_get_version_reply version;

	return !kvmi_get_version(vm, &version) && version.features.singlestep &&
	       !kvmi_vm_check_command(vm, KVMI_VCPU_CONTROL_SINGLESTEP) &&
	       !kvmi_vm_check_event(vm, KVMI_VCPU_EVENT_SINGLESTEP);
}

static int begin(struct gdb *g, const char *symbols)
{
	int err;

	g->can_step = can_step(g->vm);
	/* To leave in time when the device manager wants that. */
	kvmi_vm_control_events(g->vm, KVMI_VM_EVENT_UNHOOK, true);
	err = gdb_refresh(g);
	if (err)
		complain(err, "cannot switch on the events that breakpoints need");
	if (!err && symbols)
		err = gdb_open_profile(g);
	if (!err && symbols)
		err = gdb_write_symbols(g, symbols);
	return err;
}

/* One gdb; whatever it was, nothing of it stays in the guest. */
static int serve(struct gdb *g, int in, int out)
{
	int err, late;

	wire_init(&g->wire, in, out);
	g->current = 0;
	g->next = -1;
	g->is_gone = false;
	g->is_detached = false;
	g->is_running = false;
	err = gdb_serve(g);
	late = g->is_detached ? 0 : gdb_undo(g);
	if (g->is_verbose)
		fprintf(stderr, "kvmi: gdb has left\n");
	return err ? err : late;
}

static bool is_over(const struct gdb *g)
{
	return is_stopped || g->is_unhooking;
}

/* Waits for gdb; the guest may end meanwhile. Leaves -1 if it is over. */
static int accept_gdb(struct gdb *g, const struct gdb_listener *listener,
		      int *fd)
{
	struct pollfd fds[] = {
		{ .fd = listener->fd, .events = POLLIN },
		{ .fd = kvmi_vm_get_fd(g->vm), .events = POLLIN },
	};
	const int on = 1;
	int err = 0;

	*fd = -1;
	while (!err && *fd < 0 && !is_over(g)) {
		poll(fds, 2, POLL_MS);
		if (fds[0].revents)
			*fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
		err = gdb_take_all(g, 0);
	}
	if (*fd >= 0)
		setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return err;
}

static int serve_all(struct gdb *g, const struct gdb_listener *listener,
		     bool is_once)
{
	int fd, err = 0;

	if (listener->fd < 0)
		return serve(g, STDIN_FILENO, STDOUT_FILENO);
	printf("kvmi: gdb can come: target remote %s\n", listener->where);
	fflush(stdout);
	do {
		err = accept_gdb(g, listener, &fd);
		if (fd < 0)
			break;
		if (!err)
			err = serve(g, fd, fd);
		close(fd);
	} while (!err && !is_once && !is_over(g));
	return err;
}

static int act(struct gdb *g, const struct wish *wish)
{
	struct gdb_listener listener;
	int err;

	stop_by_signals();
	err = gdb_listen(&listener, wish->listen);
	if (err)
		return err;
	err = begin(g, wish->symbols);
	if (!err) {
		err = serve_all(g, &listener, wish->is_once);
		if (err)
			complain(err, "the guest is out of reach");
	}
	gdb_undo(g);
	if (!err && g->is_unhooking)
		fprintf(stderr, "kvmi: the device manager takes the guest back\n");
	gdb_listen_end(&listener);
	profile_free(g->profile);
	return err;
}

static void take_option(struct wish *wish, struct common *common, int option)
{
	if (option == OPTION_LISTEN)
		wish->listen = optarg;
	else if (option == OPTION_ONCE)
		wish->is_once = true;
	else if (option == OPTION_SYMBOLS)
		wish->symbols = optarg;
	else
		common_option(common, &verb_gdbserver, option);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "listen", required_argument, NULL, OPTION_LISTEN },
		{ "once", no_argument, NULL, OPTION_ONCE },
		{ "symbols", required_argument, NULL, OPTION_SYMBOLS },
		{ 0 },
	};
	struct wish wish = { .listen = DEFAULT_LISTEN };
	struct session session;
	struct common common;
	int option, status, err;
	struct gdb *g;

	common_init(&common);
	while ((option = getopt_long(argc, argv, COMMON_SHORT, options,
				     NULL)) >= 0)
		take_option(&wish, &common, option);
	if (optind != argc)
		usage(&verb_gdbserver, "there are no arguments");

	status = session_open(&session, &common);
	if (status)
		return status;
	g = calloc(1, sizeof(*g));
	err = g ? 0 : -ENOMEM;
	if (g) {
		g->vm = session.vm;
		g->is_verbose = common.is_verbose;
		err = act(g, &wish);
	}
	free(g);
	session_close(&session);
	return err ? EXIT_FAILED : EXIT_DONE;
}

const struct verb verb_gdbserver = {
	.name = "gdbserver",
	.arguments = "",
	.summary = "Let gdb look at the guest's kernel, and stop it",
	.help = "      --listen WHERE  [ADDRESS:]PORT, a path, or '-' for stdin and stdout;\n"
		"                      default " DEFAULT_LISTEN "\n"
		"      --once          end when gdb has left\n"
		"      --symbols FILE  write the kernel's symbols for gdb, before it comes\n",
	.run = run,
};
