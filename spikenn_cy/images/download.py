"""Published files from the network, once: kept in a cache and known by their checksums."""

import os
from pathlib import Path

from spikenn_cy.data.published import PublishedFile
from spikenn_cy.data.published import Source
from spikenn_cy.errors import DataError
from spikenn_cy.errors import shortened
from spikenn_cy.utils.extras import extra
from spikenn_cy.utils.progress import Progress

CACHE = "SPIKENN_CY_CACHE"  # environment variable
TIMEOUT = (10, 60)  # seconds to be let in, and from one part of a file to the next
STEP = 1 << 16  # bytes


def fetch(name: str, source: Source, cache: str | os.PathLike[str] | None = None) -> Path:
    """Return a folder with all files of ``source``, fetched unless they are there and sound.

    Parameters
    ----------
    name : str
        Of the folder in the cache.
    source : Source
        Its mirrors are tried in order for each file.
    cache : path-like, optional
        By default what the environment variable ``SPIKENN_CY_CACHE`` says, or the system's
        place for such files.

    Raises
    ------
    DataError
        If a file cannot be had, with what went wrong at each mirror.
    MissingExtra
        If pooch is not installed.
    """
    with extra("data", where=f"dataset {name}"):
        import pooch
    folder = Path(cache or os.environ.get(CACHE) or pooch.os_cache("spikenn_cy")) / name
    for file in source.files:
        fetch_file(file, source.mirrors, folder)
    return folder


def fetch_file(file: PublishedFile, mirrors: tuple[str, ...], folder: Path) -> None:
    """Have one file in ``folder``."""
    import pooch
    from requests.exceptions import RequestException

    wrong = []
    pooch.get_logger().setLevel("WARNING")  # what goes well, the bar shows
    for mirror in mirrors:
        with Progress(file.n_bytes, file.name, unit="MB", scale=1_000_000) as progress:
            downloader = pooch.HTTPDownloader(Bar(progress, file.n_bytes), chunk_size=STEP, timeout=TIMEOUT)
            try:
                pooch.retrieve(f"{mirror}{file.name}", f"md5:{file.md5}", file.name, folder, downloader=downloader)
                return
            except RequestException as problem:
                wrong.append(f"{mirror}: {reason(problem)}")
            except ValueError as problem:
                if "hash" not in str(problem):
                    raise
                wrong.append(f"{mirror}: another checksum than {file.md5}")
    rule = "must be at one of its addresses (--from DIR takes files that were fetched by hand)"
    raise DataError(f"{file.name}: {rule}, got {'; '.join(wrong)}")


def reason(problem: Exception) -> str:
    """Return in a few words why a file could not be had."""
    status = getattr(getattr(problem, "response", None), "status_code", None)
    if status is not None:
        return f"status {status}"
    kinds = {"ConnectTimeout": "no answer in time", "ReadTimeout": "a stall", "ConnectionError": "no connection"}
    text = str(problem)
    if "IncompleteRead" in text:
        return "an end before the end of the file"
    if "timed out" in text:
        return "a stall"
    return kinds.get(type(problem).__name__, shortened(text) or type(problem).__name__)


class Bar:
    """A progress bar with the methods that pooch calls, exact to the byte.

    Pooch takes a file's last part for a whole one, and then counts all of it again from 0.
    """

    def __init__(self, progress: Progress, n_bytes: int) -> None:
        self._progress, self._left = progress, n_bytes
        self._room = n_bytes + STEP  # the last part is counted as a whole one
        self._n_bytes = n_bytes

    @property
    def total(self) -> int:
        """What the server says that comes."""
        return self._n_bytes

    @total.setter
    def total(self, n_bytes: int) -> None:
        self._require(n_bytes <= self._n_bytes)

    def _require(self, ok: bool) -> None:
        """End the transfer of a file that is longer than the one that was published, and would fill the disk."""
        if not ok:
            from requests.exceptions import RequestException

            raise RequestException(f"more than its {self._n_bytes} bytes")

    def update(self, n_bytes: int) -> None:
        """Show that more has come."""
        self._room -= n_bytes
        self._require(self._room >= 0)
        self._progress.step(min(n_bytes, self._left))
        self._left -= min(n_bytes, self._left)

    def reset(self) -> None:
        """Let all of it be counted once more, which pooch does at the end."""
        self._room = self._n_bytes + STEP

    def close(self) -> None:
        """Leave the bar as it stands."""
        self._progress.close()
