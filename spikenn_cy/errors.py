"""What a user did wrong, said in one line: the place, the rule and what was found."""

from typing import Any


class SpikennError(Exception):
    """Base of every error that is the caller's to mend; its text is one line."""


class ConfigError(SpikennError, ValueError):
    """A setting is missing, unknown, of the wrong type or nonsense."""


class DataError(SpikennError, ValueError):
    """A data set, an array or a file does not hold what it must."""


class RunError(SpikennError, RuntimeError):
    """A run cannot start or go on in its folder."""


class MissingExtra(SpikennError, ImportError):
    """An optional package is not installed; its text says how to get it."""


class ConfigWarning(UserWarning):
    """A setting is legal but looks like a slip; its text names the place."""


class DataWarning(UserWarning):
    """Data are legal but look like a slip; its text names the file."""


def shown(found: Any) -> str:
    """Return ``repr(found)`` on one line and short enough for an error message."""
    return shortened(repr(found))


def shortened(text: str) -> str:
    """Return ``text`` on one line of at most 80 characters."""
    text = " ".join(text.split())
    return text if len(text) <= 80 else f"{text[:77]}..."


def require(ok: bool, where: str, rule: str, found: Any, error: type[SpikennError] = ConfigError) -> None:
    """Raise ``error("where: rule, got found")`` unless ``ok``."""
    if not ok:
        raise error(f"{where}: {rule}, got {shown(found)}")
