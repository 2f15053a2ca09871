"""What this machine's memory gives, by the size of what is read: the denominators of the roofline.

NumPy's calls cost more than a whole first-level cache takes to read, and its gathers check every index; the loops are
therefore C, compiled with the compiler that built the package.
"""

import ctypes
import functools
import os
import platform
import shutil
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

SOURCE = Path(__file__).with_name("machine.h")
# Unrolled, with no vectors but those that are written: scalar loads stay scalar.
FLAGS = ["-O3", "-fno-tree-vectorize", "-fno-tree-slp-vectorize", "-ffp-contract=off", "-shared", "-fPIC"]
KIBI = 1024
LINE = 64
REAL = np.float32
FETCHED_AHEAD = (0, 16)  # spikes
USUAL_CACHES = {"L1": 32 * KIBI, "L2": 1024 * KIBI, "L3": 32 * KIBI * KIBI}


def processor() -> str:
    """Return the name of the processor, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


class NoCompiler(RuntimeError):
    """There is nothing to compile the measuring loops with."""


def compiler() -> str | None:
    """Return the C compiler that Python names, or any other, or None."""
    named = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    return shutil.which(named) or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


@functools.cache
def loops() -> ctypes.CDLL:
    """Compile and load ``machine.h``.

    Raises
    ------
    NoCompiler
        If there is none, or it fails.
    """
    program = compiler()
    if program is None:
        raise NoCompiler("roofline: needs a C compiler, got none on the path and none in CC")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "machine.so"
        for march in (["-march=native"], []):  # which some compilers do not know on some processors
            command = [program, *FLAGS, *march, "-x", "c", str(SOURCE), "-o", str(path)]
            made = subprocess.run(command, capture_output=True, text=True, check=False)
            if made.returncode == 0:
                return ctypes.CDLL(str(path))
    problem = (made.stderr.strip() or "no message").splitlines()[0]
    raise NoCompiler(f"roofline: needs a C compiler that compiles {SOURCE.name}, got {problem}")


def caches() -> dict[str, int]:
    """Return the bytes of each data cache of the first processor as Linux tells them, or usual ones."""
    found = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind, level, size = ((index / name).read_text().strip() for name in ("type", "level", "size"))
        if kind != "Instruction" and size.endswith("K"):
            found[f"L{level}"] = int(size[:-1]) * KIBI
    return found if len(found) == 3 else USUAL_CACHES


def level_of(n_bytes: int) -> str:
    """Return the name of the smallest cache that holds so many bytes, or "memory"."""
    return next((name for name, size in caches().items() if n_bytes <= size), "memory")


def address(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def aligned(n_values: int, dtype: type = REAL) -> np.ndarray:
    """Return ones that begin with a cache line, as a row of weights may or may not."""
    size = np.dtype(dtype).itemsize
    raw = np.ones(n_values + LINE // size, dtype)
    return raw[-raw.ctypes.data % LINE // size :][:n_values]


class Clock:
    """Measures calls for as long as a figure is worth.

    Parameters
    ----------
    seconds : float
        Process time of one measurement; the best of ``repeats`` counts, since a machine is never faster than it is.
    repeats : int
    """

    def __init__(self, seconds: float = 0.02, repeats: int = 5) -> None:
        self.seconds = seconds
        self.repeats = repeats

    def once(self, work: Callable[[int], None]) -> float:
        """Return the seconds that ``work(n)`` takes for each of its ``n`` rounds."""
        n = 1
        work(n)  # caches are filled, and pages are there
        while True:
            start = time.process_time()
            work(n)
            spent = time.process_time() - start
            if spent >= self.seconds / 4:
                break
            n *= 8 if spent < self.seconds / 64 else 2
        n = max(1, int(n * self.seconds / spent))
        best = spent
        for i in range(self.repeats):
            start = time.process_time()
            work(n)
            spent = (time.process_time() - start) / n
            best = spent if i == 0 else min(best, spent)
        return best


class Machine:
    """Rates of this machine, each measured once.

    Parameters
    ----------
    clock : Clock
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self._known: dict[tuple, float] = {}

    def _rate(self, key: tuple, amount: float, make: Callable[[], Callable[[int], None]]) -> float:
        if key not in self._known:
            self._known[key] = amount / self.clock.once(make())
        return self._known[key]

    def read(self, n_bytes: int) -> float:
        """Bytes a second, read one after the other out of ``n_bytes``."""
        n_bytes = max(512, n_bytes // 512 * 512)

        def make() -> Callable[[int], None]:
            data = aligned(n_bytes // 4)
            return lambda n: loops().stream_read(address(data), ctypes.c_ssize_t(n_bytes), ctypes.c_ssize_t(n))

        return self._rate(("read", n_bytes), n_bytes, make)

    def copy(self, n_bytes: int) -> float:
        """Bytes a second, each read and written once, where source and copy take ``n_bytes`` together."""
        half = max(512, n_bytes // 1024 * 512)

        def make() -> Callable[[int], None]:
            # A copy to the same place of another page makes processors wait for stores that are none of its own.
            source, target = aligned(half // 4), aligned(half // 4 + 272)[272:]
            return lambda n: loops().stream_copy(
                address(target), address(source), ctypes.c_ssize_t(half), ctypes.c_ssize_t(n)
            )

        return self._rate(("copy", half), 2 * half, make)

    def update(self, n_bytes: int) -> float:
        """Bytes a second, read and written in place, which counts twice."""
        n_bytes = max(512, n_bytes // 512 * 512)

        def make() -> Callable[[int], None]:
            data = aligned(n_bytes // 4)
            return lambda n: loops().stream_update(address(data), ctypes.c_ssize_t(n_bytes), ctypes.c_ssize_t(n))

        return self._rate(("update", n_bytes), 2 * n_bytes, make)

    def additions(self) -> float:
        """Additions a second, each of which waits for the one before."""

        def make() -> Callable[[int], None]:
            data = aligned(2048)
            return lambda n: loops().chain(address(data), ctypes.c_ssize_t(2048), ctypes.c_ssize_t(n))

        return self._rate(("additions",), 2048, make)

    def random_loads(self, n_bytes: int) -> float:
        """Single weights a second from random places of ``n_bytes``, eight rows by one index."""
        n_inputs = max(16, n_bytes // 4 // 8)
        inputs = np.random.default_rng(0).integers(n_inputs, size=(1, max(1024, min(n_inputs, 1 << 20))))
        return self.gather_rows(n_inputs, 8, 1, inputs)

    def gather_rows(self, n_inputs: int, width: int, n_blocks: int, inputs: np.ndarray) -> float:
        """Loads a second of a forward pass over a row-major matrix, with or without fetching ahead.

        Parameters
        ----------
        n_inputs : int
        width : int
            Rows that one index is used for, up to 8.
        n_blocks : int
            Such groups of rows; all see one sample's spikes before the next sample's come.
        inputs : ndarray of int, shape (n_samples, n_spikes)
            The order of the spikes.
        """
        return max(
            self._gather("gather_rows", n_inputs, width, n_blocks, inputs, width, ahead) for ahead in FETCHED_AHEAD
        )

    def gather_lanes(self, n_inputs: int, vectors: int, n_blocks: int, inputs: np.ndarray) -> float:
        """Bytes a second of a forward pass over an input-major matrix, in blocks of ``vectors`` times 8 neurons.

        The best of blocks, with or without fetching ahead, and of whole rows.
        """
        blocks = [
            self._gather("gather_lanes", n_inputs, vectors, n_blocks, inputs, 8 * vectors, ahead)
            for ahead in FETCHED_AHEAD
        ]
        return 4 * max(*blocks, self._gather("gather_whole", n_inputs, vectors, n_blocks, inputs, 8 * vectors, 0))

    def _gather(
        self, name: str, n_inputs: int, width: int, n_blocks: int, inputs: np.ndarray, n_values: int, ahead: int
    ) -> float:
        n_samples, n_spikes = inputs.shape
        key = (name, n_inputs, width, n_blocks, n_samples, n_spikes, ahead)

        def make() -> Callable[[int], None]:
            weights = aligned(n_inputs * n_blocks * n_values)
            order = np.ascontiguousarray(inputs, np.int32)
            sizes = [ctypes.c_ssize_t(size) for size in (n_spikes, n_samples, ahead)]

            def work(n: int) -> None:
                getattr(loops(), name)(
                    address(weights),
                    ctypes.c_ssize_t(n_inputs),
                    ctypes.c_int(width),
                    ctypes.c_ssize_t(n_blocks),
                    address(order),
                    *sizes,
                    ctypes.c_ssize_t(n),
                )

            return work

        return self._rate(key, n_samples * n_spikes * n_blocks * n_values, make)

    def update_rows(self, n_neurons: int, n_inputs: int, rows: np.ndarray, passes: int) -> float:
        """Rows a second that take one step each, in this order, and with ``passes`` 2 are scaled.

        Parameters
        ----------
        n_neurons, n_inputs : int
        rows : ndarray of int
            Which rows learned, one after the other.
        passes : {1, 2}
        """
        key = ("update_rows", n_neurons, n_inputs, rows.tobytes(), passes)

        def make() -> Callable[[int], None]:
            weights, times = aligned(n_neurons * n_inputs), aligned(n_inputs)
            order = np.ascontiguousarray(rows, np.int32)
            return lambda n: loops().update_rows(
                address(weights),
                ctypes.c_ssize_t(n_inputs),
                address(times),
                address(order),
                ctypes.c_ssize_t(len(order)),
                ctypes.c_int(passes),
                ctypes.c_ssize_t(n),
            )

        return self._rate(key, len(rows), make)

    def scatter(self, n_inputs: int, inputs: np.ndarray) -> float:
        """Spikes a second whose times are put to their inputs and taken back; ``inputs`` as in `gather_rows`."""
        n_samples, n_spikes = inputs.shape

        def make() -> Callable[[int], None]:
            dense, times = aligned(n_inputs), aligned(n_samples * n_spikes)
            order = np.ascontiguousarray(inputs, np.int32)
            sizes = [ctypes.c_ssize_t(size) for size in (n_spikes, n_samples)]
            return lambda n: loops().scatter(
                address(dense), address(order), address(times), *sizes, ctypes.c_ssize_t(n)
            )

        return self._rate(("scatter", n_inputs, n_samples, n_spikes), n_samples * n_spikes, make)
