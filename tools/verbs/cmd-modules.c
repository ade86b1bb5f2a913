// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi modules: those of the guest's kernel, and those that it hides. */
#include <inttypes.h>
#include <stdlib.h>

#include <libsmartcols.h>

#include "kvmi.h"
#include "linux.h"

enum {
	OPTION_CHECK = OPTION_OWN,
};

static const struct list_name lists[] = {
	{ LINUX_SEEN_MODULES, "modules", "in the list of modules" },
	{ LINUX_SEEN_MOD_TREE, "addresses", "in the tree of addresses" },
	{ LINUX_SEEN_SYSFS, "sysfs", "in /sys/module" },
};

#define LISTS (sizeof(lists) / sizeof(lists[0]))

static const char *state_word(const struct linux_module *module)
{
	static const char *const words[] = {
		"live", "loading", "unloading", "unformed",
	};

	return words[module->state & 3];
}

static const char *name_of(const struct linux_module *module, char *text)
{
	return printable(text, LINUX_MODULE_NAME, module->name,
			 strnlen(module->name, LINUX_MODULE_NAME));
}

static void add_line(struct libscols_table *table,
		     const struct linux_module *module, bool with_notes)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char *hidden = hidden_words(module->hidden, lists, LISTS);
	char text[LINUX_MODULE_NAME];

	scols_line_set_data(line, 0, name_of(module, text));
	snprintf(text, sizeof(text), "%" PRIu64, module->size);
	scols_line_set_data(line, 1, text);
	snprintf(text, sizeof(text), "%d", module->refs);
	scols_line_set_data(line, 2, text);
	scols_line_set_data(line, 3, state_word(module));
	snprintf(text, sizeof(text), "0x%016" PRIx64, module->base);
	scols_line_set_data(line, 4, text);
	if (with_notes && hidden)
		scols_line_set_data(line, 5, hidden);
	free(hidden);
}

static void show(const struct linux_module *list, size_t count, bool with_notes)
{
	struct libscols_table *table = scols_new_table();
	size_t i;

	scols_table_new_column(table, "NAME", 0, 0);
	scols_table_new_column(table, "SIZE", 0, SCOLS_FL_RIGHT);
	scols_table_new_column(table, "REFS", 0, SCOLS_FL_RIGHT);
	scols_table_new_column(table, "STATE", 0, 0);
	scols_table_new_column(table, "BASE", 0, 0);
	if (with_notes)
		scols_table_new_column(table, "NOTE", 0, 0);
	for (i = 0; i < count; i++)
		add_line(table, &list[i], with_notes);
	scols_print_table(table);
	scols_unref_table(table);
}

static struct json_object *module_json(const struct linux_module *module)
{
	struct json_object *o = json_object_new_object();
	char text[LINUX_MODULE_NAME];

	name_of(module, text);
	json_object_object_add(o, "name", json_object_new_string(text));
	json_object_object_add(o, "size",
			       json_object_new_int64((int64_t)module->size));
	json_object_object_add(o, "refs", json_object_new_int(module->refs));
	json_object_object_add(o, "state",
			       json_object_new_string(state_word(module)));
	json_object_object_add(o, "base", json_gpa(module->base));
	json_object_object_add(o, "module", json_gpa(module->gva));
	json_object_object_add(o, "hidden",
			       hidden_json(module->hidden, lists, LISTS));
	return o;
}

static struct json_object *json(const struct linux_module *list, size_t count)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < count; i++)
		json_object_array_add(array, module_json(&list[i]));
	return array;
}

static size_t count_hidden(const struct linux_module *list, size_t count)
{
	size_t i, hidden = 0;

	for (i = 0; i < count; i++)
		hidden += !!list[i].hidden;
	return hidden;
}

static int list(struct session *session, bool checks, bool is_json)
{
	struct linux_module *modules;
	struct linux_guest *guest;
	size_t count, hidden;
	int err;

	stop_by_signals();
	err = guest_open(&guest, session->vm);
	if (err)
		return EXIT_FAILED;
	profile_stop_by(&is_stopped);
	err = linux_get_modules(guest, &modules, &count);
	profile_stop_by(NULL);
	linux_close(guest);
	if (err) {
		guest_complain(err, "modules");
		return EXIT_FAILED;
	}
	hidden = count_hidden(modules, count);
	if (is_json)
		print_json(json(modules, count));
	else
		show(modules, count, hidden);
	free(modules);
	if (hidden)
		complain(0, "hidden in the guest: %zu", hidden);
	return hidden && checks ? EXIT_FAILED : EXIT_DONE;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "check", no_argument, NULL, OPTION_CHECK },
		{ 0 },
	};
	struct session session;
	struct common common;
	bool checks = false;
	int option, status;

	common_init(&common);
	while ((option = getopt_long(argc, argv, COMMON_SHORT, options,
				     NULL)) >= 0) {
		if (option == OPTION_CHECK)
			checks = true;
		else
			common_option(&common, &verb_modules, option);
	}
	if (optind != argc)
		usage(&verb_modules, "there are no arguments");

	status = session_open(&session, &common);
	if (status)
		return status;
	status = list(&session, checks, common.is_json);
	session_close(&session);
	return status;
}

const struct verb verb_modules = {
	.name = "modules",
	.arguments = "",
	.summary = "List a Linux guest's modules, also hidden ones",
	.help = "      --check         exit status 1 if something is hidden\n",
	.run = run,
};
