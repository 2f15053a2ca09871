"""Pickles read as what they would call, without calling it, so that no file can run anything.

A pickle is a program for a small stack machine. This machine knows the instructions that
arrays, numbers and containers need and turns the others down; where a pickle would import
and call a function, it gets a ``Call`` to be looked at. Lengths are checked against the
bytes that are there before anything is made of them.
"""

import pickle
import struct
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spikenn_cy.errors import DataError
from spikenn_cy.errors import shown


@dataclass(slots=True)
class Name:
    """An imported thing that a pickle names, by the role the caller admitted it for."""

    role: str


@dataclass(slots=True)
class Call:
    """What a pickle would have made by calling the function of a role, and then given a state."""

    role: str
    arguments: tuple[Any, ...]
    state: Any = None


def read_pickle(data: memoryview, admitted: Mapping[tuple[str, str], str], place: str) -> Any:
    """Return a pickle's content as numbers, strings, tuples, lists, dicts, ``Name`` and ``Call``.

    Parameters
    ----------
    data : memoryview of bytes
        One pickle of protocol 2 to 5. Byte strings in the result are views of it.
    admitted : mapping of (module, name) to role
        What the pickle may name.
    place : str
        What an error names first.

    Raises
    ------
    DataError
        If the pickle names anything else, uses an instruction that no such content needs, or is damaged.
    """
    machine = Machine(data, admitted)
    try:
        return machine.run()
    except Refused as refusal:
        raise DataError(f"{place}: must be a pickle of plain arrays, got {refusal}") from None
    except (LookupError, TypeError, ValueError, struct.error) as problem:
        raise DataError(f"{place}: must be a sound pickle, got a wrong byte near {machine.position}") from problem


class Refused(Exception):
    """The pickle is well formed as far as it was read and wants what it may not have."""


class Machine:
    """The stack, the marks in it and the memo of one pickle being read."""

    def __init__(self, data: memoryview, admitted: Mapping[tuple[str, str], str]) -> None:
        self.data = data
        self.admitted = admitted
        self.position = 0
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        data, instructions = self.data, INSTRUCTIONS
        while True:
            code = data[self.position]
            self.position += 1
            if code == STOP:
                break
            instruction = instructions.get(code)
            if instruction is None:
                raise Refused(f"instruction {bytes([code])!r} at byte {self.position - 1}")
            instruction(self)
        (content,) = self.stack
        if self.position != len(data):
            raise Refused(f"{len(data) - self.position} bytes after its end")
        return content

    def take(self, n_bytes: int) -> memoryview:
        """Return the next bytes of the program."""
        end = self.position + n_bytes
        if end > len(self.data):
            raise Refused(f"{n_bytes} bytes announced at byte {self.position} of {len(self.data)}")
        part = self.data[self.position : end]
        self.position = end
        return part

    def number(self, n_bytes: int, signed: bool = False) -> int:
        return int.from_bytes(self.take(n_bytes), "little", signed=signed)

    def line(self) -> str:
        """Return the next bytes up to a line end, as the instructions of old have them."""
        window = bytes(self.data[self.position : self.position + 256])
        line = window[: window.index(b"\n")]
        self.position += len(line) + 1
        return line.decode("ascii")

    def push_text(self, length_bytes: int) -> None:
        self.stack.append(str(self.take(self.number(length_bytes)), "utf-8", "surrogatepass"))

    def push_bytes(self, length_bytes: int) -> None:
        self.stack.append(self.take(self.number(length_bytes)))

    def push_short_string(self) -> None:
        """Push a short string of Python 2, which may be the key of a dict: as text if it is ASCII, or as bytes."""
        content = self.take(self.number(1))
        self.stack.append(str(content, "ascii") if bytes(content).isascii() else content)

    def push_integer(self, n_bytes: int, signed: bool = False) -> None:
        self.stack.append(self.number(n_bytes, signed))

    def push_float(self) -> None:
        self.stack.extend(struct.unpack(">d", self.take(8)))

    def mark(self) -> None:
        self.marks.append(len(self.stack))

    def since_mark(self) -> list[Any]:
        """Take off the stack what came after the last mark."""
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def push_tuple(self, n_items: int) -> None:
        if len(self.stack) < n_items:
            raise IndexError
        items = tuple(self.stack[-n_items:])
        del self.stack[-n_items:]
        self.stack.append(items)

    def fill_list(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not list:
            raise Refused(f"items for what is not a list at byte {self.position}")
        target.extend(items)

    def fill_dict(self, items: list[Any]) -> None:
        target = self.stack[-1]
        keys = items[::2]
        # Hashing a nested tuple, shared at every level, would take for ever.
        if type(target) is not dict or not all(type(key) is str for key in keys):
            raise Refused(f"a dict with other keys than strings at byte {self.position}")
        target.update(zip(keys, items[1::2], strict=True))

    def remember(self, number: int) -> None:
        self.memo[number] = self.stack[-1]

    def name(self, module: str, name: str) -> None:
        if not type(module) is type(name) is str:  # nothing else is hashed or shown: see `fill_dict`
            raise Refused("a name that is not a string")
        role = self.admitted.get((module, name))
        if role is None:
            raise Refused(f"the name {shown(f'{module}.{name}')}")
        self.stack.append(Name(role))

    def call(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        if type(function) is not Name or type(arguments) is not tuple:
            raise Refused(f"a call of what is not a function at byte {self.position}")
        self.stack.append(Call(function.role, arguments))

    def build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if type(target) is not Call or target.state is not None:
            raise Refused(f"a state for what cannot have one at byte {self.position}")
        target.state = state


STOP = pickle.STOP[0]

INSTRUCTIONS: dict[int, Callable[[Machine], Any]] = {
    code[0]: instruction
    for code, instruction in {
        pickle.PROTO: lambda m: m.take(1),
        pickle.FRAME: lambda m: m.take(8),
        pickle.NONE: lambda m: m.stack.append(None),
        pickle.NEWTRUE: lambda m: m.stack.append(True),
        pickle.NEWFALSE: lambda m: m.stack.append(False),
        pickle.SHORT_BINSTRING: lambda m: m.push_short_string(),
        pickle.BINSTRING: lambda m: m.push_bytes(4),
        pickle.BININT: lambda m: m.push_integer(4, signed=True),
        pickle.BININT1: lambda m: m.push_integer(1),
        pickle.BININT2: lambda m: m.push_integer(2),
        pickle.LONG1: lambda m: m.push_integer(m.number(1), signed=True),
        pickle.BINFLOAT: Machine.push_float,
        pickle.SHORT_BINUNICODE: lambda m: m.push_text(1),
        pickle.BINUNICODE: lambda m: m.push_text(4),
        pickle.BINUNICODE8: lambda m: m.push_text(8),
        pickle.SHORT_BINBYTES: lambda m: m.push_bytes(1),
        pickle.BINBYTES: lambda m: m.push_bytes(4),
        pickle.BINBYTES8: lambda m: m.push_bytes(8),
        pickle.BYTEARRAY8: lambda m: m.push_bytes(8),
        pickle.MARK: Machine.mark,
        pickle.EMPTY_TUPLE: lambda m: m.stack.append(()),
        pickle.TUPLE1: lambda m: m.push_tuple(1),
        pickle.TUPLE2: lambda m: m.push_tuple(2),
        pickle.TUPLE3: lambda m: m.push_tuple(3),
        pickle.TUPLE: lambda m: m.stack.append(tuple(m.since_mark())),
        pickle.EMPTY_LIST: lambda m: m.stack.append([]),
        pickle.APPEND: lambda m: m.fill_list([m.stack.pop()]),
        pickle.APPENDS: lambda m: m.fill_list(m.since_mark()),
        pickle.EMPTY_DICT: lambda m: m.stack.append({}),
        pickle.SETITEM: lambda m: m.fill_dict([m.stack.pop(-2), m.stack.pop()]),
        pickle.SETITEMS: lambda m: m.fill_dict(m.since_mark()),
        pickle.BINPUT: lambda m: m.remember(m.number(1)),
        pickle.LONG_BINPUT: lambda m: m.remember(m.number(4)),
        pickle.MEMOIZE: lambda m: m.remember(len(m.memo)),
        pickle.BINGET: lambda m: m.stack.append(m.memo[m.number(1)]),
        pickle.LONG_BINGET: lambda m: m.stack.append(m.memo[m.number(4)]),
        pickle.GLOBAL: lambda m: m.name(m.line(), m.line()),
        pickle.STACK_GLOBAL: lambda m: m.name(m.stack.pop(-2), m.stack.pop()),
        pickle.REDUCE: Machine.call,
        pickle.BUILD: Machine.build,
    }.items()
}
