# SPDX-License-Identifier: LGPL-2.1-or-later
"""Replies to commands that were submitted."""

from typing import Any

from ._native import ffi, lib
from .error import from_error, new_error


class Reply:
    """The answer to a command that was submitted."""

    def __init__(self, native: Any) -> None:
        self._native = ffi.gc(native, lib.kvmi_reply_free)
        self.seq = int(lib.kvmi_reply_get_seq(native))

    def data(self) -> bytes:
        """Return what the kernel answered, or raise what it refused with."""
        error = new_error()
        if lib.kvmi_reply_get_error(self._native, error):
            raise from_error(error)
        size = ffi.new("size_t *")
        data = lib.kvmi_reply_get_data(self._native, size)
        return bytes(ffi.buffer(data, size[0]))
