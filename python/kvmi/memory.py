# SPDX-License-Identifier: LGPL-2.1-or-later
"""Memory of a guest, by guest physical addresses."""

from typing import Any, Iterable, List, Optional, Tuple

from ._native import ffi, lib
from ._table import Access
from .error import check

PAGE_SIZE = 4096


class Memory:
    """The memory of a VM: vm.memory."""

    def __init__(self, vm: Any) -> None:
        self._vm = vm

    def read(self, gpa: int, size: int) -> bytes:
        """Read any number of bytes; not one atomic read.

        Raises NotThere if there is no memory at some of them.
        """
        data = bytearray(size)
        self._vm.check(lib.kvmi_vm_read_physical(
            self._vm.native, gpa, ffi.from_buffer(data), size))
        return bytes(data)

    def write(self, gpa: int, data: bytes) -> None:
        """Write any number of bytes."""
        self._vm.check(lib.kvmi_vm_write_physical(
            self._vm.native, gpa, ffi.from_buffer(data), len(data)))

    def read_ranges(self, ranges: Iterable[Tuple[int, int]]
                    ) -> List[Optional[bytes]]:
        """Read many ranges, each an address and a size, at a time.

        Returns the bytes of each, or None where there is no memory.
        """
        wanted = list(ranges)
        data = [bytearray(size) for _, size in wanted]
        rows = ffi.new("struct kvmi_range[]", len(wanted))
        alive = [ffi.from_buffer(room) for room in data]
        for row, (gpa, size), room in zip(rows, wanted, alive):
            row.gpa, row.size, row.data = gpa, size, room
        self._vm.check(lib.kvmi_vm_readv_physical(self._vm.native, rows,
                                                  len(wanted)))
        return [None if row.err else bytes(room)
                for row, room in zip(rows, data)]

    def write_ranges(self, ranges: Iterable[Tuple[int, bytes]]) -> List[bool]:
        """Write many ranges, each an address and bytes, at a time.

        Returns for each whether all of it was memory.
        """
        wanted = list(ranges)
        rows = ffi.new("struct kvmi_range[]", len(wanted))
        alive = [ffi.from_buffer(data) for _, data in wanted]
        for row, (gpa, data), room in zip(rows, wanted, alive):
            row.gpa, row.size, row.data = gpa, len(data), room
        self._vm.check(lib.kvmi_vm_writev_physical(self._vm.native, rows,
                                                   len(wanted)))
        return [not row.err for row in rows]

    def read_pages(self, gpa: int, count: int) -> List[Optional[bytes]]:
        """Read whole pages; None is one that does not exist."""
        data = bytearray(count * PAGE_SIZE)
        status = ffi.new("int[]", count)
        self._vm.check(lib.kvmi_vm_read_pages(
            self._vm.native, gpa, ffi.from_buffer(data), count, status))
        return [None if status[i] else
                bytes(data[i * PAGE_SIZE:(i + 1) * PAGE_SIZE])
                for i in range(count)]

    def map(self, gpa: int, size: int) -> memoryview:
        """Return guest memory itself, which can change at any time.

        The device manager must share it, and the options ask for it. The view
        is read-only, and must not be used when the VM is closed.
        """
        out = ffi.new("const void **")
        check(lib.kvmi_vm_map_physical(self._vm.native, gpa, size, out))
        return memoryview(ffi.buffer(out[0], size)).toreadonly()

    def max_gfn(self) -> int:
        """Return one past the highest guest frame of writable memory."""
        out = ffi.new("uint64_t *")
        self._vm.check(lib.kvmi_vm_get_max_gfn(self._vm.native, out))
        return int(out[0])

    def set_access(self, pages: Iterable[Tuple[int, Access]]) -> None:
        """Set what all vCPUs may do with pages, each an address and rights.

        Of more than 511 pages some are set when a later one fails.
        """
        wanted = list(pages)
        for at in range(0, len(wanted), lib.KVMI_PAGES_MAX):
            part = wanted[at:at + lib.KVMI_PAGES_MAX]
            rows = ffi.new("struct kvmi_page_access_entry[]", len(part))
            for row, (gpa, access) in zip(rows, part):
                row.gpa, row.access = gpa, access
            self._vm.check(lib.kvmi_vm_set_page_access(self._vm.native, rows,
                                                       len(part)))
