/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a profile consists of. */
#ifndef KVMI_PROFILE_INSIDE_H
#define KVMI_PROFILE_INSIDE_H

#include "profile.h"
#include "types.h"

#define BANNER_MAX 512

struct profile {
	struct symbols symbols;	/* without KASLR */
	struct btf *types;	/* or NULL */
	/* As it is in the kernel: with the newline and without the NUL. */
	char banner[BANNER_MAX];
	char first_line[BANNER_MAX];
	struct profile_info info;
};

/*
 * Makes a profile of an image in which the tables have been found. @is_running:
 * it has been moved by KASLR.
 */
int profile_make(struct profile **profile, struct kallsyms *tables,
		 bool is_running);

/* 0, or -errno of the stream. */
int stream_error(FILE *to);

#endif
