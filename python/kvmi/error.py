# SPDX-License-Identifier: LGPL-2.1-or-later
"""Errors: which command, of which vCPU, and why."""

import errno
from typing import Any, Dict, Optional, Type

from ._native import ffi, lib


class KvmiError(OSError):
    """Something failed. errno, of OSError, is the positive number.

    command is the id of the command, or None; vcpu, event and gpa are None if
    it was about none. reason is a sentence for errno alone, str() is about all.
    """

    def __init__(self, err: int, text: str = "", command: Optional[int] = None,
                 vcpu: Optional[int] = None, event: Optional[int] = None,
                 gpa: Optional[int] = None) -> None:
        self.reason = _text(lib.kvmi_strerror(err))
        super().__init__(-err, text or self.reason)
        self.text = text or self.reason
        self.command = command
        self.vcpu = vcpu
        self.event = event
        self.gpa = gpa

    def __str__(self) -> str:
        return self.text

    @property
    def command_name(self) -> Optional[str]:
        """The name of the command, as "vm-read-physical"."""
        if self.command is None:
            return None
        name = lib.kvmi_command_name(self.command)
        return _text(name) if name else None


class TimedOut(KvmiError, TimeoutError):
    """No answer came in time; the session goes on."""


class SessionEnded(KvmiError, ConnectionResetError):
    """The session has ended; VM.end tells how."""


class ProtocolError(KvmiError):
    """The peer broke the protocol; the session has ended."""


class NotAllowed(KvmiError, PermissionError):
    """The VM's owner does not allow it."""


class NotThere(KvmiError, LookupError):
    """There is no memory, or no such thing."""


class Unsupported(KvmiError):
    """The kernel, the processor or the device manager does not have it."""


_CLASSES: Dict[int, Type[KvmiError]] = {
    errno.ETIMEDOUT: TimedOut,
    errno.ECONNRESET: SessionEnded,
    errno.EPROTO: ProtocolError,
    errno.EPERM: NotAllowed,
    errno.ENOENT: NotThere,
    errno.ENOSYS: Unsupported,
    errno.EOPNOTSUPP: Unsupported,
}


def _text(native: Any) -> str:
    return str(ffi.string(native).decode())


def _known(value: int) -> Optional[int]:
    return value if value >= 0 else None


def from_error(error: Any) -> KvmiError:
    """Make an exception of a struct kvmi_error."""
    room = ffi.new("char[]", lib.kvmi_error_format(error, ffi.NULL, 0) + 1)
    lib.kvmi_error_format(error, room, len(room))
    cls = _CLASSES.get(-error.err, KvmiError)
    gpa = None if error.gpa == 2**64 - 1 else int(error.gpa)
    return cls(error.err, _text(room), int(error.command),
               _known(error.vcpu), _known(error.event), gpa)


def new_error() -> Any:
    """Return an empty struct kvmi_error."""
    error = ffi.new("struct kvmi_error *")
    error.size = ffi.sizeof("struct kvmi_error")
    return error


def check(err: int, vm: Any = None) -> int:
    """Raise what a function has returned unless it is 0 or more.

    With the session of the function the exception tells the command.
    """
    if err >= 0:
        return err
    error = new_error()
    if vm is not None and not lib.kvmi_vm_get_error(vm, error) and \
            error.err == err:
        raise from_error(error)
    raise _CLASSES.get(-err, KvmiError)(err)


def milliseconds(timeout: Optional[float]) -> int:
    """Turn seconds, or None, into what the library takes."""
    if timeout is None:
        return -1
    return max(0, min(int(timeout * 1000 + 0.999), 2**31 - 1))
