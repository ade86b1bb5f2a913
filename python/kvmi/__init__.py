# SPDX-License-Identifier: LGPL-2.1-or-later
"""Introspect the virtual machines of KVM.

A program listens, VMs come, and each is a session with the kernel:

    with kvmi.Listener("/run/kvmi/kvmi.sock") as listener:
        with listener.accept(timeout=30) as vm:
            print(vm.identity.name, vm.memory.read(0x1000, 16).hex())

Addresses are guest physical and in bytes, times in seconds, None meaning
without limit. What fails raises KvmiError, which tells the command, the vCPU
and why. Functions that wait let other threads run; several threads can use one
VM. kvmi.aio is for asyncio.
"""

from ._table import (Access, Action, AreaType, Command, Cpuid, Descriptor,
                     DescriptorTable, End, EndData, EventKind, EventMsrs,
                     LogLevel, OwnEvent, Registers, ReturnData, Run, Segment,
                     Share, SystemRegisters, Version)
from .error import (KvmiError, NotAllowed, NotThere, ProtocolError,
                    SessionEnded, TimedOut, Unsupported)
from .event import Event
from .identity import Identity, MemoryArea
from .listener import Listener, Options, library_version
from .memory import Memory
from .reply import Reply
from .vcpu import Vcpu
from .vm import VM

__all__ = [
    "Access", "Action", "AreaType", "Command", "Cpuid", "Descriptor",
    "DescriptorTable", "End", "EndData", "Event", "EventKind", "EventMsrs",
    "Identity", "KvmiError", "Listener", "LogLevel", "Memory", "MemoryArea",
    "NotAllowed", "NotThere", "Options", "OwnEvent", "ProtocolError",
    "Registers", "Reply", "ReturnData", "Run", "Segment", "SessionEnded",
    "Share", "SystemRegisters", "TimedOut", "Unsupported", "VM", "Vcpu",
    "Version", "library_version",
]
