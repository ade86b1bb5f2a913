// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A made guest with three processes: what is read of it, and of lists that have
 * no end, lead nowhere or lack something, that each walk ends and says so.
 */
#include <elf.h>
#include <signal.h>

#include "../../lib/linux/module.h"
#include "../../lib/linux/within.h"
#include "../../lib/profile/inside.h"
#include "rig.h"

#define MEMORY		(256 * IMAGE_PAGE)
#define DIRECT		0xffff888000000000ull
#define ROOT		0x1000ull
#define UPPER		0x2000ull
#define MIDDLE		0x3000ull
#define LOWER		0x4000ull
#define MAP		(MAPPED_PRESENT | MAPPED_WRITE)
#define LARGE		(1ull << 7)
/* Two pages there are not in this order in memory, and behind them is none. */
#define MIXED		0xffffc90000000000ull
#define TASKS		4	/* the first one is that of idle */
#define INSIDE		2ull	/* the tag of a slot with a node */

struct made_list {
	uint64_t next, prev;
};

/* Not in the order of any kernel. */
struct made_task {
	uint32_t state, flags, pid, tgid, exit_state, unused;
	struct made_list children, sibling, tasks, thread_node;
	uint64_t signal, cred, leader, parent, mm, active_mm, thread_pid;
	struct made_list pid_links;
	uint64_t started;
	char comm[16];
};

struct made_pid {
	uint64_t count, tasks;
};

struct made_node {
	uint8_t shift, offset;
	uint64_t parent, slots[64], marks;
};

struct made_signal {
	uint64_t count;
	struct made_list thread_head;
};

struct made_module {
	uint32_t state, refs;
	struct made_list list;
	char name[56];
	uint64_t base;
	uint32_t size, unused;
	uint64_t kallsyms;
};

struct made_table {
	uint64_t symtab, strtab;
	uint32_t num_symtab, unused;
};

static struct guest_memory {
	uint8_t low[0x10000];
	struct made_task tasks[TASKS];
	struct made_signal signals[TASKS];
	struct made_pid pids[TASKS];
	struct made_node node;
	uint64_t xa_head, cred;
	struct made_list modules;
	struct made_module module[2];
	struct made_table table;
	Elf64_Sym symtab[3];
	char strtab[64];
	uint8_t rest[MEMORY];
} guest_memory;

#define GPA(member) ((uint64_t)((uint8_t *)&(member) - (uint8_t *)&guest_memory))
#define GVA(member) (DIRECT + GPA(member))

static struct peer_memory memory = {
	.bytes = (uint8_t *)&guest_memory, .size = MEMORY,
};

static struct symbol symbols[] = {
	{ 0, "init_task", 'D', false }, { 0, "init_pid_ns", 'D', false },
	{ 0, "modules", 'D', false },
	{ KERNEL_WINDOW, "_text", 'T', false },
	{ KERNEL_WINDOW + 0x100, "alias", 't', false },
	{ KERNEL_WINDOW + 0x100, "schedule", 'T', false },
	{ KERNEL_WINDOW + 0x200, "idle", 't', false },
};

static struct rig rig;
static struct linux_guest guest;

static uint64_t *entry(uint64_t table, unsigned int at)
{
	return (uint64_t *)((uint8_t *)&guest_memory + table) + at;
}

static void make_tables(void)
{
	*entry(ROOT, DIRECT >> 39 & 511) = UPPER | MAP;
	*entry(UPPER, 0) = LARGE | MAP;
	*entry(ROOT, MIXED >> 39 & 511) = (UPPER + 0x4000) | MAP;
	*entry(UPPER + 0x4000, 0) = MIDDLE | MAP;
	*entry(MIDDLE, 0) = LOWER | MAP;
	*entry(LOWER, 0) = 0x9000 | MAP;
	*entry(LOWER, 1) = 0x8000 | MAP;
}

static void list_init(struct made_list *head)
{
	head->next = head->prev = GVA(*head);
}

static struct made_list *at(uint64_t gva)
{
	return (struct made_list *)((uint8_t *)&guest_memory + (gva - DIRECT));
}

static void list_add(struct made_list *node, struct made_list *head)
{
	node->next = GVA(*head);
	node->prev = head->prev;
	at(head->prev)->next = GVA(*node);
	head->prev = GVA(*node);
}

static void list_del(struct made_list *node)
{
	at(node->next)->prev = node->prev;
	at(node->prev)->next = node->next;
}

static void make_task(unsigned int i)
{
	struct made_task *t = &guest_memory.tasks[i];

	t->pid = t->tgid = i;
	t->leader = GVA(*t);
	t->parent = GVA(guest_memory.tasks[i ? i - 1 : 0]);
	t->signal = GVA(guest_memory.signals[i]);
	t->cred = GVA(guest_memory.cred);
	t->thread_pid = GVA(guest_memory.pids[i]);
	t->started = 1000 + i;
	snprintf(t->comm, sizeof(t->comm), "task %u", i);
	list_init(&t->children);
	list_init(&guest_memory.signals[i].thread_head);
	list_add(&t->thread_node, &guest_memory.signals[i].thread_head);
	if (!i) {
		list_init(&t->tasks);
		return;
	}
	list_add(&t->tasks, &guest_memory.tasks[0].tasks);
	list_add(&t->sibling, &guest_memory.tasks[i - 1].children);
	guest_memory.pids[i].tasks = GVA(t->pid_links);
	guest_memory.node.slots[i] = GVA(guest_memory.pids[i]);
}

static void make_module(unsigned int i)
{
	struct made_module *m = &guest_memory.module[i];

	snprintf(m->name, sizeof(m->name), "module%u", i);
	m->refs = 1 + i;
	m->base = KERNEL_WINDOW + 0x20000000 + i * 0x10000;
	m->size = 0x3000;
	list_add(&m->list, &guest_memory.modules);
}

/* Of the second one, the first has none. */
static void make_symbols(void)
{
	Elf64_Sym *s = guest_memory.symtab;

	memcpy(guest_memory.strtab, "\0lacks\0begin\0end", 17);
	s[0] = (Elf64_Sym){ .st_name = 1 };
	s[1] = (Elf64_Sym){ .st_name = 7, .st_shndx = 1, .st_value = 0x7000 };
	s[2] = (Elf64_Sym){ .st_name = 13, .st_shndx = 1, .st_value = 0x8000 };
	guest_memory.table = (struct made_table){
		.symtab = GVA(guest_memory.symtab),
		.strtab = GVA(guest_memory.strtab), .num_symtab = 3,
	};
	guest_memory.module[1].kallsyms = GVA(guest_memory.table);
}

struct made_field {
	const char *name;
	size_t at;
};

static void add_struct(struct btf *btf, const char *name, size_t size,
		       const struct made_field *fields, size_t count)
{
	size_t i;

	btf__add_struct(btf, name, (uint32_t)size);
	for (i = 0; i < count; i++)
		btf__add_field(btf, fields[i].name, 1,
			       (uint32_t)fields[i].at * 8, 0);
}

#define STRUCT(name, size, ...) do { \
	const struct made_field fields[] = { __VA_ARGS__ }; \
	add_struct(btf, name, size, fields, sizeof(fields) / sizeof(*fields)); \
} while (0)
#define F(type, field) { #field, offsetof(struct type, field) }
#define NAMED(type, name, field) { name, offsetof(struct type, field) }

static struct btf *make_types(void)
{
	struct btf *btf = btf__new_empty();

	btf__add_int(btf, "byte", 1, 0);
	STRUCT("task_struct", sizeof(struct made_task),
	       F(made_task, state), F(made_task, flags), F(made_task, pid),
	       F(made_task, tgid), F(made_task, exit_state),
	       F(made_task, children), F(made_task, sibling),
	       F(made_task, tasks), F(made_task, thread_node),
	       F(made_task, signal), NAMED(made_task, "real_cred", cred),
	       NAMED(made_task, "group_leader", leader),
	       NAMED(made_task, "real_parent", parent), F(made_task, mm),
	       F(made_task, active_mm), F(made_task, thread_pid),
	       F(made_task, pid_links),
	       NAMED(made_task, "start_time", started), F(made_task, comm));
	STRUCT("signal_struct", sizeof(struct made_signal),
	       F(made_signal, thread_head));
	STRUCT("pid", sizeof(struct made_pid), F(made_pid, tasks));
	STRUCT("xa_node", sizeof(struct made_node), F(made_node, shift),
	       F(made_node, offset), F(made_node, parent),
	       F(made_node, slots), F(made_node, marks));
	STRUCT("pid_namespace", 8, { "idr", 0 });
	STRUCT("xarray", 8, { "xa_head", 0 });
	STRUCT("cred", 8, { "uid", 0 });
	STRUCT("module", sizeof(struct made_module), F(made_module, state),
	       NAMED(made_module, "refcnt", refs), F(made_module, list),
	       F(made_module, name), NAMED(made_module, "core_layout", base),
	       NAMED(made_module, "init_layout", base),
	       F(made_module, kallsyms));
	STRUCT("mod_kallsyms", sizeof(struct made_table),
	       F(made_table, symtab), F(made_table, strtab),
	       F(made_table, num_symtab));
	STRUCT("module_layout", 16, { "base", 0 }, { "size", 8 });
	return btf;
}

static int serve(int fd, void *arg)
{
	peer_serve(fd, arg);
	return 0;
}

static int setup(void **state)
{
	struct profile *p = calloc(1, sizeof(*p));
	unsigned int i;

	(void)state;
	memset(&guest_memory, 0, sizeof(guest_memory));
	make_tables();
	for (i = 0; i < TASKS; i++)
		make_task(i);
	guest_memory.xa_head = GVA(guest_memory.node) | INSIDE;
	guest_memory.cred = 4711;
	list_init(&guest_memory.modules);
	make_module(0);
	make_module(1);
	make_symbols();
	symbols[0].address = GVA(guest_memory.tasks[0]);
	symbols[1].address = GVA(guest_memory.xa_head);
	symbols[2].address = GVA(guest_memory.modules);
	p->types = make_types();
	p->symbols.list = symbols;
	p->symbols.count = sizeof(symbols) / sizeof(*symbols);
	rig_open(&rig, serve, &memory);
	guest = (struct linux_guest){
		.vm = rig.vm, .profile = p, .levels = 4, .root = ROOT,
		.direct = DIRECT, .direct_end = MIXED, .kaslr = 0x1000000,
		.text = KERNEL_WINDOW + 0x1000000,
		.text_end = KERNEL_WINDOW + 0x1001000,
		.tables = calloc(TABLES, sizeof(*guest.tables)),
	};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	btf__free(guest.profile->types);
	free(guest.profile);
	fields_free(&guest.fields);
	modules_forget(&guest);
	free(guest.tables);
	free(guest.percpu);
	free(guest.places);
	free(guest.task_fields);
	rig_close(&rig);
	return 0;
}

/* Lists them, and tells what is hidden of the last one. */
static unsigned int get_tasks(size_t want)
{
	struct linux_task *list;
	unsigned int hidden = 0;
	size_t count, i;

	assert_err(0, linux_get_tasks(&guest, true, &list, &count));
	assert_int_equal(count, want);
	for (i = 0; i < count; i++) {
		assert_int_equal(list[i].pid, i + 1);
		assert_int_equal(list[i].ppid, i);
		assert_int_equal(list[i].uid, 4711);
		hidden = list[i].hidden;
	}
	free(list);
	return hidden;
}

static void lists_what_is_there(void **state)
{
	struct linux_task *list;
	size_t count;

	(void)state;
	assert_int_equal(get_tasks(3), 0);
	assert_err(0, linux_get_tasks(&guest, false, &list, &count));
	assert_string_equal(list[2].comm, "task 3");
	assert_int_equal(list[2].gva, GVA(guest_memory.tasks[3]));
	assert_int_equal(list[2].seen, LINUX_SEEN_TASKS | LINUX_SEEN_PIDS |
			 LINUX_SEEN_CHILDREN | LINUX_SEEN_THREADS);
	assert_int_equal(list[2].vcpu, -1);
	free(list);
}

/* Each of them reads, so each ends; and goes on when nobody stops it. */
static void a_signal_ends_it(void **state)
{
	static volatile sig_atomic_t flag = SIGINT;
	struct linux_module *modules;
	struct linux_task *list;
	struct profile *profile;
	size_t count;
	char byte;

	(void)state;
	profile_stop_by(&flag);
	assert_err(-EINTR, linux_get_tasks(&guest, true, &list, &count));
	assert_err(-EINTR, linux_get_modules(&guest, &modules, &count));
	assert_err(-EINTR, linux_read(&guest, DIRECT, &byte, 1));
	assert_err(-EINTR, profile_from_vm(&profile, guest.vm));
	flag = 0;
	assert_int_equal(get_tasks(3), 0);
	flag = SIGINT;
	profile_stop_by(NULL);
	assert_int_equal(get_tasks(3), 0);
}

static void marks_what_a_list_lacks(void **state)
{
	struct made_task *last = &guest_memory.tasks[3];

	(void)state;
	list_del(&last->tasks);
	assert_int_equal(get_tasks(3), LINUX_SEEN_TASKS);
	guest_memory.node.slots[3] = 0;
	assert_int_equal(get_tasks(3), LINUX_SEEN_TASKS | LINUX_SEEN_PIDS);
	list_add(&last->tasks, &guest_memory.tasks[0].tasks);
	assert_int_equal(get_tasks(3), LINUX_SEEN_PIDS);
	list_del(&last->sibling);
	assert_int_equal(get_tasks(3), LINUX_SEEN_PIDS | LINUX_SEEN_CHILDREN);
}

/* It has left some lists, as those who end do, and the others soon. */
static void excuses_what_ends(void **state)
{
	struct made_task *last = &guest_memory.tasks[3];

	(void)state;
	list_del(&last->tasks);
	last->exit_state = 0x20;
	assert_int_equal(get_tasks(3), 0);
	last->exit_state = 0x10;
	assert_int_equal(get_tasks(2), 0);
	last->exit_state = 0;
	last->state = 0x800;
	assert_int_equal(get_tasks(3), 0);
}

static void ends_in_circles(void **state)
{
	struct made_task *t = guest_memory.tasks;

	(void)state;
	/* The list of tasks never comes back to its head. */
	t[2].tasks.next = GVA(t[1].tasks);
	assert_int_equal(get_tasks(3), LINUX_SEEN_TASKS);
	t[2].tasks.next = GVA(t[2].tasks);
	assert_int_equal(get_tasks(3), LINUX_SEEN_TASKS);
	t[2].tasks.next = GVA(t[3].tasks);
	/* Its own child, by a list that looks well. */
	list_init(&t[3].children);
	list_del(&t[3].sibling);
	list_add(&t[3].sibling, &t[3].children);
	assert_int_equal(get_tasks(3), 0);
	/* A node of the table of pids that leads to itself. */
	guest_memory.node.slots[9] = GVA(guest_memory.node) | INSIDE;
	guest_memory.node.offset = 9;
	guest_memory.node.parent = GVA(guest_memory.node);
	guest_memory.xa_head = 0;
	assert_int_equal(get_tasks(3), LINUX_SEEN_PIDS);
}

static void ends_nowhere(void **state)
{
	struct made_task *t = guest_memory.tasks;

	(void)state;
	t[2].tasks.next = 0x4141414141414141;
	assert_int_equal(get_tasks(3), LINUX_SEEN_TASKS);
	t[2].tasks.next = DIRECT + (2ull << 30);
	assert_int_equal(get_tasks(3), LINUX_SEEN_TASKS);
	t[2].tasks.next = GVA(t[3].tasks);
	t[3].children.next = MIXED + 0x10000;
	guest_memory.node.slots[5] = MIXED + 0x10000;
	guest_memory.node.slots[6] = (MIXED + 0x10000) | INSIDE;
	guest_memory.node.slots[7] = 0x40;
	assert_int_equal(get_tasks(3), 0);
	guest_memory.xa_head = (MIXED + 0x10000) | INSIDE;
	assert_int_equal(get_tasks(3), LINUX_SEEN_PIDS);
	t[0].tasks.next = 8;
	t[0].children.next = 8;
	/* There is nothing by which to find one. */
	assert_int_equal(get_tasks(0), 0);
}

static void lists_modules(void **state)
{
	struct linux_module *list;
	char text[64];
	size_t count;

	(void)state;
	assert_err(0, linux_get_modules(&guest, &list, &count));
	assert_int_equal(count, 2);
	assert_string_equal(list[1].name, "module1");
	assert_int_equal(list[1].base, guest_memory.module[1].base);
	assert_int_equal(list[1].refs, 1);
	assert_int_equal(list[1].hidden, 0);
	linux_format_address(&guest, list[1].base + 0x2fff, text, 64);
	assert_string_equal(text, "[module1]+0x2fff");
	free(list);
	guest_memory.module[1].list.next = GVA(guest_memory.module[0].list);
	assert_err(0, linux_get_modules(&guest, &list, &count));
	assert_int_equal(count, 2);
	free(list);
}

static void finds_symbols_of_modules(void **state)
{
	uint64_t gva;

	(void)state;
	assert_err(0, linux_symbol(&guest, "begin", &gva));
	assert_int_equal(gva, 0x7000);
	assert_err(0, linux_symbol(&guest, "module1:end", &gva));
	assert_int_equal(gva, 0x8000);
	assert_err(0, linux_parse_address(&guest, "module1:end+2", &gva));
	assert_int_equal(gva, 0x8002);
	assert_err(-ENOENT, linux_symbol(&guest, "lacks", &gva));
	assert_err(-ENOENT, linux_symbol(&guest, "module0:end", &gva));
	assert_err(-ENOENT, linux_symbol(&guest, "module:end", &gva));
	/* Names and counts that lead out of all there is. */
	guest_memory.symtab[1].st_name = UINT32_MAX;
	assert_err(-ENOENT, linux_symbol(&guest, "end", &gva));
	guest_memory.symtab[1].st_name = 100000;
	assert_err(0, linux_symbol(&guest, "end", &gva));
	guest_memory.table.num_symtab = UINT32_MAX;
	assert_err(-ENOENT, linux_symbol(&guest, "end", &gva));
	guest_memory.table.num_symtab = 1u << 18;
	assert_err(-ENOENT, linux_symbol(&guest, "end", &gva));
}

static void reads_by_page(void **state)
{
	uint8_t bytes[16];
	uint64_t gpa;

	(void)state;
	memset(guest_memory.low + 0x9ff8, 'a', 8);
	memset(guest_memory.low + 0x8000, 'b', 8);
	assert_err(0, linux_read(&guest, MIXED + 0xff8, bytes, 16));
	assert_memory_equal(bytes, "aaaaaaaabbbbbbbb", 16);
	assert_err(0, linux_write(&guest, MIXED + 0xffc, "12345678", 8));
	assert_memory_equal(guest_memory.low + 0x9ffc, "1234", 4);
	assert_memory_equal(guest_memory.low + 0x8000, "5678", 4);
	assert_err(0, linux_translate(&guest, MIXED + 0x1005, &gpa));
	assert_int_equal(gpa, 0x8005);
	assert_err(-EFAULT, linux_translate(&guest, MIXED + 0x2000, &gpa));
	assert_err(-EFAULT, linux_read(&guest, MIXED + 0x1ff8, bytes, 16));
	assert_err(-EFAULT, linux_translate(&guest, 0x8000000000000000, &gpa));
	assert_err(-EFAULT, linux_read(&guest, DIRECT + (1 << 30) - 8, bytes, 8));
	/* What is mapped next is seen at once. */
	*entry(LOWER, 2) = 0xa000 | MAP;
	assert_err(0, linux_translate(&guest, MIXED + 0x2000, &gpa));
	assert_int_equal(gpa, 0xa000);
}

static void expect_address(const char *text, uint64_t want)
{
	uint64_t gva;

	assert_err(0, linux_parse_address(&guest, text, &gva));
	assert_int_equal(gva, want);
}

static void names_addresses(void **state)
{
	const uint64_t base = KERNEL_WINDOW + 0x1000000;
	uint64_t gva, offset, next;
	char text[64];

	(void)state;
	expect_address("0x1234", 0x1234);
	expect_address("16+0x10", 32);
	expect_address("schedule", base + 0x100);
	expect_address("schedule+0x12", base + 0x112);
	expect_address("schedule-16", base + 0xf0);
	assert_err(-ENOENT, linux_parse_address(&guest, "shedule", &gva));
	assert_err(-EINVAL, linux_parse_address(&guest, "schedule+", &gva));
	assert_err(-EINVAL, linux_parse_address(&guest, "0x12x", &gva));
	assert_err(-EINVAL, linux_parse_address(&guest, "1-2", &gva));
	assert_err(-EINVAL, linux_parse_address(&guest, "", &gva));

	assert_string_equal(linux_format_address(&guest, base + 0x112, text, 64),
			    "schedule+0x12");
	assert_string_equal(linux_format_address(&guest, base + 0x200, text, 64),
			    "idle");
	assert_string_equal(linux_format_address(&guest, base + 0x1000, text, 64),
			    "0xffffffff81001000");
	assert_string_equal(linux_symbol_at(&guest, base + 0x1ff, &offset, &next),
			    "schedule");
	assert_int_equal(offset, 0xff);
	assert_int_equal(next, base + 0x200);
	linux_symbol_at(&guest, base + 0x300, &offset, &next);
	assert_int_equal(next, base + 0x1000);
	assert_null(linux_symbol_at(&guest, base - 1, &offset, &next));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(lists_what_is_there),
		TEST(a_signal_ends_it),
		TEST(marks_what_a_list_lacks),
		TEST(excuses_what_ends),
		TEST(ends_in_circles),
		TEST(ends_nowhere),
		TEST(lists_modules),
		TEST(finds_symbols_of_modules),
		TEST(reads_by_page),
		TEST(names_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
