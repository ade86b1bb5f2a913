/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Profiles of the kernels that VMs ran before. To make one takes seconds, to
 * take it back and to see that it is of the kernel that runs now, hardly
 * anything: the kernel lies where its system-call entry says, its banner and its
 * build id are where they were linked to.
 *
 * What a profile says came from the memory of a guest, which may have lied. So it
 * is used for the VM with the same UUID only, and a VM without has no cache.
 */
#ifndef KVMI_LINUX_CACHE_H
#define KVMI_LINUX_CACHE_H

#include <stdio.h>

#include "within.h"

#define NOTES_MAX	4096
#define BANNER_ROOM	512

/* What a file begins with. */
struct cache_head {
	char magic[8];
	uint8_t uuid[KVMI_UUID_SIZE];
	/* As linked. */
	uint64_t entry, banner_at, notes_at;
	uint32_t banner_size, notes_size;
	char banner[BANNER_ROOM];
	uint8_t notes[NOTES_MAX];
	uint64_t body_size;	/* of the profile that follows */
	uint32_t body_crc;
	uint32_t unused;
};

/* Takes the guest's profile from the cache. Returns 0, or why it is not there. */
int cache_load(struct linux_guest *guest);
/* Puts it there if that is possible. */
void cache_save(struct linux_guest *guest);

/* cache-file.c: opens the folder. Returns it, or -errno: no cache. */
int cache_open_folder(void);
/* The names of its files, newest first; free() each and the list. */
int cache_list(int folder, char ***names, size_t *count);
void cache_free_list(char **names, size_t count);
/* Reads a head. Returns the file, for the rest, or -errno. */
int cache_open_file(int folder, const char *name, struct cache_head *head);
/* Makes a file of a head and what follows; it is there as a whole or not. */
int cache_write_file(int folder, const char *name,
		     const struct cache_head *head, const void *body);
/* Removes the oldest files, but for so many. */
void cache_prune(int folder, size_t keep);

#endif
