// SPDX-License-Identifier: GPL-2.0-or-later
/* A driver of the old interface, unmodified, with VMs that are none. */
#include <sys/socket.h>
#include <sys/un.h>

#include "compat.h"
#include "../lib/driver.h"

#define MEMORY_SIZE	(64 * 4096)

struct machine {
	struct driver driver;
	char folder[32], path[48];
	pthread_t thread;
	int fd;
	uint8_t bytes[MEMORY_SIZE];
	int writes;
};

static void *be_vm(void *arg)
{
	struct machine *m = arg;
	const struct peer_memory memory = {
		.bytes = m->bytes, .size = MEMORY_SIZE,
	};

	if (!peer_begin(m->fd, "fake", 0x21, NULL))
		peer_serve(m->fd, &memory);
	shutdown(m->fd, SHUT_RDWR);
	return NULL;
}

static void plug(struct machine *m)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	strncpy(sun.sun_path, m->path, sizeof(sun.sun_path) - 1);
	m->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(m->fd, (struct sockaddr *)&sun, sizeof(sun)),
			 0);
	assert_int_equal(pthread_create(&m->thread, NULL, be_vm, m), 0);
}

static void start(struct machine *m)
{
	memset(m, 0, sizeof(*m));
	strcpy(m->folder, "/tmp/kvmi-drv-XXXXXX");
	assert_non_null(mkdtemp(m->folder));
	snprintf(m->path, sizeof(m->path), "%s/socket", m->folder);
	assert_int_equal(driver_listen(&m->driver, m->path), 0);
	plug(m);
	assert_int_equal(driver_connect(&m->driver), 0);
	assert_string_equal(m->driver.name, "fake");
	assert_int_equal(m->driver.vcpus, 2);
	assert_int_equal(driver_init_events(&m->driver), 0);
}

static void stop(struct machine *m)
{
	driver_close(&m->driver);
	pthread_join(m->thread, NULL);
	close(m->fd);
	assert_int_equal(rmdir(m->folder), 0);
}

static void serve(struct machine *m, unsigned int event, int count)
{
	int before = m->driver.count[event], err = 0;

	while (m->driver.count[event] < before + count && !err)
		err = driver_serve(&m->driver, 5000);
	assert_int_equal(err, 0);
}

static void watch_cr3(struct machine *m, bool enable)
{
	assert_int_equal(m->driver.api.kvmi_control_cr(m->driver.dom, 0, 3,
						       enable), 0);
}

static void driver_needs_no_more_names(void **state)
{
	static struct machine m;

	(void)state;
	start(&m);
	stop(&m);
	/* What a driver does when no VM came. */
	assert_int_equal(driver_listen(&m.driver, "/tmp/kvmi-no-vm"), 0);
	driver_close(&m.driver);
}

/* Without end, as the fake guest's page tables change. */
static void driver_sees_cr3(void **state)
{
	static struct machine m;
	const int events[] = { KVMI_EVENT_CR };

	(void)state;
	start(&m);
	/* The fake VM reports when the event is switched on after the CR. */
	assert_int_equal(m.driver.api.kvmi_control_events(m.driver.dom, 0,
							  events[0], false), 0);
	watch_cr3(&m, true);
	assert_int_equal(m.driver.api.kvmi_control_events(m.driver.dom, 0,
							  events[0], true), 0);
	serve(&m, KVMI_EVENT_CR, 5);
	stop(&m);
}

/* The TRAP event, which it does not know, must not hold the vCPU. */
static void driver_injects_page_faults(void **state)
{
	static struct machine m;
	struct driver *d = &m.driver;
	int i, tries;

	(void)state;
	start(&m);
	for (i = 0; i < 3; i++) {
		for (tries = 0; tries < 500; tries++) {
			if (!d->api.kvmi_inject_exception(d->dom, 1, 0x1000, 4,
							  14))
				break;
			assert_int_equal(errno, EBUSY);
			usleep(10000);
		}
		assert_true(tries < 500);
	}
	assert_int_equal(d->count[KVMI_EVENT_TRAP], 0);
	stop(&m);
}

static void driver_pauses_and_resumes(void **state)
{
	static struct machine m;
	int i;

	(void)state;
	start(&m);
	for (i = 0; i < 3; i++) {
		assert_int_equal(driver_pause(&m.driver), 0);
		assert_int_equal(driver_resume(&m.driver), 0);
	}
	assert_int_equal(m.driver.count[KVMI_EVENT_PAUSE_VCPU], 6);
	stop(&m);
}

static void driver_reads_and_writes(void **state)
{
	static struct machine m;
	uint8_t page[4096];
	struct driver *d = &m.driver;

	(void)state;
	start(&m);
	memset(m.bytes + 4096, 0x3c, 4096);
	assert_int_equal(d->api.kvmi_read_physical(d->dom, 4096, page, 4096), 0);
	assert_memory_equal(page, m.bytes + 4096, 4096);
	/* Across the end of a page. */
	assert_int_equal(d->api.kvmi_write_physical(d->dom, 3 * 4096 - 10,
						    "twenty bytes of text", 20),
			 0);
	assert_memory_equal(m.bytes + 3 * 4096 - 10, "twenty bytes of text", 20);
	stop(&m);
}

/* A driver may have one VM on each of two sockets. */
static void two_drivers_do_not_mix(void **state)
{
	static struct machine m[2];
	uint8_t byte;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		start(&m[i]);
		m[i].bytes[7] = (uint8_t)(0x40 + i);
	}
	for (i = 0; i < 2; i++) {
		struct driver *d = &m[i].driver;

		assert_int_equal(d->api.kvmi_read_physical(d->dom, 7, &byte, 1),
				 0);
		assert_int_equal(byte, 0x40 + i);
		assert_int_equal(driver_pause(d), 0);
	}
	for (i = 1; i >= 0; i--) {
		assert_int_equal(driver_resume(&m[i].driver), 0);
		stop(&m[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(driver_needs_no_more_names),
		cmocka_unit_test(driver_sees_cr3),
		cmocka_unit_test(driver_injects_page_faults),
		cmocka_unit_test(driver_pauses_and_resumes),
		cmocka_unit_test(driver_reads_and_writes),
		cmocka_unit_test(two_drivers_do_not_mix),
	};

	return cmocka_run_group_tests_name("compat-driver", tests, NULL, NULL);
}
