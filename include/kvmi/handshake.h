/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR LGPL-2.1+ */
/*
 * KVMI: what QEMU and a tool say to each other before KVM takes the socket.
 *
 * QEMU connects and sends struct kvmi_qemu2introspector at once. The tool
 * answers with struct kvmi_introspector2qemu. Then QEMU gives the socket to
 * KVM and everything that follows is the protocol of linux/kvmi.h: the tool
 * may send its first commands in the same write as its answer.
 *
 * Both structures begin with their whole size in bytes, so that both can grow:
 * a reader uses what it knows and drops the rest. Integers are in host byte
 * order. The forms seen in the field are told apart by size: 96 bytes without
 * max_gpa, 104 with it, more with a tail.
 */
#ifndef _KVMI_HANDSHAKE_H
#define _KVMI_HANDSHAKE_H

#include <linux/types.h>

#define KVMI_HANDSHAKE_NAME_SIZE	64
#define KVMI_HANDSHAKE_HASH_SIZE	20	/* SHA-1 */
#define KVMI_HANDSHAKE_HELLO_MIN	96	/* up to and with the name */
#define KVMI_HANDSHAKE_REPLY_MIN	24
#define KVMI_HANDSHAKE_MAX		65536	/* larger is a protocol error */

struct kvmi_qemu2introspector {
	__u32 struct_size;
	__u8 uuid[16];		/* in text order; zero if the VM has none */
	__u32 padding;
	__s64 start_time;	/* of this run of the guest, s since 1970 */
	char name[KVMI_HANDSHAKE_NAME_SIZE];	/* NUL terminated */
	__u64 max_gpa;		/* end of the highest RAM, bytes */
};

struct kvmi_introspector2qemu {
	__u32 struct_size;
	__u8 cookie_hash[KVMI_HANDSHAKE_HASH_SIZE]; /* SHA-1 of the secret */
};

#endif /* _KVMI_HANDSHAKE_H */
