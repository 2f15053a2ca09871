"""Progress bars for long loops, which cost nothing where nobody is looking."""

import shutil
import sys
from types import TracebackType


class Progress:
    """A bar on stderr that counts to ``total``; silent unless stderr is a terminal.

    Parameters
    ----------
    total : int or None
        Number of steps; None if only the end will tell.
    label : str
        What is counted, at the bar's left.
    unit : str
        Name of one step, for the rate.
    done : int
        Steps done before, by an interrupted run for instance.
    show : bool
        False keeps it silent on a terminal too.
    scale : bool
        Write large numbers of steps as 9.9M, for bytes.

    Examples
    --------
    >>> with Progress(100, "training", unit="epoch") as progress:
    ...     for epoch in range(100):
    ...         progress.step(validation="97.3 %")
    """

    def __init__(
        self,
        total: int | None,
        label: str,
        *,
        unit: str = "step",
        done: int = 0,
        show: bool = True,
        scale: bool = False,
    ) -> None:
        self._bar = None
        if show and sys.stderr is not None and sys.stderr.isatty():
            from tqdm import tqdm  # here, because most imports of the package never show a bar

            # Asked by tqdm, a terminal that does not know its size would get an empty line for a bar.
            size = shutil.get_terminal_size()
            shape = {"ncols": size.columns, "nrows": size.lines}
            self._bar = tqdm(total=total, desc=label, unit=unit, initial=done, unit_scale=scale, **shape)

    def step(self, n_steps: int = 1, **figures: object) -> None:
        """Advance by ``n_steps`` and show ``figures`` at the bar's right."""
        if self._bar is not None:
            if figures:
                self._bar.set_postfix(figures, refresh=False)
            self._bar.update(n_steps)

    def say(self, text: str) -> None:
        """Write a line to stderr, above the bar if there is one."""
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        elif sys.stderr is not None:
            print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the bar as it stands; more steps are not shown."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()
