"""What an installation lacks, in one line: without this, a clone that is not built would be met by ten frames."""

import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

PACKAGE = Path(__file__).parent.parent
NEEDED = ("numpy", "msgspec", "tqdm")
COMMAND = re.compile(r"(-\w*m)?spikenn_cy(\.\w+)?")  # a word of ``python -m spikenn_cy.run``


@contextmanager
def complete(command: bool | None = None) -> Iterator[None]:
    """Import the package inside this block.

    Parameters
    ----------
    command : bool, optional
        Whether one of the package's commands is being started. None: as `is_command` finds out.

    Raises
    ------
    ImportError
        If a compiled module or a package that it depends on is absent; its text is one line that says what to type.
    SystemExit
        In place of that, with status 2 and the line on stderr, if one of the package's commands is being started:
        Python imports the package before it runs what could catch the error.
    """
    try:
        yield
    except ModuleNotFoundError as absent:
        line = what_to_type(absent.name or str(absent))
        if not (is_command(getattr(sys, "argv", []), sys.orig_argv) if command is None else command):
            raise ImportError(line, name="spikenn_cy") from None
    else:
        return
    if sys.stderr is not None:
        print(f"error: {line}", file=sys.stderr)
    raise SystemExit(2)


def what_to_type(absent: str, package: Path = PACKAGE) -> str:
    """Return the line about an absent module, by its name, of the package in a folder."""
    top = absent.partition(".")[0]
    needs = f"must be compiled, got no {absent}" if top == package.name else f"needs the package {top}, got none"
    if (package.parent / "setup.py").exists():  # a clone
        return f"{package.name}: {needs}; type: python -m pip install -e {shlex.quote(str(package.parent))}"
    return f"{package.name}: {needs}; type: python -m pip install --force-reinstall {package.name}"


def is_installed(package: str) -> bool:
    """Return whether an optional package could be imported, without importing it."""
    try:
        return find_spec(package) is not None
    except ValueError:  # of a module that was kept from being imported
        return False


def is_needed(absent: str, package: Path = PACKAGE) -> bool:
    """Return whether an absent module is the package's own, or of a package that it depends on."""
    return absent.partition(".")[0] in {package.name, *NEEDED}


def is_command(words: list[str], all_words: list[str]) -> bool:
    """Tell whether a process is one of the package's commands, while Python looks for what it is to run.

    Parameters
    ----------
    words : list of str
        Its arguments, ``sys.argv``; the first one is ``-m`` until a module is found.
    all_words : list of str
        Those of the interpreter too, ``sys.orig_argv``.
    """
    first = words[0] if words else ""
    return Path(first).stem == "spikenn-cy" or (first == "-m" and any(map(COMMAND.fullmatch, all_words)))
