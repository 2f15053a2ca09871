"""Compile the Cython kernels; everything declarative stands in ``pyproject.toml``.

Switches, all by environment variable:

``SPIKENN_CY_CHECKS=1``
    Bounds, ``None`` and initialisation checks in every kernel: the build that CI tests first.
``SPIKENN_CY_MARCH=native``
    Code for one processor only, for one's own machine. Results keep their bits.
``SPIKENN_CY_COVERAGE=1``
    Line tracing for ``coverage`` (CPython 3.11).
``SPIKENN_CY_ANNOTATE=1``
    Cython's yellow HTML beside each ``.pyx``.

A build with other switches than the last one in this tree makes everything anew.
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension
from setuptools import setup
from setuptools.command.build_ext import build_ext

PACKAGE = Path("spikenn_cy")
SHARED = "spikenn_cy._cyutility"  # one copy of Cython's memoryview code instead of one a module


def switch(name: str) -> bool:
    return os.environ.get(f"SPIKENN_CY_{name}", "0") not in ("", "0")


CHECKS, COVERAGE = switch("CHECKS"), switch("COVERAGE")
MARCH = os.environ.get("SPIKENN_CY_MARCH", "")

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
CFLAGS = ["-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-pthread"]
if MARCH:
    CFLAGS.append(f"-march={MARCH}")
MACROS = [("CYTHON_TRACE_NOGIL", "1")] if COVERAGE else []


def extension(pyx: Path) -> Extension:
    return Extension(
        ".".join(pyx.with_suffix("").parts),
        [str(pyx)],
        include_dirs=[str(PACKAGE / "kernels" / "src"), str(pyx.parent)],
        depends=[str(header) for header in sorted(PACKAGE.rglob("*.h"))],
        define_macros=MACROS,
        extra_compile_args=CFLAGS,
        extra_link_args=["-pthread"],
    )


# Time stamps of sources do not show that the files built of them are another build's.
SWITCHES = f"{CHECKS=} {COVERAGE=} {MARCH=} {switch('ANNOTATE')=}"
LAST_SWITCHES = Path("build") / "switches"
CHANGED = LAST_SWITCHES.exists() and LAST_SWITCHES.read_text() != SWITCHES


class SwitchedBuild(build_ext):
    """Builds everything if a switch has changed."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.force = self.force or CHANGED

    def run(self) -> None:
        super().run()
        LAST_SWITCHES.parent.mkdir(exist_ok=True)
        LAST_SWITCHES.write_text(SWITCHES)


shared = Extension(SHARED, [str(PACKAGE / "_cyutility.c")], define_macros=MACROS, extra_compile_args=CFLAGS)

setup(
    cmdclass={"build_ext": SwitchedBuild},
    ext_modules=cythonize(
        [shared, *(extension(pyx) for pyx in sorted(PACKAGE.rglob("*.pyx")))],
        compiler_directives=DIRECTIVES,
        shared_utility_qualified_name=SHARED,
        annotate=switch("ANNOTATE"),
        force=CHANGED,
    ),
)
