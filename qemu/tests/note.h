/*
 * One line of what QEMU asks its kernel for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NOTE_H
#define NOTE_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Append to the file FAKE_KVM_LOG, if there is one. */
__attribute__((format(printf, 1, 2)))
static inline void note(const char *fmt, ...)
{
    const char *path = getenv("FAKE_KVM_LOG");
    FILE *f = path ? fopen(path, "ae") : NULL;
    va_list ap;

    if (f) {
        va_start(ap, fmt);
        vfprintf(f, fmt, ap);
        va_end(ap);
        fclose(f);
    }
}

#endif
