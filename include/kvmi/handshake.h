/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR LGPL-2.1+ */
/*
 * KVMI: what QEMU and a tool say to each other before KVM takes the socket.
 *
 * QEMU connects and sends struct kvmi_qemu2introspector at once, the hello. The
 * tool answers with struct kvmi_introspector2qemu. Then QEMU gives the socket
 * to KVM and everything that follows is the protocol of linux/kvmi.h. A tool
 * that has chosen KVMI_FEATURE_READY is told so first, by struct
 * kvmi_handshake_ready, and sends its first command only then; another one may
 * send it in the same write as its answer.
 *
 * All structures begin with their whole size in bytes, so that they can grow:
 * a reader uses what it knows and drops the rest. Integers are in host byte
 * order. The forms of the hello seen in the field are told apart by size: 96
 * bytes without max_gpa, 104 with it, more with a tail.
 *
 * A tail is a sequence of records, each a struct kvmi_handshake_record and its
 * content, filled up with zeros to a multiple of 8 bytes. Of the hello and of
 * the answer it begins with KVMI_RECORD_FEATURES; one that does not is of
 * another origin and dropped. No type comes twice, and unknown ones are
 * skipped. A record that does not end within its message is a protocol error.
 *
 * With a key each side proves that it has it: KVMI_RECORD_PROOF, the last
 * record of the tool's answer and of QEMU's ready, is the HMAC-SHA256, with the
 * bytes of the key, of a label of 16 bytes that tells who speaks, filled up
 * with zeros, and of everything said so far by both from the hello on up to the
 * content of this record. There is a new nonce in each hello and each answer.
 */
#ifndef _KVMI_HANDSHAKE_H
#define _KVMI_HANDSHAKE_H

#include <linux/types.h>

#define KVMI_HANDSHAKE_NAME_SIZE	64
#define KVMI_HANDSHAKE_HASH_SIZE	20	/* SHA-1 */
#define KVMI_HANDSHAKE_HELLO_MIN	96	/* up to and with the name */
#define KVMI_HANDSHAKE_REPLY_MIN	24
#define KVMI_HANDSHAKE_MAX		65536	/* larger is a protocol error */

#define KVMI_HANDSHAKE_NONCE_SIZE	32
#define KVMI_HANDSHAKE_PROOF_SIZE	32	/* HMAC-SHA256 */
#define KVMI_HANDSHAKE_LABEL_SIZE	16
#define KVMI_HANDSHAKE_LABEL_TOOL	"kvmi tool 1"
#define KVMI_HANDSHAKE_LABEL_QEMU	"kvmi qemu 1"
#define KVMI_HANDSHAKE_FDS_MAX		64	/* that come with the ready */

/* Offered by the hello, chosen by the answer, in force by the ready. */
#define KVMI_FEATURE_READY	0x1	/* a ready is sent */
#define KVMI_FEATURE_HMAC	0x2	/* there is a key, to be proved */
#define KVMI_FEATURE_MEMORY	0x4	/* descriptors of the memory */

/* Types of records, with their content and where they are. */
#define KVMI_RECORD_FEATURES	0x4b01	/* kvmi_handshake_features; in both */
#define KVMI_RECORD_E820	0x4b02	/* kvmi_handshake_area[]; the hello */
#define KVMI_RECORD_NONCE	0x4b03	/* 32 bytes; in both */
#define KVMI_RECORD_PROOF	0x4b04	/* 32 bytes; the answer, the ready */
#define KVMI_RECORD_MEMORY	0x4b05	/* kvmi_handshake_range[]; the ready */

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
	/* SHA-1 of the key, of tools that know no HMAC; zero with a proof */
	__u8 cookie_hash[KVMI_HANDSHAKE_HASH_SIZE];
};

struct kvmi_handshake_ready {
	__u32 struct_size;
	__u32 features;		/* in force */
};

struct kvmi_handshake_record {
	__u16 type;
	__u16 padding;
	__u32 size;		/* of the content, bytes, without filling */
};

struct kvmi_handshake_features {
	__u32 features;
	__u32 padding;
};

/* A row of the e820 table that the firmware gives to the guest. */
struct kvmi_handshake_area {
	__u64 gpa;
	__u64 size;		/* bytes */
	__u32 type;		/* 1 RAM, 2 reserved, 3 ACPI, 4 NVS, 5 unusable */
	__u32 padding;
};

/* Guest memory that is in a file whose descriptor comes with the ready. */
struct kvmi_handshake_range {
	__u64 gpa;
	__u64 size;		/* bytes */
	__u64 offset;		/* in the file, bytes */
	__u32 fd;		/* index among the descriptors */
	__u32 padding;
};

#endif /* _KVMI_HANDSHAKE_H */
