"""What a command line comes to: an exit status, and never more than one line for what went wrong."""

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Iterator
from collections.abc import Sequence
from typing import TextIO

from spikenn_cy.cli import COMMANDS
from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.examples import ending
from spikenn_cy.cli.saying import say
from spikenn_cy.errors import SpikennError
from spikenn_cy.errors import printable
from spikenn_cy.utils._bus_error import end_at_bus_error
from spikenn_cy.utils.installation import is_needed
from spikenn_cy.utils.installation import what_to_type
from spikenn_cy.version import __version__

# What other software calls some commands, and what that becomes in haste.
MEANT = dict.fromkeys(("train", "trian", "fit", "demo"), "run") | dict.fromkeys(("crossval", "cv", "folds"), "kfold")
MEANT |= {"tune": "gridsearch", "search": "gridsearch", "evaluate": "score", "classify": "predict"}

WRONG = 2  # what the user gave
INTERRUPTED = 130  # as shells say of SIGINT
NOBODY_READS = 141  # as shells say of SIGPIPE


def main(arguments: Sequence[str] | None = None, *, command: str | None = None) -> int:
    """Do what a command line asks for.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process by default.
    command : str, optional
        Take ``arguments`` for those of one command; otherwise they begin with its name.

    Returns
    -------
    int
        The exit status: 0 if all went well, 2 if the user gave something wrong.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if isinstance(sys.stdout, io.TextIOWrapper):  # and not what stands in for it, or None
        sys.stdout.reconfigure(errors="backslashreplace")  # no path may fail to be printed
    end_at_bus_error()
    try:
        status = _done(arguments, command)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where a reader that has gone can still be met
        return status
    except BrokenPipeError:
        _let_go_of_stdout()
        return NOBODY_READS
    except KeyboardInterrupt as interrupt:
        say(f"interrupted{interrupt}")
        return INTERRUPTED
    except SpikennError as error:
        say(f"error: {error}")
    except ModuleNotFoundError as absent:
        if not is_needed(absent.name or ""):  # a mistake in the program
            raise
        say(f"error: {what_to_type(absent.name or '')}")
    except OSError as error:
        say(f"error: {error.filename or 'input or output'}: must be usable, got {error.strerror or error}")
    except MemoryError as error:
        say(f"error: memory: must suffice for network and data, got {error}")
    return WRONG


def _done(arguments: Sequence[str], command: str | None) -> int:
    if command is None and (not arguments or arguments[0] == "help"):
        arguments = [*arguments[1:], "--help"]
    try:
        asked = _parser(command).parse_args(arguments)
    except SystemExit as help_or_mistake:
        return help_or_mistake.code if isinstance(help_or_mistake.code, int) else WRONG
    with _warnings_in_one_line(), contextlib.redirect_stdout(sys.stdout and Plain(sys.stdout)):
        status: int = COMMANDS[asked.command].main(asked)
    return status


def _parser(command: str | None) -> Parser:
    if command is not None:
        summary = COMMANDS[command].SUMMARY
        parser = Parser(prog=f"python -m spikenn_cy.{command}", description=summary, epilog=ending(command))
        COMMANDS[command].add_arguments(parser)
        parser.set_defaults(command=command)
        return parser
    parser = Parser(
        prog="spikenn-cy",
        description="First-spike networks trained by supervised STDP.",
        epilog="examples:\n  spikenn-cy run\n  spikenn-cy help kfold\nmore: docs/commands.md",
    )
    parser.meant = MEANT
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in COMMANDS.items():
        texts = {"help": module.SUMMARY, "description": module.SUMMARY, "epilog": ending(name)}
        module.add_arguments(commands.add_parser(name, **texts))
    return parser


@contextlib.contextmanager
def _warnings_in_one_line() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = lambda message, *_: say(f"warning: {message}")
        yield


class Plain(io.TextIOBase):
    """Standard output that obeys no name from a file: what a terminal would not show is written as escapes.

    Parameters
    ----------
    stream : file
        What is written to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str, /) -> int:
        """Write a text, ends of lines and tabulators as they are."""
        self._stream.write(printable(text))
        return len(text)

    def flush(self) -> None:
        """Write what is in the buffer."""
        self._stream.flush()

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._stream.fileno()


def _let_go_of_stdout() -> None:
    """Keep the interpreter from writing the rest of its buffer to nobody when it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
