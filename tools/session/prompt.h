/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a person at a terminal, or of a file; the session is served meanwhile. */
#ifndef KVMI_TOOL_PROMPT_H
#define KVMI_TOOL_PROMPT_H

struct prompt;

/* Returns NULL if there is no memory. */
struct prompt *prompt_open(void);
void prompt_close(struct prompt *prompt);
bool prompt_is_person(const struct prompt *prompt);
/*
 * Waits for the next line. Returns 1 with a line without its end, which is valid
 * until the next call; 0 at the end, -EINTR on a signal, or another error.
 */
int prompt_read(struct prompt *prompt, char **line);

#endif
