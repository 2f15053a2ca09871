"""The choice of instruction set, without which one wheel could not be fast on every processor."""
import os

from spikenn_cy.errors import ConfigError


cdef extern from "variants.h" nogil:
    const Primitives *find_primitives(const char *name)


INSTRUCTION_SETS = ("baseline", "avx2", "avx512")


def available_instructions():
    """Return the instruction sets that this processor can run, the fastest last.

    Returns
    -------
    names : list of str
    """
    return [name for name in INSTRUCTION_SETS if find_primitives(name.encode()) is not NULL]


def active_instructions():
    """Return the name of the instruction set in use."""
    return active.name.decode()


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
    global active
    cdef bytes wanted = name.encode()
    cdef const Primitives *found = find_primitives(wanted)
    if found is NULL:
        raise ConfigError(f"instruction set: must be one of {', '.join(available_instructions())}, got {name!r}")
    active = found


# The environment is the only door that spawned workers and test runs share.
if os.environ.get("SPIKENN_CY_SIMD"):
    use_instructions(os.environ["SPIKENN_CY_SIMD"])
else:
    active = find_primitives(NULL)
