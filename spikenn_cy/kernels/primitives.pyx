"""The choice of instruction set, without which one wheel could not be fast on every processor."""
import os

from spikenn_cy.errors import ConfigError


cdef extern from "instructions.h" nogil:
    enum:
        INSTRUCTION_SETS
    const char **instruction_sets
    bint has_instructions(int level)


def available_instructions():
    """Return the instruction sets that this processor can run, the fastest last.

    Returns
    -------
    names : list of str
    """
    cdef int i
    return [instruction_sets[i].decode() for i in range(INSTRUCTION_SETS) if has_instructions(i)]


def active_instructions():
    """Return the name of the instruction set in use."""
    return instruction_sets[level].decode()


def use_instructions(str name):
    """Run all later calls of this process with another instruction set; results keep their bits.

    Parameters
    ----------
    name : str
        One of `available_instructions`.

    Raises
    ------
    ConfigError
        If this processor or this build has no such instructions.
    """
    global level
    cdef int i
    for i in range(INSTRUCTION_SETS):
        if has_instructions(i) and instruction_sets[i].decode() == name:
            level = i
            return
    raise ConfigError(f"instruction set: must be one of {', '.join(available_instructions())}, got {name!r}")


# The environment is the only door that spawned workers and test runs share.
use_instructions(os.environ.get("SPIKENN_CY_SIMD") or available_instructions().pop())
