// SPDX-License-Identifier: LGPL-2.1-or-later
/* Errors: from the wire to errno, from errno to words. */
#include <errno.h>

#include "channel.h"

static const struct {
	int err;
	const char *text;
} texts[] = {
	{ 0, "no error" },
	{ EPERM, "the VM's owner does not allow this command or event" },
	{ ENOENT, "no such thing, or no memory at this address" },
	{ ENOSYS, "this kernel does not know the command" },
	{ EOPNOTSUPP, "the kernel, the processor or this system does not support it" },
	{ EINVAL, "an argument is not valid" },
	{ EAGAIN, "nothing to return yet, try again" },
	{ EFAULT, "nothing is mapped at this address, or there is no memory" },
	{ EILSEQ, "the bytes are no instruction that this library knows" },
	{ EALREADY, "this event has its reply" },
	{ EBUSY, "somebody else uses it, or too many are pending" },
	{ ENOMEM, "out of memory, here or in the kernel" },
	{ ETIMEDOUT, "no answer in time; a vCPU may be held up outside the guest" },
	{ ECONNRESET, "the session has ended: the guest powered off, "
	  "the device manager unhooked or the connection died" },
	{ ECONNREFUSED, "the device manager hung up after the handshake: "
	  "wrong key, or KVM refused the hook" },
	{ ENOKEY, "the device manager asks for a key, and none was given" },
	{ EKEYREJECTED, "the device manager does not prove that it has the key: "
	  "it has another or none, or is too old; old_auth does without" },
	{ EPROTO, "the peer broke the protocol" },
	{ EREMOTEIO, "the kernel answered with an error unknown to this library" },
	{ EMSGSIZE, "the answer is larger than expected" },
	{ E2BIG, "the options come from a newer library" },
	{ EADDRINUSE, "the address is in use: another program listens there, "
	  "or the path is no socket" },
	{ ENAMETOOLONG, "the path of a socket has at most 107 bytes" },
	{ EAFNOSUPPORT, "this kernel has no such kind of socket" },
};

const char *kvmi_strerror(int err)
{
	const char *text;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].err == -err)
			return texts[i].text;

	text = strerrordesc_np(-err);
	return text ? text : "an unknown error";
}

int error_from_wire(int32_t err)
{
	switch (-(int64_t)err) {
	case 0:
		return 0;
	case KVM_EPERM:
		return -EPERM;
	case KVM_ENOENT:
		return -ENOENT;
	case KVM_EAGAIN:
		return -EAGAIN;
	case KVM_ENOMEM:
		return -ENOMEM;
	case KVM_EBUSY:
		return -EBUSY;
	case KVM_EINVAL:
		return -EINVAL;
	case KVM_EOPNOTSUPP:
		return -EOPNOTSUPP;
	case KVM_ENOSYS:
		return -ENOSYS;
	default:
		return err < 0 ? -EREMOTEIO : -EPROTO;
	}
}
