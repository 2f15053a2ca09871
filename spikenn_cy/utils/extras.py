"""Optional packages: without this, an absent or old one would show as a traceback instead of what to install."""

import functools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from spikenn_cy.errors import MissingExtra
from spikenn_cy.utils.installation import PACKAGE

# The oldest version of each package that an extra brings, as in pyproject.toml, which is not installed everywhere.
OLDEST = {
    "dask": {"distributed": "2024.1"},
    "data": {"pooch": "1.8", "scikit-learn": "1.2"},
    "images": {"pillow": "9.1"},
    "nir": {"nir": "1.0.6"},
    "plot": {"matplotlib": "3.8"},
    "sklearn": {"scikit-learn": "1.6"},
    "softhebb": {"torch": "2.1"},
}


def wanted(name: str, package: Path = PACKAGE) -> str:
    """Return what pip is asked for: of a clone, which no index need know, the clone with the extra."""
    clone = package.parent
    is_clone = (clone / "setup.py").exists()
    return f'-e "{clone}[{name}]"' if is_clone else f'"{package.name}[{name}]"'


@contextmanager
def extra(name: str, where: str) -> Iterator[None]:
    """Import what the extra ``name`` brings inside this block.

    Parameters
    ----------
    name
        A key of the package's optional dependencies, such as ``"plot"``.
    where
        What needs it, as the user calls it; the error begins with it.

    Raises
    ------
    MissingExtra
        If a package that is imported in the block is not installed, or one of the extra is too old.
    """
    for package, oldest in OLDEST.get(name, {}).items():
        found = installed(package)
        if found is not None and numbers(found) < numbers(oldest):
            install = f"python -m pip install {wanted(name)}"
            raise MissingExtra(f"{where}: needs {package} {oldest} or newer, which {install} brings, got {found}")
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or str(error)).split(".")[0]
        install = f"python -m pip install {wanted(name)}"
        raise MissingExtra(f"{where}: needs the package {package}, which {install} brings") from None


@functools.cache
def installed(package: str) -> str | None:
    """Return the version of a package, as whoever installed it knows it; None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers with which a version begins, as far as they tell two apart: 1.0 is 1."""
    found = re.match(r"\d+(\.\d+)*", version)
    parts = [int(part) for part in found[0].split(".")] if found else []
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)
