"""What training, deciding, loading and extracting cost, along the axes on which the cost should depend.

Nothing at module level may need a name of the package: old commits, which lack it, are then skipped and do not fail.
"""

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def names_of_the_package() -> Iterator[None]:
    """Skip a benchmark at commits that lack a name imported here; asv's sign for that is `NotImplementedError`."""
    try:
        yield
    except ImportError as absent:
        raise NotImplementedError(str(absent)) from absent
