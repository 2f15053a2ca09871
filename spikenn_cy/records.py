"""The frozen record every setting is read into, so that a misspelt key or a wrong type never passes in silence."""

import math
from collections.abc import Iterator
from typing import Any

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all settings: immutable, keyword-only, unknown keys refused, numbers finite.

    A subclass states its rules in ``check`` with ``self.rule`` and its doubts, which
    are worth a warning and no error, in ``doubts``.
    """

    def __post_init__(self) -> None:
        for key in self.__struct_fields__:
            value = getattr(self, key)
            if isinstance(value, float):
                self.rule(math.isfinite(value), key, "must be finite")
        self.check()

    def check(self) -> None:
        """Raise ``ValueError("key: rule, got value")`` where a setting is nonsense."""

    def doubts(self) -> Iterator[tuple[str, str]]:
        """Yield ``(key, why)`` for settings that are legal but look like slips."""
        yield from ()

    def rule(self, holds: bool, key: str, rule: str) -> None:
        """Raise unless ``holds``; msgspec adds the place of this record to the message."""
        if not holds:
            raise ValueError(f"{key}: {rule}, got {getattr(self, key)!r}")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain JSON values, defaults included."""
        return msgspec.to_builtins(self)
