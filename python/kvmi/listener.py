# SPDX-License-Identifier: LGPL-2.1-or-later
"""Listeners: sockets to which the device managers of VMs connect."""

import errno
import os
import traceback
import warnings
from dataclasses import dataclass
from typing import Any, Callable, List, Optional, Tuple, Union

from ._native import ffi, lib
from ._table import LogLevel, Share
from .error import TimedOut, check, milliseconds
from .identity import Identity, new_identity
from .vm import VM

LogFunction = Callable[[LogLevel, str], None]
HelloFunction = Callable[[Identity], bool]


def library_version() -> str:
    """Return the version of the library, as "0.1.0"."""
    return str(ffi.string(lib.kvmi_library_version()).decode())


@dataclass
class Options:
    """Options of a listener and its sessions. Times are in seconds.

    log gets each line of the library's log; it must not use this package. hello
    judges a VM before it is hooked; False hangs up. An exception in either is
    printed, as nobody could catch it, and hello has then said False. own_events
    adds those of OwnEvent: END is the last one of a session, RETURN the first
    one of a session of a VM that the listener has had before.
    """

    key: Optional[bytes] = None
    log: Optional[LogFunction] = None
    hello: Optional[HelloFunction] = None
    backlog: int = 16
    socket_mode: int = 0o600
    handshake_timeout: float = 10
    command_timeout: float = 15
    settle_time: float = 1
    old_auth: bool = False
    share_memory: Share = Share.NO
    own_events: bool = False

    def to_native(self) -> Tuple[Any, List[Any]]:
        """Return a struct kvmi_options and what must live as long."""
        native = ffi.new("struct kvmi_options *")
        handle = ffi.new_handle(self)
        alive = [native, handle]
        native.size = ffi.sizeof("struct kvmi_options")
        if self.key is not None:
            alive.append(ffi.new("char[]", self.key))
            native.key = alive[-1]
            native.key_size = len(self.key)
        if self.log:
            native.log = lib.kvmi_python_log
            native.log_data = handle
        if self.hello:
            native.hello = lib.kvmi_python_hello
            native.hello_data = handle
        native.backlog = self.backlog
        native.socket_mode = self.socket_mode
        # 0 would be the default of the library.
        native.handshake_timeout = milliseconds(self.handshake_timeout) or 1
        native.command_timeout = milliseconds(self.command_timeout) or 1
        native.settle_time = milliseconds(self.settle_time) or -1
        native.old_auth = self.old_auth
        native.share_memory = self.share_memory
        native.own_events = self.own_events
        return native, alive


@ffi.def_extern()  # type: ignore[misc]
def kvmi_python_log(data: Any, level: int, text: Any) -> None:
    """Hand a line to the program."""
    try:
        options: Options = ffi.from_handle(data)
        if options.log:
            options.log(LogLevel(level), ffi.string(text).decode())
    except Exception:  # pylint: disable=broad-except
        traceback.print_exc()


@ffi.def_extern(error=-errno.EACCES)  # type: ignore[misc]
def kvmi_python_hello(data: Any, native: Any, _hash: Any) -> int:
    """Ask the program."""
    options: Options = ffi.from_handle(data)
    if options.hello and options.hello(Identity.from_native(native)):
        return 0
    return -errno.EACCES


class Listener:
    """A socket that the device managers of VMs connect to.

    address is the path of a UNIX socket, the number of a vsock port, or an
    object with fileno() that listens already and is taken over, as a service
    manager hands out. A listener belongs to one thread at a time. Sessions that
    were accepted outlive it.
    """

    def __init__(self, address: Union[str, "os.PathLike[str]", int, Any],
                 options: Optional[Options] = None) -> None:
        self._native: Any = ffi.NULL
        native, self._alive = (options or Options()).to_native()
        out = ffi.new("struct kvmi_listener **")
        if isinstance(address, int):
            check(lib.kvmi_listener_open_vsock(out, address, native))
        elif hasattr(address, "fileno"):
            check(self._open_fd(out, address.fileno(), native))
        else:
            check(lib.kvmi_listener_open_unix(out, os.fsencode(address),
                                              native))
        self._native = out[0]

    @staticmethod
    def _open_fd(out: Any, fd: int, native: Any) -> int:
        own = os.dup(fd)
        err = lib.kvmi_listener_open_fd(out, own, native)
        if err:
            os.close(own)
        return int(err)

    def __del__(self) -> None:
        if self._native != ffi.NULL:
            warnings.warn("a listener was not closed", ResourceWarning)
            self.close()

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def native(self) -> Any:
        """The handle of the library."""
        if self._native == ffi.NULL:
            raise ValueError("the listener is closed")
        return self._native

    def fileno(self) -> int:
        """Return a descriptor that is readable when accept() has work."""
        return int(lib.kvmi_listener_get_fd(self.native))

    def accept(self, wanted: Optional[str] = None,
               timeout: Optional[float] = None) -> VM:
        """Wait for a VM and begin a session.

        wanted is its name or UUID, None for whichever comes first; the others
        stay parked. Raises TimedOut if none came, also with timeout 0.
        """
        out = ffi.new("struct kvmi_vm **")
        err = lib.kvmi_listener_accept(self.native,
                                       wanted.encode() if wanted else ffi.NULL,
                                       milliseconds(timeout), out)
        if err == -errno.EAGAIN:
            raise TimedOut(-errno.ETIMEDOUT, "no such VM has come")
        check(err)
        return VM(out[0], self._alive)

    def parked(self) -> List[Identity]:
        """Return the VMs that have come and wait to be accepted."""
        found: List[Identity] = []
        native = new_identity()
        while not lib.kvmi_listener_get_parked(self.native, len(found),
                                               native):
            found.append(Identity.from_native(native))
        return found

    def close(self) -> None:
        """Stop listening. A second call does nothing."""
        native, self._native = self._native, ffi.NULL
        lib.kvmi_listener_close(native)
