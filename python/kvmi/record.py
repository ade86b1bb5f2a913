# SPDX-License-Identifier: LGPL-2.1-or-later
"""Structures of C as objects of Python."""

from dataclasses import asdict, fields
from typing import Any, Dict, Type, TypeVar, get_type_hints

R = TypeVar("R", bound="Record")


def _value(hint: Any, native: Any) -> Any:
    if isinstance(native, int):
        return native
    if isinstance(hint, type) and issubclass(hint, Record):
        return hint.from_native(native)
    return tuple(native)


class Record:
    """What the generated classes have in common."""

    @classmethod
    def from_native(cls: Type[R], native: Any) -> R:
        """Copy a structure."""
        hints = get_type_hints(cls)
        return cls(*(_value(hints[f.name], getattr(native, f.name))
                     for f in fields(cls)))

    def to_dict(self) -> Dict[str, Any]:
        """Return the members by their names, those of members as well."""
        return asdict(self)
