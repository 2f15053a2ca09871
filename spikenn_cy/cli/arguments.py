"""Command lines read the same way by every command: either spelling of an option, one line for a mistake."""

import argparse
import math
import re
from collections.abc import Iterable
from typing import Any
from typing import NoReturn

from spikenn_cy.errors import did_you_mean
from spikenn_cy.errors import printable


class _Formatter(argparse.HelpFormatter):
    """Leaves lines as they are where a text has several, as examples have."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n" in text else super()._fill_text(text, width, indent)


class Parser(argparse.ArgumentParser):
    """Takes ``--max-time`` for an option declared as ``--max_time``; abbreviates nothing, and says what was meant."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_Formatter, **options)
        self.meant: dict[str, str] = {}  # what other software calls a choice

    def parse_known_args(self, args: Iterable[str] | None = None, namespace: object = None) -> tuple[Any, list[str]]:
        found, unknown = super().parse_known_args(None if args is None else _with_underscores(args), namespace)
        if unknown:  # here, where the options of the very command are at hand
            options = [option for action in self._actions for option in action.option_strings]
            hint = did_you_mean(unknown[0].partition("=")[0], options) if unknown[0].startswith("--") else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return found, unknown

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is not None and value not in action.choices:
            rule = f"must be one of {', '.join(map(str, action.choices))}"
            meant = self.meant.get(str(value))
            hint = f" (did you mean {meant}?)" if meant else did_you_mean(value, action.choices)
            raise argparse.ArgumentError(action, f"{rule}, got {value!r}{hint}")

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {printable(' '.join(message.split()))} (--help tells more)\n")


def whole_number(text: str) -> int:
    """Return an argument that counts something or seeds a generator."""
    if not re.fullmatch(r"[0-9]{1,4000}", text):
        raise argparse.ArgumentTypeError(f"must be a whole number >= 0, got {text!r}")
    return int(text)


def counting_number(text: str) -> int:
    """Return an argument that says how many there are of something that must be there."""
    if not re.fullmatch(r"0*[1-9][0-9]{0,8}", text):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 999999999, got {text!r}")
    return int(text)


def number(text: str) -> int | float:
    """Return an argument that is a setting, whole if it is written so."""
    if re.fullmatch(r"-?[0-9]{1,300}", text):
        return int(text)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"must be a number, got {text!r}")
    return value


def positive_number(text: str) -> float:
    """Return an argument that measures something."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number > 0, got {text!r}")
    return number


def size_of_pictures(text: str) -> tuple[int, int]:
    """Return an argument that is a number of rows and one of columns."""
    match = re.fullmatch(r"([1-9][0-9]{0,3})x([1-9][0-9]{0,3})", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"must be rows x columns, such as 28x28, got {text!r}")
    return int(match[1]), int(match[2])


def _with_underscores(arguments: Iterable[str]) -> list[str]:
    spelt, options_end = [], False
    for argument in arguments:
        options_end = options_end or argument == "--"
        if argument.startswith("--") and not options_end:
            name, equals, value = argument[2:].partition("=")
            argument = f"--{name.replace('-', '_')}{equals}{value}"  # noqa: PLW2901
        spelt.append(argument)
    return spelt
