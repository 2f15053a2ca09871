"""Optional packages: without this, an absent one would show as a traceback instead of what to install."""

from collections.abc import Iterator
from contextlib import contextmanager

from spikenn_cy.errors import MissingExtra


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
        install = f'python -m pip install "spikenn_cy[{name}]"'
        raise MissingExtra(f"{where}: needs the package {package}, which {install} brings") from None
