/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What kvmi profile is asked to write and to show. */
#ifndef KVMI_TOOL_WISH_H
#define KVMI_TOOL_WISH_H

#include <profile.h>

#include "kvmi.h"

struct wish {
	const char *image;	/* NULL: the guest's memory */
	const char *map, *isf, *conf;	/* files to write, NULL, "-" */
	const char *name;	/* of the VM in libvmi.conf, NULL: its own */
	bool with_kaslr;
	char own_name[KVMI_NAME_SIZE];
};

bool wish_is_stdout(const char *path);
/* Shows the profile and writes the files. Complains; returns the exit status. */
int wish_fulfil(const struct wish *wish, const struct profile *profile,
		bool is_json);

/* profile-show.c: for people and for programs. */
void profile_show(const struct profile *profile, FILE *to);
void profile_show_json(const struct profile *profile, FILE *to);

#endif
