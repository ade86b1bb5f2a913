/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the emulator of this host cannot do, although its processor says so.
 */
#ifndef TESTS_LIB_EMULATOR_H
#define TESTS_LIB_EMULATOR_H

#include <stdbool.h>

/* QEMU's TCG: its SVM has no intercept of task switches. */
bool emulator_is_tcg(void);
/*
 * Bochs with SVM: a guest's triple fault ends Bochs, as does the trap of its
 * trap flag, EXITINTINFO does not tell of a software interrupt, and VMRUN leaves
 * the host's CR2 to the guest.
 */
bool emulator_is_bochs_svm(void);

#endif /* TESTS_LIB_EMULATOR_H */
