# SPDX-License-Identifier: LGPL-2.1-or-later
"""Events that the kernel reports."""

from typing import Any, Optional, Union

from ._native import ffi, lib
from ._table import (EVENT_DATA, Action, EventKind, EventMsrs, OwnEvent,
                     Registers, SystemRegisters)
from .error import SessionEnded
from .record import Record


class Event:
    """An event. Its vCPU waits for the reply.

    In a with statement an event that has got no reply is resumed at the end,
    also if an exception was raised: the guest must not stand still for that.
    """

    def __init__(self, vm: Any, native: Any) -> None:
        self._vm = vm
        self._native = ffi.gc(native, lib.kvmi_event_free)
        self._state = lib.kvmi_event_get_state(native)
        self.id = int(lib.kvmi_event_get_id(native))
        self.seq = int(lib.kvmi_event_get_seq(native))
        self.is_answered = self._state == ffi.NULL

    def __repr__(self) -> str:
        return f"<event {self.seq}: {self.name} of vCPU {self.vcpu}>"

    def __enter__(self) -> "Event":
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_answered:
            return
        try:
            self.resume()
        except SessionEnded:
            # The vCPU went on then.
            pass

    @property
    def kind(self) -> Union[EventKind, OwnEvent]:
        """Which event it is. ValueError: one of a newer kernel."""
        if self.id in (OwnEvent.RETURN, OwnEvent.END):
            return OwnEvent(self.id)
        return EventKind(self.id)

    @property
    def name(self) -> str:
        """The name, as "unhook", or the number of an unknown one."""
        name = lib.kvmi_event_name(self.id)
        return str(ffi.string(name).decode() if name else self.id)

    @property
    def vcpu(self) -> Optional[int]:
        """The index of its vCPU; None: it is about the VM."""
        return None if self._state == ffi.NULL else int(self._state.vcpu)

    def _arch(self) -> Any:
        if self._state == ffi.NULL:
            raise ValueError("an event of the VM has no registers")
        return self._state.arch

    @property
    def mode(self) -> int:
        """Bytes of an address of its vCPU: 2, 4 or 8."""
        return int(self._arch().mode)

    @property
    def regs(self) -> Registers:
        """A copy of the general registers; set them by Vcpu."""
        return Registers.from_native(self._arch().regs)

    @property
    def sregs(self) -> SystemRegisters:
        """The segments, control registers and tables."""
        return SystemRegisters.from_native(self._arch().sregs)

    @property
    def msrs(self) -> EventMsrs:
        """Some MSRs, by their names."""
        return EventMsrs.from_native(self._arch().msrs)

    @property
    def data(self) -> Optional[Record]:
        """What is special about it, as CrData; None: nothing is known."""
        if self.id not in EVENT_DATA:
            return None
        struct, cls = EVENT_DATA[self.id]
        size = ffi.new("size_t *")
        data = lib.kvmi_event_get_data(self._native, size)
        return cls.from_native(ffi.cast(f"{struct} *", data))

    def raw(self) -> bytes:
        """Return the data as bytes."""
        size = ffi.new("size_t *")
        data = lib.kvmi_event_get_data(self._native, size)
        return bytes(ffi.buffer(data, size[0]))

    def _replied(self, err: int) -> None:
        self._vm.check(err)
        self.is_answered = True

    def reply(self, action: Action, data: bytes = b"") -> None:
        """Answer it. The guest goes on."""
        self._replied(lib.kvmi_event_reply(
            self._vm.native, self._native, action, data, len(data)))

    def resume(self) -> None:
        """Let what the guest was about to do happen."""
        if self.id in (EventKind.CR, EventKind.MSR):
            self.reply_value(self.data.new_value)  # type: ignore[union-attr]
        else:
            self.reply(Action.CONTINUE)

    def reply_value(self, value: int) -> None:
        """Answer a write of a control register or an MSR: what is written."""
        function = lib.kvmi_event_reply_msr if self.id == EventKind.MSR else \
            lib.kvmi_event_reply_cr
        self._replied(function(self._vm.native, self._native, value))

    def skip(self) -> None:
        """Deny it: the guest goes on behind the instruction."""
        self._replied(lib.kvmi_event_reply_skip(self._vm.native,
                                                self._native))

    def instruction(self) -> bytes:
        """Read the instruction at rip."""
        code = ffi.new("uint8_t[]", lib.KVMI_INSTRUCTION_MAX)
        size = self._vm.check(lib.kvmi_event_read_instruction(
            self._vm.native, self._native, code))
        return bytes(ffi.buffer(code, size))
