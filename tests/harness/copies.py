"""Copies of the tree, in which builds and faults meet nothing of anybody else's."""

import contextlib
import shutil
import tempfile
from pathlib import Path

from small_runs import ROOT

LEFT_OUT = (".git", ".venv", "__pycache__", ".hypothesis", ".*_cache", "site", ".asv")


@contextlib.contextmanager
def copy_of_the_tree(*left_out):
    """Yield a copy of the tree, for the time of the block; of what is built, all but names that match ``left_out``."""
    with tempfile.TemporaryDirectory(prefix="spikenn-cy-") as folder:
        yield Path(shutil.copytree(ROOT, Path(folder, "tree"), ignore=shutil.ignore_patterns(*LEFT_OUT, *left_out)))
