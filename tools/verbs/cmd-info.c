// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi info: who the VM is, what the kernel can, what is allowed. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include <libsmartcols.h>

#include "facts.h"
#include "kvmi.h"

struct info {
	struct kvmi_identity id;
	char name[KVMI_NAME_SIZE];
	char uuid[KVMI_UUID_TEXT_SIZE];
	int64_t session_time;
	struct kvmi_get_version_reply version;
	struct kvmi_vm_get_info_reply vm;
	int vm_err;
	uint64_t max_gfn;
	int max_gfn_err;
};

/* What may be allowed: a command or an event. */
struct kind {
	const char *title;
	const char *key;
	unsigned int end;
	const char *(*name)(unsigned int id);
	int (*check)(struct kvmi_vm *vm, unsigned int id);
};

static int gather(struct kvmi_vm *vm, struct info *info)
{
	int err;

	info->id.size = sizeof(info->id);
	kvmi_vm_get_identity(vm, &info->id);
	printable(info->name, sizeof(info->name), info->id.name,
		  strlen(info->id.name));
	kvmi_uuid_format(info->id.uuid, info->uuid);
	info->session_time = kvmi_vm_get_session_time(vm);

	err = kvmi_get_version(vm, &info->version);
	if (err)
		return err;
	info->vm_err = kvmi_vm_get_info(vm, &info->vm);
	info->max_gfn_err = kvmi_vm_get_max_gfn(vm, &info->max_gfn);
	return 0;
}

static const char *verdict(int err)
{
	switch (err) {
	case 0:
		return "yes";
	case -EPERM:
		return "no";
	case -ENOENT:
		return "unknown";
	default:
		return NULL;
	}
}

static void add_time(struct libscols_table *facts, const char *title,
		     int64_t seconds)
{
	time_t t = (time_t)seconds;
	char text[64] = "unknown";
	struct tm tm;

	if (seconds && localtime_r(&t, &tm))
		strftime(text, sizeof(text), "%F %T %z", &tm);
	facts_add(facts, title, "%s", text);
}

static const char *area_name(uint32_t type)
{
	static const char *const names[] = {
		[KVMI_AREA_RAM] = "ram",
		[KVMI_AREA_RESERVED] = "reserved",
		[KVMI_AREA_ACPI] = "acpi",
		[KVMI_AREA_NVS] = "nvs",
		[KVMI_AREA_UNUSABLE] = "unusable",
	};

	if (type >= sizeof(names) / sizeof(names[0]) || !names[type])
		return "other";
	return names[type];
}

static void add_areas(struct libscols_table *facts, const struct kvmi_vm *vm)
{
	struct kvmi_memory_area area = { .size = sizeof(area) };
	unsigned int i;

	for (i = 0; !kvmi_vm_get_memory_area(vm, i, &area); i++)
		facts_add(facts, i ? "" : "Memory:",
			  "0x%09" PRIx64 "-0x%09" PRIx64 " %s", area.gpa,
			  area.gpa + area.length, area_name(area.type));
}

static struct json_object *json_areas(const struct kvmi_vm *vm)
{
	struct kvmi_memory_area area = { .size = sizeof(area) };
	struct json_object *array = json_object_new_array();
	struct json_object *row;
	unsigned int i;

	for (i = 0; !kvmi_vm_get_memory_area(vm, i, &area); i++) {
		row = json_object_new_object();
		json_object_object_add(row, "gpa", json_gpa(area.gpa));
		json_object_object_add(row, "length", json_gpa(area.length));
		json_object_object_add(row, "type",
				       json_object_new_string(area_name(area.type)));
		json_object_array_add(array, row);
	}
	return array;
}

static void print_text(const struct kvmi_vm *vm, const struct info *info)
{
	struct libscols_table *facts = facts_new();

	facts_add(facts, "Name:", "%s", *info->name ? info->name : "(none)");
	facts_add(facts, "UUID:", "%s", info->uuid);
	add_time(facts, "Started:", info->id.start_time);
	add_time(facts, "Session:", info->session_time);
	facts_add(facts, "Key:", "%s", kvmi_vm_is_authenticated(vm) ?
		  "proved by both sides" : "not proved");
	facts_add(facts, "Protocol:", "version %u, messages up to %u bytes",
		  info->version.version, info->version.max_msg_size);
	facts_add(facts, "Features:", "single step %s",
		  info->version.features.singlestep ? "yes" : "no");
	if (info->vm_err)
		facts_add(facts, "vCPUs:", "%s", kvmi_strerror(info->vm_err));
	else
		facts_add(facts, "vCPUs:", "%u", info->vm.vcpu_count);
	if (info->max_gfn_err)
		facts_add(facts, "Memory end:", "%s",
			  kvmi_strerror(info->max_gfn_err));
	else
		facts_add(facts, "Memory end:",
			  "0x%" PRIx64 " (frame 0x%" PRIx64 ")",
			  info->max_gfn << 12, info->max_gfn);
	add_areas(facts, vm);
	facts_add(facts, "Library:", "kvmi %s", kvmi_library_version());
	facts_print(facts, stdout);
}

static void add(struct json_object *object, const char *key,
		struct json_object *value)
{
	json_object_object_add(object, key, value);
}

static struct json_object *to_json(const struct kvmi_vm *vm,
				   const struct info *info)
{
	struct json_object *features = json_object_new_object();
	struct json_object *protocol = json_object_new_object();
	struct json_object *o = json_object_new_object();

	add(features, "singlestep",
	    json_object_new_boolean(info->version.features.singlestep));
	add(protocol, "version", json_object_new_int64(info->version.version));
	add(protocol, "max_msg_size",
	    json_object_new_int64(info->version.max_msg_size));
	add(protocol, "features", features);

	add(o, "name", json_object_new_string(info->name));
	add(o, "uuid", json_object_new_string(info->uuid));
	add(o, "start_time", json_object_new_int64(info->id.start_time));
	add(o, "session_time", json_object_new_int64(info->session_time));
	add(o, "max_gpa", info->id.max_gpa ? json_gpa(info->id.max_gpa) : NULL);
	add(o, "authenticated",
	    json_object_new_boolean(kvmi_vm_is_authenticated(vm)));
	add(o, "protocol", protocol);
	add(o, "vcpus", info->vm_err ? NULL :
	    json_object_new_int64(info->vm.vcpu_count));
	add(o, "max_gfn", info->max_gfn_err ? NULL : json_gpa(info->max_gfn));
	add(o, "memory", json_areas(vm));
	add(o, "library", json_object_new_string(kvmi_library_version()));
	return o;
}

static struct libscols_table *new_table(const struct kind *kind)
{
	struct libscols_table *table = scols_new_table();

	if (!table)
		return NULL;
	scols_table_new_column(table, kind->title, 0, 0);
	scols_table_new_column(table, "ID", 0, SCOLS_FL_RIGHT);
	scols_table_new_column(table, "ALLOWED", 0, 0);
	return table;
}

static void add_row(struct libscols_table *table, struct json_object *array,
		    unsigned int id, const char *name, const char *allowed)
{
	struct json_object *row = json_object_new_object();
	struct libscols_line *line;
	char number[12];

	add(row, "name", json_object_new_string(name));
	add(row, "id", json_object_new_int((int)id));
	add(row, "allowed", json_object_new_string(allowed));
	json_object_array_add(array, row);

	snprintf(number, sizeof(number), "%u", id);
	line = scols_table_new_line(table, NULL);
	if (!line)
		return;
	scols_line_set_data(line, 0, name);
	scols_line_set_data(line, 1, number);
	scols_line_set_data(line, 2, allowed);
}

/* Asks for each, prints the table or adds it to @json. */
static int list_kind(struct kvmi_vm *vm, const struct kind *kind,
		     struct json_object *json)
{
	struct json_object *array = json_object_new_array();
	struct libscols_table *table = new_table(kind);
	const char *name, *allowed;
	unsigned int id;
	int err = 0;

	for (id = 0; id < kind->end && table && !err; id++) {
		name = kind->name(id);
		if (!name)
			continue;
		err = kind->check(vm, id);
		allowed = verdict(err);
		if (!allowed)
			break;
		err = 0;
		add_row(table, array, id, name, allowed);
	}
	if (!table)
		err = -ENOMEM;

	if (!err && !json) {
		putchar('\n');
		scols_print_table(table);
	}
	if (json)
		add(json, kind->key, array);
	else
		json_object_put(array);
	scols_unref_table(table);
	return err;
}

static int show(struct kvmi_vm *vm, bool is_json)
{
	static const struct kind commands = {
		.title = "COMMAND",
		.key = "commands",
		.end = KVMI_NEXT_VCPU_MESSAGE,
		.name = kvmi_command_name,
		.check = kvmi_vm_check_command,
	};
	static const struct kind events = {
		.title = "EVENT",
		.key = "events",
		.end = KVMI_NEXT_VCPU_EVENT,
		.name = kvmi_event_name,
		.check = kvmi_vm_check_event,
	};
	struct json_object *json = NULL;
	struct info info;
	int err;

	err = gather(vm, &info);
	if (err)
		return err;
	if (is_json)
		json = to_json(vm, &info);
	else
		print_text(vm, &info);

	err = list_kind(vm, &commands, json);
	if (!err)
		err = list_kind(vm, &events, json);
	if (json && !err)
		print_json(json);
	else
		json_object_put(json);
	return err;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { COMMON_LONG, { 0 } };
	struct session session;
	struct common common;
	int option, status, err;

	common_init(&common);
	while ((option = getopt_long(argc, argv, COMMON_SHORT, options,
				     NULL)) >= 0)
		common_option(&common, &verb_info, option);
	if (optind != argc)
		usage(&verb_info, "there are no arguments");

	status = session_open(&session, &common);
	if (status)
		return status;
	err = show(session.vm, common.is_json);
	if (err)
		complain(err, "cannot ask about the VM");
	session_close(&session);
	return err ? EXIT_FAILED : EXIT_DONE;
}

const struct verb verb_info = {
	.name = "info",
	.arguments = "",
	.summary = "Show who the VM is, what its kernel can, what is allowed",
	.help = "",
	.run = run,
};
