// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client of the old interface maps a guest's memory, which QEMU shares: it is
 * what the client reads otherwise, and what it writes is seen there.
 *
 * lab: calm timeout=180
 */
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "../lib/driver.h"
#include "../lib/qemu.h"
#include "../lib/test.h"

#define PAGE		4096
#define RAM		(256ull << 20)
#define BEFORE		"all is well in the guest"
#define NEW		"a mapping shows this line"

/* What drivers do not need, and HVMI does. */
static struct {
	__typeof__(kvmi_memory_mapping) *enable;
	__typeof__(kvmi_map_physical_page) *map;
	__typeof__(kvmi_unmap_physical_page) *unmap;
} mapping;

static void *find(struct driver *d, const char *name)
{
	void *function = dlsym(d->library, name);

	if (!function)
		fail("there is no %s", name);
	return function;
}

static void find_all(struct driver *d)
{
	mapping.enable = find(d, "kvmi_memory_mapping");
	mapping.map = find(d, "kvmi_map_physical_page");
	mapping.unmap = find(d, "kvmi_unmap_physical_page");
}

/* A page of the kernel's text stays as it is. */
static void test_same_content(struct driver *d)
{
	uint8_t page[PAGE];
	unsigned int i, same = 0;
	void *data;

	for (i = 0; i < 64; i++) {
		uint64_t gpa = (17ull << 20) + i * PAGE;

		expect(0, d->api.kvmi_read_physical(d->dom, gpa, page, PAGE));
		data = mapping.map(d->dom, gpa);
		expect_true(data != MAP_FAILED);
		same += !memcmp(page, data, PAGE);
		expect(0, mapping.unmap(d->dom, data));
	}
	expect(64, same);
}

static void test_write_is_seen(struct driver *d, struct qemu *qemu)
{
	uint64_t gpa = qemu_console_number(qemu, " gpa ");
	char *page = mapping.map(d->dom, gpa);

	expect_true(gpa && page != MAP_FAILED);
	expect_bytes(BEFORE, page + gpa % PAGE, strlen(BEFORE));
	expect(0, d->api.kvmi_write_physical(d->dom, gpa, NEW, sizeof(NEW)));
	expect_bytes(NEW, page + gpa % PAGE, sizeof(NEW));
	qemu_wait_console(qemu, "beacon: " NEW, 2);
}

static void test_nothing_there(struct driver *d)
{
	errno = 0;
	expect_true(mapping.map(d->dom, RAM) == MAP_FAILED);
	expect(ENOENT, errno);
}

int main(void)
{
	struct qemu_options options = {
		.object = ",share-memory=on",
		.more = { "-object",
			  "memory-backend-memfd,id=ram,size=256M,share=on",
			  "-machine", "memory-backend=ram" },
	};
	struct driver driver;
	struct qemu qemu;

	qemu_prepare(&qemu);
	expect(0, driver_listen(&driver, qemu.socket));
	find_all(&driver);
	qemu_start(&qemu, &options);
	expect(0, driver_connect(&driver));
	qemu_wait_console(&qemu, "beacon: ", 2);
	expect(0, mapping.enable(driver.dom, true));
	test_same_content(&driver);
	test_write_is_seen(&driver, &qemu);
	test_nothing_there(&driver);
	driver_close(&driver);
	qemu_expect_alive(&qemu);
	qemu_quit(&qemu);
	return 0;
}
