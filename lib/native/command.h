/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the functions of all commands share. */
#ifndef KVMI_NATIVE_COMMAND_H
#define KVMI_NATIVE_COMMAND_H

#include "vm.h"

/* Reply data is exactly this, or begins with it on a newer kernel. */
struct answer {
	void *data;
	size_t size;
};

#define NO_ANSWER	((struct answer){ NULL, 0 })
#define ANSWER(p)	((struct answer){ (p), sizeof(*(p)) })

/* Sends @call, of which id and body are filled. A short answer is a breach. */
int command_run(struct kvmi_vm *vm, struct call *call, struct answer answer);

/* An argument that cannot be sent: -EINVAL. @vcpu is -1 for none. */
int command_refuse(struct kvmi_vm *vm, unsigned int id, int vcpu);

#endif
