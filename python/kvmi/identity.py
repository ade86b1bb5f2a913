# SPDX-License-Identifier: LGPL-2.1-or-later
"""Identities: which VM this is, and which run of its guest."""

import uuid as _uuid
from dataclasses import dataclass
from typing import Any

from ._native import ffi, lib
from ._table import AreaType, Run


@dataclass(frozen=True)
class Identity:
    """What a device manager says about its VM."""

    uuid: _uuid.UUID
    name: str
    start_time: int
    """Start of the guest's run, seconds since 1970; 0: unknown."""
    max_gpa: int
    """End of the highest RAM, bytes; 0: unknown."""

    @classmethod
    def from_native(cls, native: Any) -> "Identity":
        """Copy a struct kvmi_identity."""
        return cls(_uuid.UUID(bytes=bytes(native.uuid)),
                   ffi.string(native.name).decode(errors="replace"),
                   int(native.start_time), int(native.max_gpa))

    def to_native(self) -> Any:
        """Return a new struct kvmi_identity."""
        native = new_identity()
        native.uuid = self.uuid.bytes
        native.name = self.name.encode()[:63]
        native.start_time = self.start_time
        native.max_gpa = self.max_gpa
        return native

    def compare(self, now: "Identity") -> Run:
        """Tell what has become of this VM, which has come again as now.

        Run.NEWER after a reset: what was known of the guest is void. Run.SAME
        after a migration or a stop. Run.SAME or Run.OLDER with a snapshot that
        was loaded.
        """
        return Run(lib.kvmi_identity_compare(self.to_native(),
                                             now.to_native()))


@dataclass(frozen=True)
class MemoryArea:
    """A row of the guest's e820 table."""

    gpa: int
    length: int
    type: int
    """AreaType, or another number."""

    @property
    def is_ram(self) -> bool:
        """Whether it is plain memory."""
        return self.type == AreaType.RAM


def new_identity() -> Any:
    """Return an empty struct kvmi_identity."""
    native = ffi.new("struct kvmi_identity *")
    native.size = ffi.sizeof("struct kvmi_identity")
    return native
