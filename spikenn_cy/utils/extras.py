"""Optional packages: without this, an absent one would show as a traceback instead of what to install."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spikenn_cy.errors import MissingExtra
from spikenn_cy.utils.installation import PACKAGE


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
        If a package that is imported in the block is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or str(error)).split(".")[0]
        install = f"python -m pip install {wanted(name)}"
        raise MissingExtra(f"{where}: needs the package {package}, which {install} brings") from None
