# SPDX-License-Identifier: LGPL-2.1-or-later
"""VMs: sessions with the kernel."""

import errno
import os
import warnings
from typing import TYPE_CHECKING, Any, Iterator, List, Optional

from ._native import ffi, lib
from ._table import Command, End, EventKind, Version
from .error import KvmiError, NotAllowed, SessionEnded, check, milliseconds
from .event import Event
from .identity import Identity, MemoryArea, new_identity
from .memory import Memory
from .reply import Reply
from .vcpu import Vcpu

if TYPE_CHECKING:
    from .listener import Options


class VM:
    """A session about one VM, from Listener.accept() or VM.from_socket().

    Several threads can use it, but close() must be the last call. At the end of
    a with statement it is closed: KVM takes back what was set up, and the guest
    goes on.
    """

    def __init__(self, native: Any, alive: List[Any]) -> None:
        self._native = native
        self._alive = alive
        self.identity = self._identity()
        self.memory = Memory(self)

    @classmethod
    def from_socket(cls, sock: Any,
                    options: Optional["Options"] = None) -> "VM":
        """Make a session of a connected socket, which stays the caller's."""
        # pylint: disable=import-outside-toplevel,cyclic-import
        from .listener import Options
        native, alive = (options or Options()).to_native()
        out = ffi.new("struct kvmi_vm **")
        fd = os.dup(sock.fileno())
        err = lib.kvmi_vm_open_fd(out, fd, native)
        if err:
            os.close(fd)
        check(err)
        return cls(out[0], alive)

    def __enter__(self) -> "VM":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if self._native != ffi.NULL:
            warnings.warn(f"{self!r} was not closed", ResourceWarning)
            self.close()

    def __repr__(self) -> str:
        return f"<VM {self.identity.uuid} ({self.identity.name})>"

    @property
    def native(self) -> Any:
        """The handle of the library."""
        if self._native == ffi.NULL:
            raise ValueError("the session is closed")
        return self._native

    def check(self, err: int) -> int:
        """Raise what a function of this session has returned."""
        return check(err, self.native)

    def close(self) -> None:
        """End the session and free it. A second call does nothing."""
        native, self._native = self._native, ffi.NULL
        lib.kvmi_vm_close(native)

    def shutdown(self) -> None:
        """End the session for all threads, but keep the handle."""
        lib.kvmi_vm_shutdown(self.native)

    @property
    def end(self) -> End:
        """How the session ended, or End.NONE."""
        return End(lib.kvmi_vm_get_end(self.native))

    @property
    def is_unhooking(self) -> bool:
        """Whether the device manager has asked to leave."""
        return bool(lib.kvmi_vm_is_unhooking(self.native))

    def _identity(self) -> Identity:
        native = new_identity()
        check(lib.kvmi_vm_get_identity(self.native, native))
        return Identity.from_native(native)

    @property
    def is_authenticated(self) -> bool:
        """Whether both sides have proved that they have the key."""
        return bool(lib.kvmi_vm_is_authenticated(self.native))

    @property
    def session_time(self) -> int:
        """Since when the session exists, seconds since 1970."""
        return int(lib.kvmi_vm_get_session_time(self.native))

    def areas(self) -> List[MemoryArea]:
        """Return the guest's e820 table, if the device manager tells it."""
        native = ffi.new("struct kvmi_memory_area *")
        native.size = ffi.sizeof("struct kvmi_memory_area")
        found: List[MemoryArea] = []
        while not lib.kvmi_vm_get_memory_area(self.native, len(found), native):
            found.append(MemoryArea(int(native.gpa), int(native.length),
                                    int(native.type)))
        return found

    def set_timeout(self, timeout: Optional[float]) -> None:
        """Set how long later commands wait for their answer."""
        lib.kvmi_vm_set_timeout(self.native, milliseconds(timeout) or 1)

    def version(self) -> Version:
        """Ask for the protocol version and the features of the kernel."""
        out = ffi.new("struct kvmi_get_version_reply *")
        self.check(lib.kvmi_get_version(self.native, out))
        return Version.from_native(out)

    def vcpu_count(self) -> int:
        """Return the number of online vCPUs."""
        out = ffi.new("struct kvmi_vm_get_info_reply *")
        self.check(lib.kvmi_vm_get_info(self.native, out))
        return int(out.vcpu_count)

    def vcpu(self, index: int) -> Vcpu:
        """Return a vCPU, without asking whether it is there."""
        return Vcpu(self, index)

    def vcpus(self) -> List[Vcpu]:
        """Return all that are online."""
        return [Vcpu(self, i) for i in range(self.vcpu_count())]

    def _allows(self, err: int) -> bool:
        try:
            self.check(err)
        except NotAllowed:
            return False
        except KvmiError as error:
            if error.errno != errno.ENOENT:
                raise
            return False
        return True

    def allows_command(self, command: Command) -> bool:
        """Tell whether a command is known and allowed."""
        return self._allows(lib.kvmi_vm_check_command(self.native, command))

    def allows_event(self, event: EventKind) -> bool:
        """Tell whether an event is known and allowed."""
        return self._allows(lib.kvmi_vm_check_event(self.native, event))

    def control_event(self, event: EventKind, enable: bool = True) -> None:
        """Switch an event of the VM, EventKind.UNHOOK, on or off."""
        self.check(lib.kvmi_vm_control_events(self.native, event, enable))

    def control_cleanup(self, enable: bool) -> None:
        """Tell whether KVM restores the interceptions at the end."""
        self.check(lib.kvmi_vm_control_cleanup(self.native, enable))

    def command(self, command: int, request: bytes = b"") -> bytes:
        """Send any command and return what the kernel answers."""
        room = bytearray(lib.KVMI_MSG_SIZE)
        size = ffi.new("size_t *", len(room))
        self.check(lib.kvmi_vm_command(self.native, command, request,
                                       len(request), ffi.from_buffer(room),
                                       size))
        return bytes(room[:size[0]])

    def submit(self, command: int, request: bytes = b"") -> int:
        """Send any command and do not wait; return its number."""
        seq = ffi.new("uint32_t *")
        self.check(lib.kvmi_vm_submit(self.native, command, request,
                                      len(request), seq))
        return int(seq[0])

    def next_reply(self, timeout: Optional[float] = None) -> Optional[Reply]:
        """Take the next reply to what was submitted; None: none in time."""
        out = ffi.new("struct kvmi_reply **")
        err = lib.kvmi_vm_next_reply(self.native, milliseconds(timeout), out)
        if err in (-errno.EAGAIN, -errno.ETIMEDOUT):
            return None
        check(err)
        return Reply(out[0])

    def next_event(self, timeout: Optional[float] = None) -> Optional[Event]:
        """Take the next event; None: none in time."""
        out = ffi.new("struct kvmi_event **")
        err = lib.kvmi_vm_next_event(self.native, milliseconds(timeout), out)
        if err in (-errno.EAGAIN, -errno.ETIMEDOUT):
            return None
        check(err)
        return Event(self, out[0])

    def events(self, timeout: Optional[float] = None) -> Iterator[Event]:
        """Iterate over events, until none comes in time or the session ends.

        Each is one to answer: "for event in vm.events(): with event: ...".
        """
        while True:
            try:
                event = self.next_event(timeout)
            except SessionEnded:
                return
            if event is None:
                return
            yield event

    def __iter__(self) -> Iterator[Event]:
        return self.events()

    def fileno(self) -> int:
        """Return a descriptor that is readable when pump() has work."""
        return int(lib.kvmi_vm_get_fd(self.native))

    def pump(self) -> int:
        """Send and receive without waiting.

        Returns what is there to be taken with timeout 0: KVMI_PUMP_EVENT (1),
        KVMI_PUMP_REPLY (2) or both. Raises SessionEnded when nothing is left.
        """
        return check(lib.kvmi_vm_pump(self.native))
