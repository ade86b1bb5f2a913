# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sessions in asyncio: no thread, one descriptor.

    async with kvmi.aio.Session(vm) as session:
        replies = await asyncio.gather(*(session.vcpu_command(
            kvmi.Command.VCPU_GET_INFO, i) for i in range(vm.vcpu_count())))
        async for event in session.events():
            with event:
                ...

Replies to events, and the methods of VM, are short but not asynchronous: they
wait for the kernel, and the loop for them.
"""

import asyncio
import struct
from typing import AsyncIterator, Dict, Optional

from ._table import Command
from .error import KvmiError, SessionEnded
from .event import Event
from .listener import Listener
from .memory import PAGE_SIZE
from .vm import VM


async def accept(listener: Listener, wanted: Optional[str] = None) -> VM:
    """Wait for a VM; with asyncio.wait_for() not longer than that."""
    loop = asyncio.get_running_loop()
    while True:
        ready = asyncio.Event()
        loop.add_reader(listener.fileno(), ready.set)
        try:
            # What does not come in time is found by looking.
            await asyncio.wait_for(ready.wait(), 1)
        except asyncio.TimeoutError:
            pass
        finally:
            loop.remove_reader(listener.fileno())
        try:
            return listener.accept(wanted, 0)
        except TimeoutError:
            continue


class Session:
    """A VM whose descriptor the running loop polls. The VM stays open."""

    def __init__(self, vm: VM) -> None:
        self.vm = vm
        self._waiting: Dict[int, "asyncio.Future[bytes]"] = {}
        self._events: "asyncio.Queue[Optional[Event]]" = asyncio.Queue()
        self._end: Optional[KvmiError] = None

    async def __aenter__(self) -> "Session":
        loop = asyncio.get_running_loop()
        loop.add_reader(self.vm.fileno(), self._pump)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leave()
        for future in self._waiting.values():
            future.cancel()
        self._waiting.clear()

    def _leave(self) -> None:
        asyncio.get_running_loop().remove_reader(self.vm.fileno())

    def _take_replies(self) -> None:
        while True:
            reply = self.vm.next_reply(0)
            if reply is None:
                return
            future = self._waiting.pop(reply.seq, None)
            if future is None or future.done():
                continue
            try:
                future.set_result(reply.data())
            except KvmiError as error:
                future.set_exception(error)

    def _take_events(self) -> None:
        while True:
            event = self.vm.next_event(0)
            if event is None:
                return
            self._events.put_nowait(event)

    def _pump(self) -> None:
        try:
            self.vm.pump()
            self._take_events()
        except KvmiError as error:
            self._end = error
        try:
            self._take_replies()
        except KvmiError as error:
            self._end = error
        if self._end:
            self._leave()
            self._events.put_nowait(None)

    async def command(self, command: int, request: bytes = b"") -> bytes:
        """Send any command and return what the kernel answers."""
        future: "asyncio.Future[bytes]" = \
            asyncio.get_running_loop().create_future()
        self._waiting[self.vm.submit(command, request)] = future
        return await future

    async def vcpu_command(self, command: int, vcpu: int,
                           request: bytes = b"") -> bytes:
        """Send any command to a vCPU."""
        return await self.command(command, struct.pack("<H6x", vcpu) + request)

    async def read(self, gpa: int, size: int) -> bytes:
        """Read guest memory, its pages at a time."""
        parts = []
        while size:
            part = min(size, PAGE_SIZE - gpa % PAGE_SIZE)
            parts.append(self.command(Command.VM_READ_PHYSICAL,
                                      struct.pack("<QH6x", gpa, part)))
            gpa, size = gpa + part, size - part
        return b"".join(await asyncio.gather(*parts))

    async def next_event(self) -> Event:
        """Wait for an event. Raises SessionEnded, or what ended it."""
        event = await self._events.get()
        if event is None:
            self._events.put_nowait(None)
            assert self._end
            raise self._end
        return event

    async def events(self) -> AsyncIterator[Event]:
        """Iterate over events until the session ends."""
        while True:
            try:
                event = await self.next_event()
            except SessionEnded:
                return
            yield event
