"""What a user did wrong, said in one line: the place, the rule and what was found."""

from collections.abc import Iterable


class SpikennError(Exception):
    """Base of every error that is the caller's to mend; its text is one line."""


class ConfigError(SpikennError, ValueError):
    """A setting is missing, unknown, of the wrong type or nonsense."""


class DataError(SpikennError, ValueError):
    """A data set, an array or a file does not hold what it must."""


class RunError(SpikennError, RuntimeError):
    """A run cannot start or go on in its folder."""


class MissingExtra(SpikennError, ImportError):
    """An optional package is not installed, or too old; its text says how to get it."""


class ConfigWarning(UserWarning):
    """A setting is legal but looks like a slip; its text names the place."""


class DataWarning(UserWarning):
    """Data are legal but look like a slip; its text names the file."""


class TrainingWarning(UserWarning):
    """A network is about to learn nothing; its text says what is seen and what to try.

    Attributes
    ----------
    subject : str
        What is wrong and where, without figures: many runs of one command are warned of it once.
    """

    subject: str = ""

    @classmethod
    def about(cls, subject: str, text: str) -> "TrainingWarning":
        """Return the warning of a subject."""
        warning = cls(text)
        warning.subject = subject
        return warning


def shown(found: object) -> str:
    """Return ``repr(found)`` on one line and short enough for an error message."""
    return shortened(repr(found))


def shortened(text: str) -> str:
    """Return ``text`` on one line of at most 80 characters that a terminal shows and does not obey."""
    text = " ".join(text.split())
    text = text if len(text) <= 80 else f"{text[:77]}..."
    return printable(text)


def printable(text: str) -> str:
    """Return ``text``, which may hold names from files, as a terminal shows it and does not obey it.

    Ends of lines and tabulators stay.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def did_you_mean(found: object, known: Iterable[str]) -> str:
    """Return the end of a message with the ``known`` word that ``found`` is near to; nothing if it is near to none."""
    from difflib import get_close_matches  # here, since most processes never refuse anything

    words = {word.lower(): word for word in known}
    near = get_close_matches(found[:80].lower(), words, n=1) if isinstance(found, str) else []
    return f" (did you mean {words[near[0]]}?)" if near else ""


def require(ok: bool, where: object, rule: str, found: object, error: type[SpikennError] = ConfigError) -> None:
    """Raise ``error("where: rule, got found")`` unless ``ok``."""
    if not ok:
        raise error(f"{where}: {rule}, got {shown(found)}")


def require_one_of(
    found: object, known: Iterable[str], where: str, name: str = "", error: type[SpikennError] = ConfigError
) -> None:
    """Raise ``error`` unless ``found`` is one of the ``known`` words; ``name`` says what of ``where`` it is."""
    known = list(known)
    if not (isinstance(found, str) and found in known):
        rule = f"{name} must be one of {', '.join(known)}".lstrip()
        raise error(f"{where}: {rule}, got {shown(found)}{did_you_mean(found, known)}")
