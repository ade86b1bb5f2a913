// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared memory of our QEMU: what is mapped is what VM_READ_PHYSICAL reads, page
 * by page, and shows what the guest, KVM and the tool store while the guest
 * runs. A QEMU that does not share is told, and goes on.
 *
 * lab: calm timeout=180
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <kvmi/kvmi.h>

#include "../lib/qemu.h"
#include "../lib/test.h"

#define PAGE 4096

static struct kvmi_listener *listen_at(struct qemu *qemu, int share)
{
	struct kvmi_listener *listener;
	struct kvmi_options opts;

	kvmi_options_init(&opts);
	opts.share_memory = share;
	expect(0, kvmi_listener_open_unix(&listener, qemu->socket, &opts));
	return listener;
}

/* By KVM, whatever is mapped. */
static int ask_kvm(struct kvmi_vm *vm, uint64_t gpa, void *data, size_t size)
{
	struct kvmi_vm_read_physical request = { .gpa = gpa, .size = size };

	return kvmi_vm_command(vm, KVMI_VM_READ_PHYSICAL, &request,
			       sizeof(request), data, &size);
}

static const uint8_t *mapped(struct kvmi_vm *vm, uint64_t gpa)
{
	const void *data;

	expect(0, kvmi_vm_map_physical(vm, gpa, PAGE, &data));
	return data;
}

/* A page that the guest writes to may differ for a while; few are. */
static void test_same_content(struct kvmi_vm *vm)
{
	unsigned int pages = 0, moving = 0, zero = 0;
	static const uint8_t zeros[PAGE];
	uint8_t page[PAGE];
	uint64_t gpa;

	for (gpa = 1 << 20; gpa < 250 << 20; gpa += 61 * PAGE) {
		expect(0, ask_kvm(vm, gpa, page, PAGE));
		zero += !memcmp(page, zeros, PAGE);
		moving += memcmp(page, mapped(vm, gpa), PAGE) != 0;
		pages++;
	}
	note("%u pages, %u of zeros, %u changed meanwhile", pages, zero,
	     moving);
	expect_true(pages > 900);
	expect_true(zero < pages * 9 / 10);
	expect_true(moving < pages / 20);
}

/* What is written by KVM is in the mapping, and the guest prints it. */
static void test_write_is_seen(struct qemu *qemu, struct kvmi_vm *vm)
{
	const char *text = "the tool was here";
	uint64_t gpa = qemu_console_number(qemu, " gpa ");
	const void *data;
	char copy[24];

	expect(0, kvmi_vm_map_physical(vm, gpa, 24, &data));
	expect_bytes("all is well in the guest", data, 24);
	expect(0, kvmi_vm_write_physical(vm, gpa, text, strlen(text) + 1));
	expect_bytes(text, data, strlen(text) + 1);
	expect(0, kvmi_vm_read_physical(vm, gpa, copy, sizeof(copy)));
	expect_bytes(text, copy, strlen(text) + 1);
	qemu_wait_console(qemu, "beacon: the tool was here ", 2);
}

/* How many of the sampled pages changed since. */
static unsigned int changed(struct kvmi_vm *vm, uint32_t *sums)
{
	unsigned int i, j, count = 0;
	const uint32_t *words;
	uint32_t sum;

	for (i = 0; i < (250 << 20) / PAGE - 256; i++) {
		words = (const void *)mapped(vm, (i + 256ull) * PAGE);
		for (sum = 0, j = 0; j < PAGE / 4; j += 4)
			sum = sum * 31 + words[j];
		count += sum != sums[i];
		sums[i] = sum;
	}
	return count;
}

/* The guest runs, and what it stores comes without a command. */
static void test_guest_is_seen(struct qemu *qemu, struct kvmi_vm *vm)
{
	static uint32_t sums[65536];
	unsigned int count;

	changed(vm, sums);
	qemu_expect_alive(qemu);
	count = changed(vm, sums);
	note("%u pages changed", count);
	expect_true(count > 0);
}

static void test_not_shared(void)
{
	struct qemu_options options = { .object = "", .stopped = true };
	struct kvmi_listener *listener;
	struct kvmi_vm *vm;
	struct qemu qemu;
	const void *data;

	note("QEMU does not share");
	qemu_prepare(&qemu);
	listener = listen_at(&qemu, KVMI_SHARE_MUST);
	qemu_start(&qemu, &options);
	expect(-EOPNOTSUPP, kvmi_listener_accept(listener, QEMU_UUID,
						 DEADLINE_MS, &vm));
	kvmi_listener_close(listener);
	listener = listen_at(&qemu, KVMI_SHARE_TRY);
	expect(0, kvmi_listener_accept(listener, QEMU_UUID, DEADLINE_MS, &vm));
	expect(-EOPNOTSUPP, kvmi_vm_map_physical(vm, 0, 1, &data));
	kvmi_vm_close(vm);
	kvmi_listener_close(listener);
	qemu_quit(&qemu);
}

static void test_private(void)
{
	struct qemu_options options = {
		.object = ",share-memory=on", .stopped = true,
	};
	struct qemu qemu;

	note("memory that cannot be shared");
	qemu_prepare(&qemu);
	expect(1, qemu_start_fails(&qemu, &options));
	expect(1, file_count(qemu.errors, "memory-backend-memfd"));
	qemu_kill(&qemu);
}

int main(void)
{
	struct qemu_options options = {
		.object = ",share-memory=on",
		.more = { "-object",
			  "memory-backend-memfd,id=ram,size=256M,share=on",
			  "-machine", "memory-backend=ram" },
	};
	struct kvmi_listener *listener;
	struct kvmi_vm *vm;
	struct qemu qemu;
	const void *data;

	test_private();
	test_not_shared();
	qemu_prepare(&qemu);
	qemu_start(&qemu, &options);
	qemu_wait_console(&qemu, "beacon: ", 3);
	listener = listen_at(&qemu, KVMI_SHARE_MUST);
	expect(0, kvmi_listener_accept(listener, QEMU_UUID, DEADLINE_MS, &vm));
	expect(-ENOENT, kvmi_vm_map_physical(vm, 0xa0000, 1, &data));
	expect(-ENOENT, kvmi_vm_map_physical(vm, 256 << 20, 1, &data));
	test_same_content(vm);
	test_write_is_seen(&qemu, vm);
	test_guest_is_seen(&qemu, vm);
	kvmi_vm_close(vm);
	kvmi_listener_close(listener);
	qemu_quit(&qemu);
	return 0;
}
