// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables and the objects of kvmi top. */
#include <inttypes.h>
#include <stdlib.h>

#include <libsmartcols/libsmartcols.h>

#include "top.h"

/* Those that tell most, of all that KVM has; JSON has all. */
static const struct {
	const char *title, *counter;
} columns[] = {
	{ "EXITS", "exits" }, { "HALT", "halt_exits" }, { "IO", "io_exits" },
	{ "MMIO", "mmio_exits" }, { "IRQ", "irq_exits" },
	{ "FAULT", "pf_taken" }, { "EMULATED", "insn_emulation" },
	{ "INJECTED", "irq_injections" }, { "HYPERCALL", "hypercalls" },
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* A process, and where it was found most often. */
struct row {
	const struct process *process;
	unsigned int count;
	const struct sample *most;
};

static double busy_of(const struct top *top, const struct host_vcpu *vcpu)
{
	return (double)(vcpu->ns - vcpu->before) / 1e9 / top->seconds;
}

static void set_number(struct libscols_line *line, size_t column,
		       const char *format, double number)
{
	char text[32];

	snprintf(text, sizeof(text), format, number);
	scols_line_set_data(line, column, text);
}

static void add_vcpu(struct libscols_table *table, const struct top *top,
		     unsigned int i)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	const struct host_vcpu *vcpu = &top->host.vcpus[i];
	size_t c;

	set_number(line, 0, "%.0f", i);
	if (vcpu->thread)
		set_number(line, 1, "%.0f%%", 100 * busy_of(top, vcpu));
	for (c = 0; c < COLUMNS && vcpu->stats.fd >= 0; c++)
		set_number(line, c + 2, "%.0f",
			   (double)counters_growth(&vcpu->stats.counters,
						   columns[c].counter) /
			   top->seconds);
}

static void add_sum(struct libscols_table *table, const struct top *top)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	double busy = 0, sums[COLUMNS] = { 0 };
	unsigned int i;
	size_t c;

	for (i = 0; i < top->host.vcpu_count; i++) {
		const struct host_vcpu *vcpu = &top->host.vcpus[i];

		busy += vcpu->thread ? busy_of(top, vcpu) : 0;
		for (c = 0; c < COLUMNS; c++)
			sums[c] += (double)counters_growth(&vcpu->stats.counters,
							   columns[c].counter);
	}
	scols_line_set_data(line, 0, "all");
	set_number(line, 1, "%.0f%%", 100 * busy);
	for (c = 0; c < COLUMNS; c++)
		set_number(line, c + 2, "%.0f", sums[c] / top->seconds);
}

static void print_host(const struct top *top)
{
	const struct counters *ours = &top->host.introspection;
	struct libscols_table *table = scols_new_table();
	unsigned int i;
	size_t c;

	scols_table_new_column(table, "VCPU", 0, SCOLS_FL_RIGHT);
	scols_table_new_column(table, "BUSY", 0, SCOLS_FL_RIGHT);
	for (c = 0; c < COLUMNS; c++)
		scols_table_new_column(table, columns[c].title, 0,
				       SCOLS_FL_RIGHT);
	for (i = 0; i < top->host.vcpu_count; i++)
		add_vcpu(table, top, i);
	add_sum(table, top);
	scols_print_table(table);
	scols_unref_table(table);
	printf("introspection: %.0f commands, %.0f events, %.0f errors, %.0f KiB read, %.0f KiB written\n",
	       (double)counters_growth(ours, "commands") / top->seconds,
	       (double)counters_growth(ours, "events") / top->seconds,
	       (double)counters_growth(ours, "errors") / top->seconds,
	       (double)counters_growth(ours, "read_bytes") / 1024 / top->seconds,
	       (double)counters_growth(ours, "written_bytes") / 1024 / top->seconds);
}

static bool is_same(const struct process *a, const struct process *b)
{
	return a->is_known == b->is_known && a->pid == b->pid &&
	       !strcmp(a->comm, b->comm);
}

static int compare(const void *a, const void *b)
{
	const struct row *one = a, *other = b;

	return one->count < other->count ? 1 : one->count > other->count ? -1 : 0;
}

/* Allocates. Returns how many. */
static size_t make_rows(const struct samples *samples, struct row **list)
{
	struct row *rows = calloc(samples->count + 1, sizeof(*rows));
	const struct sample *s;
	size_t count = 0, i;

	*list = rows;
	for (s = samples->list; rows && s < samples->list + samples->count; s++) {
		for (i = 0; i < count; i++)
			if (is_same(rows[i].process, &s->process))
				break;
		if (i == count)
			rows[count++] = (struct row){ &s->process, 0, s };
		rows[i].count += s->count;
		if (s->count > rows[i].most->count)
			rows[i].most = s;
	}
	if (count)
		qsort(rows, count, sizeof(*rows), compare);
	return count;
}

static void add_process(struct libscols_table *table, const struct top *top,
			const struct row *row)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char most[96];

	if (row->process->is_known)
		set_number(line, 0, "%.0f", row->process->pid);
	else
		scols_line_set_data(line, 0, "-");
	scols_line_set_data(line, 1, row->process->is_known ?
			    row->process->comm : "-");
	set_number(line, 2, "%.1f%%",
		   100.0 * row->count / top->samples.total);
	snprintf(most, sizeof(most), "%s %.0f%%", row->most->symbol,
		 100.0 * row->most->count / row->count);
	scols_line_set_data(line, 3, most);
}

static void print_processes(const struct top *top)
{
	struct libscols_table *table = scols_new_table();
	struct row *rows;
	size_t count = make_rows(&top->samples, &rows), i;

	scols_table_new_column(table, "PID", 0, SCOLS_FL_RIGHT);
	scols_table_new_column(table, "COMM", 0, 0);
	scols_table_new_column(table, "OF ALL VCPUS", 0, SCOLS_FL_RIGHT);
	scols_table_new_column(table, "MOSTLY IN", 0, 0);
	for (i = 0; i < count && (!top->rows || i < top->rows); i++)
		add_process(table, top, &rows[i]);
	printf("\n%u samples\n", top->samples.total);
	if (count)
		scols_print_table(table);
	scols_unref_table(table);
	free(rows);
}

void top_print(const struct top *top)
{
	printf("%s, %.1f s, per second:\n", *top->name ? top->name : "VM",
	       top->time);
	if (top->has_host)
		print_host(top);
	print_processes(top);
	putchar('\n');
}

static struct json_object *json_counters(const struct counters *counters,
					 double seconds)
{
	struct json_object *o = json_object_new_object(), *item;
	const struct counter *c;
	double growth;

	for (c = counters->list; c < counters->list + counters->count; c++) {
		item = json_object_new_object();
		growth = (double)(c->value - c->before);
		json_object_object_add(item, "count",
				       json_object_new_int64((int64_t)c->value));
		json_object_object_add(item, "per_second",
				       json_object_new_double(growth / seconds));
		json_object_object_add(o, c->name, item);
	}
	return o;
}

static struct json_object *json_vcpus(const struct top *top)
{
	struct json_object *array = json_object_new_array(), *o, *value;
	const struct host_vcpu *vcpu;
	unsigned int i;

	for (i = 0; i < top->host.vcpu_count; i++) {
		vcpu = &top->host.vcpus[i];
		o = json_object_new_object();
		json_object_object_add(o, "vcpu", json_object_new_int((int)i));
		value = NULL;
		if (vcpu->thread)
			value = json_object_new_double(busy_of(top, vcpu));
		json_object_object_add(o, "busy", value);
		value = NULL;
		if (vcpu->stats.fd >= 0)
			value = json_counters(&vcpu->stats.counters,
					      top->seconds);
		json_object_object_add(o, "counters", value);
		json_object_array_add(array, o);
	}
	return array;
}

static struct json_object *json_symbols(const struct samples *samples,
					const struct process *process)
{
	struct json_object *o = json_object_new_object(), *count;
	const struct sample *s;

	for (s = samples->list; s < samples->list + samples->count; s++)
		if (is_same(&s->process, process)) {
			count = json_object_new_int((int)s->count);
			json_object_object_add(o, s->symbol, count);
		}
	return o;
}

static struct json_object *json_process(const struct process *process)
{
	struct json_object *o = json_object_new_object();

	if (!process->is_known)
		return o;
	json_object_object_add(o, "pid", json_object_new_int(process->pid));
	json_object_object_add(o, "comm", json_object_new_string(process->comm));
	return o;
}

static struct json_object *json_processes(const struct top *top)
{
	struct json_object *array = json_object_new_array(), *o, *symbols;
	struct row *rows;
	size_t count = make_rows(&top->samples, &rows), i;

	for (i = 0; i < count; i++) {
		o = json_process(rows[i].process);
		json_object_object_add(o, "samples",
				       json_object_new_int((int)rows[i].count));
		symbols = json_symbols(&top->samples, rows[i].process);
		json_object_object_add(o, "symbols", symbols);
		json_object_array_add(array, o);
	}
	free(rows);
	return array;
}

void top_print_json(const struct top *top)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "time", json_object_new_double(top->time));
	json_object_object_add(o, "seconds",
			       json_object_new_double(top->seconds));
	json_object_object_add(o, "vcpus",
			       top->has_host ? json_vcpus(top) : NULL);
	json_object_object_add(o, "introspection", !top->has_host ? NULL :
		json_counters(&top->host.introspection, top->seconds));
	json_object_object_add(o, "samples",
			       json_object_new_int((int)top->samples.total));
	json_object_object_add(o, "processes", json_processes(top));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}
