"""How far a long loop has come: a bar where somebody watches, a line a minute where a log is kept."""

import contextlib
import shutil
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from types import TracebackType

from spikenn_cy.errors import printable

A_LINE = 60.0  # seconds between two lines where there is no bar
LEAST_BAR = 10  # columns that no text may take
SYMBOLS, PLAIN_SYMBOLS = "─╸━", " #"


class Progress:
    """Counts to ``total`` on stderr: a bar on a terminal and in a notebook, elsewhere a line each minute.

    A loop that ends within a minute writes nothing where there is no bar; one that wrote lines ends with one.

    Parameters
    ----------
    total : int or None
        Number of steps; None if only the end will tell.
    label : str
        What is done, at the bar's left.
    unit : str, optional
        What the steps are, to be counted beside the label; without it only the bar counts.
    done : int
        Steps done before, by an interrupted run for instance.
    show : bool
        False keeps it silent everywhere.
    scale : int
        Steps in a unit, such as 1,000,000 bytes in ``"MB"``.

    Examples
    --------
    >>> with Progress(60_000, "epoch 1/60") as progress:
    ...     for epoch in range(60):
    ...         progress.tell(f"epoch {epoch + 1}/60")
    ...         progress.step(1000)
    ...         progress.tell(figures="val 95.3 %")
    """

    def __init__(
        self,
        total: int | None,
        label: str,
        *,
        unit: str | None = None,
        done: int = 0,
        show: bool = True,
        scale: int = 1,
    ) -> None:
        self._shown: _Bar | _Lines | None = None
        self._state = _State(total, label, unit, done, scale)
        if show and sys.stderr is not None:
            self._shown = _Bar(self._state) if sys.stderr.isatty() or in_notebook() else _Lines(self._state)

    def step(self, n_steps: int = 1) -> None:
        """Advance by ``n_steps``."""
        self._state.n += n_steps
        if self._shown is not None:
            self._shown.step(n_steps)

    def tell(self, label: str | None = None, figures: str | None = None) -> None:
        """Change what stands at the bar's left and right; the next step shows it."""
        if label is not None:
            self._state.label = printable(label)
        if figures is not None:
            self._state.figures = figures

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Keep the bar away while something else writes to stderr."""
        with contextlib.nullcontext() if self._shown is None else self._shown.aside():
            yield

    def say(self, text: str) -> None:
        """Write a line to stderr, above the bar if there is one."""
        if sys.stderr is not None:
            with self.aside():
                print(printable(text), file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the bar as it stands; more steps are not shown."""
        if self._shown is not None:
            self._state.ended = True
            self._shown.close()
            self._shown = None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook."""
    # Whoever asks for a kernel has imported it, so nothing is imported to look.
    find = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return find is not None and hasattr(find(), "kernel")


class _State:
    """How far a loop has come, in words."""

    def __init__(self, total: int | None, label: str, unit: str | None, done: int, scale: int) -> None:
        self.total, self.label, self.unit, self.scale = total, printable(label), unit, scale
        self.n = self.done = done
        self.figures, self.ended = "", False
        self._began = time.monotonic()

    @property
    def head(self) -> str:
        """What is done, and how many steps of how many."""
        if self.unit is None:
            return self.label
        counts = [self.n] if self.total is None else [self.n, self.total]
        texts = [f"{count:,}" if self.scale == 1 else f"{count / self.scale:,.1f}" for count in counts]
        return f"{self.label} {'/'.join(texts)} {self.unit}"

    @property
    def clock(self) -> str:
        """The time that is left if the rest goes as fast; in the end, and as long as nobody knows, the time taken."""
        taken, advanced = time.monotonic() - self._began, self.n - self.done
        if self.ended or self.total is None or advanced <= 0 or self.n >= self.total:
            return _clock(taken)
        return f"{_clock(taken * (self.total - self.n) / advanced)} left"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


class _Bar:
    """A bar between two texts, which keep to the width of the terminal."""

    def __init__(self, state: _State) -> None:
        with warnings.catch_warnings():  # of a notebook that lacks widgets, and gets a bar of text
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm  # here, because most imports of the package never show a bar
            from tqdm.notebook import tqdm_notebook

            # Asked by tqdm, a terminal that does not know its size would get an empty line for a bar. In the last
            # column some terminals begin a new line.
            self._columns = shutil.get_terminal_size().columns - 1
            self._state, widgets = state, issubclass(tqdm, tqdm_notebook)
            shape = {} if widgets else {"ncols": self._columns, "nrows": shutil.get_terminal_size().lines}
            format_ = self._format
            self._bar = tqdm(
                total=state.total, initial=state.done, bar_format=format_, miniters=1, ascii=_symbols(), **shape
            )

    @property
    def _format(self) -> str:
        head, clock = (text.replace("{", "{{").replace("}", "}}") for text in (self._state.head, self._state.clock))
        room = self._columns - len(head) - len(clock) - 3 - LEAST_BAR
        figures = self._state.figures
        figures = figures if len(figures) <= room else f"{figures[: room - 1]}…" if room > 1 else ""
        return " ".join(filter(None, [head, "{bar}", figures.replace("{", "{{").replace("}", "}}"), clock]))

    def step(self, n_steps: int) -> None:
        self._bar.bar_format = self._format
        self._bar.update(n_steps)

    def aside(self) -> contextlib.AbstractContextManager[object]:
        aside: contextlib.AbstractContextManager[object] = self._bar.external_write_mode(file=sys.stderr)
        return aside

    def close(self) -> None:
        self._bar.bar_format = self._format
        self._bar.refresh()
        self._bar.close()


def _symbols() -> str:
    try:
        SYMBOLS.encode(getattr(sys.stderr, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return PLAIN_SYMBOLS
    return SYMBOLS


class _Lines:
    """A line each minute, by a thread of its own, so that a loop whose steps are long is not silent either."""

    def __init__(self, state: _State) -> None:
        self._state, self._ended, self._said = state, threading.Event(), False
        self._thread = threading.Thread(target=self._tell, name="progress", daemon=True)
        self._thread.start()

    def _tell(self) -> None:
        while not self._ended.wait(A_LINE):
            self._said = True
            self._write()

    def _write(self) -> None:
        state = self._state
        with contextlib.suppress(OSError, ValueError):  # of a stream that is closed meanwhile
            text = ", ".join(filter(None, [state.head, state.figures, state.clock]))
            print(printable(text), file=sys.stderr, flush=True)

    def step(self, n_steps: int) -> None:
        pass

    def aside(self) -> contextlib.AbstractContextManager[object]:
        return contextlib.nullcontext()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        if self._said:
            self._write()
