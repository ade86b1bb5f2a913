// SPDX-License-Identifier: LGPL-2.1-or-later
/* Profiles of kernels that ran before, held against the one that runs now. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zlib.h>

#include "cache.h"

#define MSR_LSTAR	0xc0000082
#define CR3_USER	(1ull << 12)
#define CR0_PG		(1ull << 31)
#define CR4_LA57	(1ull << 12)
#define EFER_LMA	(1ull << 10)
#define KASLR_ALIGN	(2ull << 20)
#define BODY_MAX	(128ull << 20)
#define FILES_MAX	16

/* What a vCPU has to say of the kernel that runs on it. */
struct running {
	uint64_t lstar, cr3;
	struct profile_info info;
};

static int ask_vcpu(struct linux_guest *guest, unsigned int vcpu,
		    struct running *running)
{
	const uint32_t msr = MSR_LSTAR;
	struct kvmi_vcpu_get_registers_reply reply;
	int err;

	err = kvmi_vcpu_get_registers(guest->vm, vcpu, &msr, 1, &reply,
				      &running->lstar);
	if (err)
		return err;
	if (!(reply.sregs.cr0 & CR0_PG) || !(reply.sregs.efer & EFER_LMA))
		return -ENOENT;
	guest->levels = reply.sregs.cr4 & CR4_LA57 ? 5 : 4;
	running->cr3 = reply.sregs.cr3 & MAPPED_TO;
	running->info = (struct profile_info){
		.is_running = true, .levels = guest->levels,
	};
	return 0;
}

static bool has_bytes(struct linux_guest *guest, const struct running *running,
		      uint64_t at, const void *bytes, size_t size)
{
	uint8_t there[NOTES_MAX];

	return size <= sizeof(there) &&
	       !memory_read_in(guest, running->info.page_tables,
			       at + running->info.kaslr, there, size) &&
	       !memcmp(there, bytes, size);
}

static bool is_in(struct linux_guest *guest, struct running *running,
		  uint64_t root, const struct cache_head *head)
{
	running->info.page_tables = root;
	memory_ask(guest);
	return has_bytes(guest, running, head->banner_at, head->banner,
			 head->banner_size) &&
	       has_bytes(guest, running, head->notes_at, head->notes,
			 head->notes_size);
}

/* With page-table isolation the kernel's tables are in front of user mode's. */
static bool is_of(struct linux_guest *guest, struct running *running,
		  const struct cache_head *head, const uint8_t *uuid)
{
	if (memcmp(head->uuid, uuid, KVMI_UUID_SIZE) || !head->banner_size ||
	    running->lstar < head->entry)
		return false;
	running->info.kaslr = running->lstar - head->entry;
	if (running->info.kaslr % KASLR_ALIGN ||
	    running->info.kaslr >= KERNEL_WINDOW_SIZE)
		return false;
	return is_in(guest, running, running->cr3 & ~CR3_USER, head) ||
	       ((running->cr3 & CR3_USER) &&
		is_in(guest, running, running->cr3, head));
}

static int load_body(struct linux_guest *guest, int fd,
		     const struct cache_head *head,
		     const struct profile_info *info)
{
	size_t size = head->body_size;
	uint8_t *body;
	ssize_t got;
	int err;

	if (!size || size > BODY_MAX)
		return -EBADMSG;
	body = malloc(size);
	if (!body)
		return -ENOMEM;
	got = pread(fd, body, size, sizeof(*head));
	if (got < 0 || (size_t)got != size ||
	    crc32_z(0, body, size) != head->body_crc)
		err = -EBADMSG;
	else
		err = profile_load(&guest->profile, body, size, info);
	free(body);
	return err;
}

static int try_file(struct linux_guest *guest, int folder, const char *name,
		    struct running *running, const uint8_t *uuid)
{
	struct cache_head head;
	int err, fd = cache_open_file(folder, name, &head);

	if (fd < 0)
		return fd;
	err = is_of(guest, running, &head, uuid) ?
	      load_body(guest, fd, &head, &running->info) : -ENOENT;
	close(fd);
	return err;
}

static int try_vcpu(struct linux_guest *guest, unsigned int vcpu, int folder,
		    const uint8_t *uuid)
{
	struct running running;
	size_t i, count;
	char **names;
	int err = ask_vcpu(guest, vcpu, &running);

	if (!err)
		err = cache_list(folder, &names, &count);
	if (err)
		return err;
	err = -ENOENT;
	for (i = 0; i < count && i < FILES_MAX && err; i++)
		err = try_file(guest, folder, names[i], &running, uuid);
	cache_free_list(names, count);
	return err;
}

static int get_uuid(struct linux_guest *guest, uint8_t *uuid)
{
	static const uint8_t none[KVMI_UUID_SIZE];
	struct kvmi_identity id = { .size = sizeof(id) };
	int err = kvmi_vm_get_identity(guest->vm, &id);

	memcpy(uuid, id.uuid, KVMI_UUID_SIZE);
	if (!err && !memcmp(uuid, none, sizeof(none)))
		err = -ENOENT;
	return err;
}

int cache_load(struct linux_guest *guest)
{
	struct kvmi_vm_get_info_reply info;
	uint8_t uuid[KVMI_UUID_SIZE];
	unsigned int vcpu;
	int folder, err = get_uuid(guest, uuid);

	if (!err)
		err = kvmi_vm_get_info(guest->vm, &info);
	if (err)
		return err;
	folder = cache_open_folder();
	if (folder < 0)
		return folder;
	err = -ENOENT;
	for (vcpu = 0; vcpu < info.vcpu_count && err; vcpu++)
		err = try_vcpu(guest, vcpu, folder, uuid);
	close(folder);
	return err;
}

static int fill_head(struct linux_guest *guest, struct cache_head *head)
{
	uint64_t notes_end;
	const char *end;
	int err = profile_symbol(guest->profile, "entry_SYSCALL_64",
				 &head->entry);

	if (!err)
		err = profile_symbol(guest->profile, "linux_banner",
				     &head->banner_at);
	if (!err)
		err = profile_symbol(guest->profile, "__start_notes",
				     &head->notes_at);
	if (!err)
		err = profile_symbol(guest->profile, "__stop_notes",
				     &notes_end);
	if (!err && (notes_end < head->notes_at ||
		     notes_end - head->notes_at > NOTES_MAX))
		err = -EBADMSG;
	if (!err)
		err = memory_read(guest, head->banner_at + guest->kaslr,
				  head->banner, sizeof(head->banner));
	if (err)
		return err;
	end = memchr(head->banner, '\0', sizeof(head->banner));
	head->banner_size = end ? (uint32_t)(end - head->banner) : 0;
	memset(head->banner + head->banner_size, 0,
	       sizeof(head->banner) - head->banner_size);
	head->notes_size = (uint32_t)(notes_end - head->notes_at);
	return memory_read(guest, head->notes_at + guest->kaslr, head->notes,
			   head->notes_size);
}

static int write_body(struct linux_guest *guest, struct cache_head *head,
		      char **body)
{
	size_t size;
	FILE *to = open_memstream(body, &size);
	int err;

	if (!to)
		return -ENOMEM;
	err = profile_save(guest->profile, to);
	if (fclose(to) && !err)
		err = -ENOMEM;
	if (!err && size > BODY_MAX)
		err = -EFBIG;
	if (err) {
		free(*body);
		return err;
	}
	head->body_size = size;
	head->body_crc = (uint32_t)crc32_z(0, (uint8_t *)*body, size);
	return 0;
}

static void name_file(const struct cache_head *head, char *name, size_t room)
{
	char uuid[KVMI_UUID_TEXT_SIZE];
	uLong crc = crc32_z(0, (const uint8_t *)head->banner,
			    head->banner_size);

	crc = crc32_z(crc, head->notes, head->notes_size);
	kvmi_uuid_format(head->uuid, uuid);
	snprintf(name, room, "%s-%08lx.profile", uuid, crc);
}

void cache_save(struct linux_guest *guest)
{
	struct cache_head head = { 0 };
	char name[128], *body = NULL;
	int folder;

	if (get_uuid(guest, head.uuid))
		return;
	folder = cache_open_folder();
	if (folder < 0)
		return;
	memory_ask(guest);
	if (!fill_head(guest, &head) && !write_body(guest, &head, &body)) {
		name_file(&head, name, sizeof(name));
		cache_write_file(folder, name, &head, body);
		free(body);
		cache_prune(folder, FILES_MAX);
	}
	close(folder);
}
