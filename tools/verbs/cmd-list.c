// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi list: which VMs come, who they are, and whether they let us in. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include <libsmartcols.h>

#include "session.h"

#define SOCKETS		64
/* One that has said hello still has to take our answer. */
#define ANSWER_MS	2000
#define SECONDS		2
/* Longer than any name, so that all are parked and nobody is let in. */
#define NOBODY		"................................................................"

enum { OPTION_PARKED = OPTION_OWN };

struct row {
	const char *socket;
	struct kvmi_identity id;
	int err;		/* of the session, or 1: none was tried */
	bool is_authenticated;
	unsigned int vcpus;	/* 0: not told */
	uint64_t memory;	/* bytes, 0: not told */
};

struct list {
	const struct common *common;
	bool is_parked_only;
	char *sockets[SOCKETS];
	struct session sessions[SOCKETS];
	size_t socket_count;
	struct row *rows;
	size_t count;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int add_socket(struct list *list, const char *path)
{
	char *copy = strdup(path);

	if (!copy || list->socket_count == SOCKETS) {
		complain(copy ? -E2BIG : -ENOMEM, "cannot listen on %s", path);
		free(copy);
		return -E2BIG;
	}
	list->sockets[list->socket_count++] = copy;
	return 0;
}

/* The sockets that are in a directory now. */
static int add_directory(struct list *list, const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	char file[512];
	struct stat st;
	int err = 0;

	if (!directory) {
		complain(-errno, "cannot look into %s", path);
		return -EIO;
	}
	while (!err && (entry = readdir(directory))) {
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		if (!stat(file, &st) && S_ISSOCK(st.st_mode))
			err = add_socket(list, file);
	}
	closedir(directory);
	return err;
}

static int add_place(struct list *list, const char *path)
{
	struct stat st;

	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return add_directory(list, path);
	return add_socket(list, path);
}

static int listen_on_all(struct list *list)
{
	size_t i;
	int err = 0;

	for (i = 0; i < list->socket_count && !err; i++)
		err = session_listen(&list->sessions[i], list->common,
				     list->sockets[i]);
	return err;
}

static void hear_all(struct list *list)
{
	size_t i;

	/* An error of one peer is in the log of -v, and the others go on. */
	for (i = 0; i < list->socket_count; i++)
		kvmi_listener_accept(list->sessions[i].listener, NOBODY, 0,
				     &list->sessions[i].vm);
}

static void gather_hellos(struct list *list)
{
	int64_t end = now_ms() + list->common->timeout * 1000LL, left;
	struct pollfd fds[SOCKETS];
	size_t i;

	for (i = 0; i < list->socket_count; i++)
		fds[i] = (struct pollfd){
			.fd = kvmi_listener_get_fd(list->sessions[i].listener),
			.events = POLLIN,
		};
	while (!is_stopped && (left = end - now_ms()) > 0)
		if (poll(fds, list->socket_count, (int)left) > 0)
			hear_all(list);
}

static bool is_wanted(const struct list *list, const struct kvmi_identity *id)
{
	char uuid[KVMI_UUID_TEXT_SIZE];
	const char *wanted = list->common->vm;

	kvmi_uuid_format(id->uuid, uuid);
	return !wanted || !strcmp(wanted, id->name) ||
	       !strcasecmp(wanted, uuid);
}

/* Before any is let in, which changes the order. */
static int note_parked(struct list *list, size_t socket)
{
	struct kvmi_identity id = { .size = sizeof(id) };
	struct row *rows;
	unsigned int i;

	for (i = 0; !kvmi_listener_get_parked(list->sessions[socket].listener,
					      i, &id); i++) {
		if (!is_wanted(list, &id))
			continue;
		rows = realloc(list->rows, (list->count + 1) * sizeof(*rows));
		if (!rows)
			return -ENOMEM;
		list->rows = rows;
		rows[list->count++] = (struct row){
			.socket = list->sockets[socket], .id = id, .err = 1,
		};
	}
	return 0;
}

static uint64_t ram_of(const struct kvmi_vm *vm)
{
	struct kvmi_memory_area area = { .size = sizeof(area) };
	uint64_t bytes = 0;
	unsigned int i;

	for (i = 0; !kvmi_vm_get_memory_area(vm, i, &area); i++)
		if (area.type == KVMI_AREA_RAM)
			bytes += area.length;
	return bytes;
}

static void look_in(struct row *row, struct kvmi_listener *listener)
{
	struct kvmi_vm_get_info_reply info;
	char uuid[KVMI_UUID_TEXT_SIZE];
	struct kvmi_vm *vm;

	kvmi_uuid_format(row->id.uuid, uuid);
	row->err = kvmi_listener_accept(listener, uuid, ANSWER_MS, &vm);
	if (row->err)
		return;
	row->is_authenticated = kvmi_vm_is_authenticated(vm);
	row->memory = ram_of(vm);
	if (!kvmi_vm_get_info(vm, &info))
		row->vcpus = info.vcpu_count;
	kvmi_vm_close(vm);
}

static int gather(struct list *list)
{
	size_t i, j, begin;
	int err = listen_on_all(list);

	if (err)
		return err;
	gather_hellos(list);
	for (i = 0; i < list->socket_count && !err; i++) {
		begin = list->count;
		err = note_parked(list, i);
		for (j = begin; j < list->count && !list->is_parked_only; j++)
			look_in(&list->rows[j], list->sessions[i].listener);
	}
	return err;
}

static const char *tell_session(const struct row *row)
{
	switch (row->err) {
	case 0:
		return row->is_authenticated ? "proved" : "none";
	case 1:
		return "";
	case -ENOKEY:
		return "wanted: --key-file";
	case -EKEYREJECTED:
		return "another, or not proved";
	default:
		return kvmi_strerror(row->err);
	}
}

static void fill_line(struct libscols_line *line, const struct row *row)
{
	char text[KVMI_NAME_SIZE] = "";
	time_t start = (time_t)row->id.start_time;
	struct tm tm;

	scols_line_set_data(line, 0, printable(text, sizeof(text), row->id.name,
					       strlen(row->id.name)));
	kvmi_uuid_format(row->id.uuid, text);
	scols_line_set_data(line, 1, text);
	if (start && localtime_r(&start, &tm)) {
		strftime(text, sizeof(text), "%F %T", &tm);
		scols_line_set_data(line, 2, text);
	}
	snprintf(text, sizeof(text), "%u", row->vcpus);
	scols_line_set_data(line, 3, row->vcpus ? text : "");
	snprintf(text, sizeof(text), "%" PRIu64 " MiB", row->memory >> 20);
	scols_line_set_data(line, 4, row->memory ? text : "");
	scols_line_set_data(line, 5, tell_session(row));
	scols_line_set_data(line, 6, row->socket);
}

static void show(const struct list *list)
{
	static const char *const titles[] = {
		"NAME", "UUID", "STARTED", "VCPUS", "MEMORY", "KEY", "SOCKET",
	};
	struct libscols_table *table = scols_new_table();
	size_t i;

	for (i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		scols_table_new_column(table, titles[i], 0,
				       i == 3 || i == 4 ? SCOLS_FL_RIGHT : 0);
	for (i = 0; i < list->count; i++)
		fill_line(scols_table_new_line(table, NULL), &list->rows[i]);
	scols_print_table(table);
	scols_unref_table(table);
}

static struct json_object *json_row(const struct row *row)
{
	struct json_object *o = json_object_new_object();
	char text[KVMI_NAME_SIZE];

	json_object_object_add(o, "socket", json_object_new_string(row->socket));
	printable(text, sizeof(text), row->id.name, strlen(row->id.name));
	json_object_object_add(o, "name", json_object_new_string(text));
	kvmi_uuid_format(row->id.uuid, text);
	json_object_object_add(o, "uuid", json_object_new_string(text));
	json_object_object_add(o, "start_time",
			       json_object_new_int64(row->id.start_time));
	json_object_object_add(o, "max_gpa", row->id.max_gpa ?
			       json_gpa(row->id.max_gpa) : NULL);
	json_object_object_add(o, "vcpus", row->vcpus ?
			       json_object_new_int64(row->vcpus) : NULL);
	json_object_object_add(o, "memory", row->memory ?
			       json_gpa(row->memory) : NULL);
	json_object_object_add(o, "authenticated", row->err ? NULL :
			       json_object_new_boolean(row->is_authenticated));
	json_object_object_add(o, "error", row->err < 0 ?
			       json_object_new_string(kvmi_strerror(row->err)) :
			       NULL);
	return o;
}

static void show_json(const struct list *list)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < list->count; i++)
		json_object_array_add(array, json_row(&list->rows[i]));
	print_json(array);
}

static int act(struct list *list)
{
	int err = gather(list);

	if (err)
		return EXIT_FAILED;
	if (list->common->is_json)
		show_json(list);
	else if (list->count)
		show(list);
	if (list->count)
		return EXIT_DONE;
	complain(0, "no VM has come within %d s; a stopped one does not, and one that tries less often wants --timeout",
		 list->common->timeout);
	return EXIT_NO_VM;
}

static void clean_up(struct list *list)
{
	size_t i;

	for (i = 0; i < list->socket_count; i++) {
		session_disconnect(&list->sessions[i]);
		free(list->sockets[i]);
	}
	free(list->rows);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "parked", no_argument, NULL, OPTION_PARKED },
		{ 0 },
	};
	const char *places[SOCKETS];
	struct list list = { 0 };
	struct common common;
	size_t i, count = 0;
	int option, status;

	common_init(&common);
	common.timeout = SECONDS;
	while ((option = getopt_long(argc, argv, COMMON_SHORT, options,
				     NULL)) >= 0) {
		if (option == OPTION_PARKED)
			list.is_parked_only = true;
		else if (option == 's' && count < SOCKETS)
			places[count++] = optarg;
		else
			common_option(&common, &verb_list, option);
	}
	if (optind != argc)
		usage(&verb_list, "there are no arguments");
	if (kept_is_on())
		usage(&verb_list, "it is a verb for itself: here is one VM");

	list.common = &common;
	if (!count)
		places[count++] = common.socket;
	status = EXIT_DONE;
	for (i = 0; i < count && !status; i++)
		status = add_place(&list, places[i]) ? EXIT_FAILED : EXIT_DONE;
	if (!status)
		status = act(&list);
	clean_up(&list);
	return status;
}

const struct verb verb_list = {
	.name = "list",
	.arguments = "",
	.summary = "Show which VMs come, and whether they let us in",
	.help = "      --parked        hear who they are, but make no session\n"
		"                      (-s can be repeated, or name a directory with sockets;\n"
		"                      the default of --timeout is 2 here)\n",
	.run = run,
};
