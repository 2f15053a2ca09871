"""Compile the Cython kernels; everything declarative stands in ``pyproject.toml``.

Switches, all by environment variable:

``SPIKENN_CY_CHECKS=1``
    Bounds, ``None`` and initialisation checks in every kernel, and symbols for a debugger.
``SPIKENN_CY_MARCH=native``
    Code for one processor only, for one's own machine. Results keep their bits.
``SPIKENN_CY_COVERAGE=1``
    Line tracing for ``coverage`` (CPython 3.11).
``SPIKENN_CY_SANITIZE=address,undefined``
    What of GCC's sanitizers watches every kernel, or ``thread``; ``make sanitize`` does it in a copy.
``SPIKENN_CY_ANNOTATE=1``
    Cython's yellow HTML beside each ``.pyx``.

A build with other switches than the last one in this tree makes everything anew; otherwise it makes what depends on a
changed file. It takes all processors that this process may use; ``build_ext -j 1`` takes one.
"""

import os
import re
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension
from setuptools import setup
from setuptools.command.build_ext import build_ext

PACKAGE = Path("spikenn_cy")
HEADERS = PACKAGE / "kernels" / "src"
SHARED = "spikenn_cy._cyutility"  # one copy of Cython's memoryview code instead of one a module
PROCESSORS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def switch(name: str) -> bool:
    return os.environ.get(f"SPIKENN_CY_{name}", "0") not in ("", "0")


CHECKS, COVERAGE = switch("CHECKS"), switch("COVERAGE")
MARCH = os.environ.get("SPIKENN_CY_MARCH", "")
SANITIZE = os.environ.get("SPIKENN_CY_SANITIZE", "")

DIRECTIVES = {
    "language_level": 3,
    "embedsignature": True,
    "boundscheck": CHECKS,
    "wraparound": False,
    "initializedcheck": CHECKS,
    "nonecheck": CHECKS,
    "cdivision": True,
    "linetrace": COVERAGE,
    "freethreading_compatible": False,
}
# GCC and Clang only: the kernels use their vector types. Contraction to FMA would give other bits on other processors.
# A build with checks is for tests, and is compiled in half the time with few optimisations, which change no bit.
OPTIMISATION = "-O1" if CHECKS or SANITIZE else "-O3"
CFLAGS = [OPTIMISATION, "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-pthread"]
LINK = ["-pthread"]
if SANITIZE:
    # Where it happened, and an end there.
    CFLAGS += ["-g1", "-fno-omit-frame-pointer", "-fno-sanitize-recover=undefined", f"-fsanitize={SANITIZE}"]
    LINK.append(f"-fsanitize={SANITIZE}")
elif not CHECKS:
    CFLAGS.append("-g0")  # symbols, which Python asks for, are a quarter of a compiler's work
if MARCH:
    CFLAGS.append(f"-march={MARCH}")
MACROS = [("CYTHON_TRACE_NOGIL", "1")] if COVERAGE else []

# Time stamps of sources do not show that the files built of them are another build's.
SWITCHES = repr((DIRECTIVES, CFLAGS, MACROS, switch("ANNOTATE")))
LAST = Path("build") / "switches"
CHANGED = LAST.exists() and LAST.read_text(encoding="utf-8") != SWITCHES


def extension(pyx: Path) -> Extension:
    return Extension(
        ".".join(pyx.with_suffix("").parts),
        [str(pyx)],
        include_dirs=[str(HEADERS), str(pyx.parent)],
        define_macros=MACROS,
        extra_compile_args=CFLAGS,
        extra_link_args=LINK,
    )


def included(source: str) -> list[str]:
    """Return the headers of the package that a C file names, for itself or for a macro, directly or through others."""
    found: set[Path] = set()
    waiting = [Path(source)]
    while waiting:
        path = waiting.pop()
        if path not in found and path.is_file():
            found.add(path)
            names = re.findall(r'^[ \t]*#[^"\n]*"([^"\n]+\.h)"', path.read_text(encoding="utf-8"), re.MULTILINE)
            waiting += [folder / name for name in names for folder in (path.parent, HEADERS)]
    return sorted(map(str, found - {Path(source)}))


def extensions() -> list[Extension]:
    """Return all compiled modules, whose C files are up to date, each with the headers that it is built of."""
    code = str(PACKAGE / "_cyutility.c")
    shared = Extension(SHARED, [code], define_macros=MACROS, extra_compile_args=CFLAGS, extra_link_args=LINK)
    translated = cythonize(
        [shared, *(extension(pyx) for pyx in sorted(PACKAGE.rglob("*.pyx")))],
        compiler_directives=DIRECTIVES,
        shared_utility_qualified_name=SHARED,
        annotate=switch("ANNOTATE"),
        force=CHANGED,
        nthreads=PROCESSORS,
    )
    for module in translated:
        (source,) = module.sources  # which says what all that the module cimports includes
        module.depends = included(source)
    return translated


class SwitchedBuild(build_ext):
    """Builds with all processors, and everything if a switch has changed."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.force = self.force or CHANGED
        self.parallel = self.parallel or PROCESSORS

    def run(self) -> None:
        super().run()
        LAST.parent.mkdir(exist_ok=True)
        LAST.write_text(SWITCHES, encoding="utf-8")


if __name__ == "__main__":  # not in the processes that translate, which may begin with importing this file
    setup(cmdclass={"build_ext": SwitchedBuild}, ext_modules=extensions())
