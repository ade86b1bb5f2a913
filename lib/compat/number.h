/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers: what the old interface and the protocol call the same thing. */
#ifndef KVMI_COMPAT_NUMBER_H
#define KVMI_COMPAT_NUMBER_H

/* Each returns a number of the other side, or -ENOENT. */
int number_of_command(int old);
int number_of_event(int old);
int number_old_event(unsigned int id);

#endif
