/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of the kvmi command, in the order of its help. Each is verb_NAME of
 * cmd-NAME.c; tests/style wants a man page, and a line in kvmi(1), of each.
 */
#ifndef KVMI_TOOL_VERBS_H
#define KVMI_TOOL_VERBS_H

#define VERBS(VERB)	\
	VERB(list)	\
	VERB(info)	\
	VERB(regs)	\
	VERB(read)	\
	VERB(write)	\
	VERB(search)	\
	VERB(translate)	\
	VERB(pause)	\
	VERB(ps)	\
	VERB(modules)	\
	VERB(disas)	\
	VERB(dump)	\
	VERB(protect)	\
	VERB(trace)	\
	VERB(top)	\
	VERB(step)	\
	VERB(gdbserver)	\
	VERB(profile)	\
	VERB(shell)	\
	VERB(doctor)

#endif
