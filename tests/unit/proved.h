/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors that a test has got, written down for tests/unit/errors. */
#ifndef KVMI_TEST_PROVED_H
#define KVMI_TEST_PROVED_H

/*
 * One line each: the function's name and that of the error, negative or not.
 * @variable:	of the environment, the name of the file; unset: nothing is done
 * @word:	"" or "excuse "
 * @call:	begins with the function; what is not of the library is left out
 */
void proved_write(const char *variable, const char *word, const char *call,
		  int err);

#endif
