// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our QEMU with the events guest instead of an operating system.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bare.h"
#include "json.h"
#include "test.h"
#include "vmm.h"

#define MEMORY	(32ul << 20)

/* The multiboot kernel. */
static void write_kernel(const char *path)
{
	const size_t size = guest_boot.end - guest_boot.code;
	int fd = must(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600));

	expect(size, must(write(fd, guest_boot.code, size)));
	close(fd);
}

static void map(struct bare *bare, const char *path)
{
	int fd = must(open(path, O_RDWR | O_CREAT, 0600));

	must(ftruncate(fd, MEMORY));
	bare->memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED,
			    fd, 0);
	expect_true(bare->memory != MAP_FAILED);
	close(fd);
}

void bare_receive(struct bare *bare, const char *object)
{
	char kernel[96], path[96], backend[192];
	struct qemu_options options = {
		.object = object,
		.kernel = kernel,
		.more = { "-m", "32M", "-object", backend, "-M",
			  "memory-backend=ram", bare->more[0], bare->more[1],
			  bare->more[2], bare->more[3] },
	};

	snprintf(kernel, sizeof(kernel), "%s/kernel", bare->qemu.folder);
	snprintf(path, sizeof(path), "%s/ram", bare->qemu.folder);
	snprintf(backend, sizeof(backend),
		 "memory-backend-file,id=ram,size=32M,share=on,mem-path=%s",
		 path);
	write_kernel(kernel);
	map(bare, path);
	qemu_start(&bare->qemu, &options);
}

void bare_start(struct bare *bare, const char *object)
{
	volatile uint32_t *mailbox;

	bare_receive(bare, object);
	mailbox = (void *)(bare->memory + GUEST_MAILBOX);
	wait_for(*mailbox == GUEST_HERE);
	events_fill(bare->memory);
	*mailbox = GUEST_GO;
	wait_for(bare_state(bare, 0)->ticks_done > 2 &&
		 bare_state(bare, 1)->ticks_done > 2);
}

void bare_quit(struct bare *bare)
{
	qemu_quit(&bare->qemu);
	munmap(bare->memory, MEMORY);
}

volatile struct guest_state *bare_state(struct bare *bare, int vcpu)
{
	return (void *)(bare->memory + GUEST_STATE + 4096 * vcpu);
}

void bare_prepare(struct bare *bare, int vcpu, uint64_t kind)
{
	volatile struct guest_state *state = bare_state(bare, vcpu);

	state->limit = 0;
	sleep_ms(2);
	wait_for(state->executions == state->attempts);
	state->kind = kind;
	state->target = GUEST_TOUCHED(vcpu);
	state->marks = 0;
	state->traps = 0;
	state->executions = 0;
	state->attempts = 0;
}

void bare_allow(struct bare *bare, int vcpu, uint64_t count)
{
	bare_state(bare, vcpu)->limit += count;
}

void bare_wait_rest(struct bare *bare, int vcpu)
{
	volatile struct guest_state *state = bare_state(bare, vcpu);

	wait_for(state->executions == state->limit || state->wrong);
	expect(0, state->wrong);
	expect(state->limit, state->attempts);
}

int bare_wait_trace(struct bare *bare, struct command *trace)
{
	uint64_t end = now_ms() + DEADLINE_MS;
	const char *line;
	json_object *o;
	int seen = 0, lines = 0;

	while (seen != 3) {
		if (now_ms() > end)
			fail("the trace sees vCPUs %d", seen);
		bare_allow(bare, 0, !(seen & 1));
		bare_allow(bare, 1, !(seen & 2));
		while ((line = command_line(trace, 300))) {
			o = json_parse(line);
			seen |= 1 << json_number(o, "vcpu");
			json_object_put(o);
			lines++;
		}
		bare_wait_rest(bare, 0);
		bare_wait_rest(bare, 1);
	}
	return lines;
}
