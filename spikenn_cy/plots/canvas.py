"""How every picture is made and kept: one size, one set of colours, no state that other programs share."""

import io
import os
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import cast

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.labels import text_of
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import RunError
from spikenn_cy.errors import require
from spikenn_cy.utils.atomic import atomic_file
from spikenn_cy.utils.extras import extra
from spikenn_cy.utils.validation import is_real

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

WIDTH = 8.0  # inches, so that 100 dots an inch make 800 pixels, at which all text is to be readable
DPI = 200
FORMATS = ("png", "svg", "pdf")
FEWEST_DOTS, MOST_DOTS = 20, 1000  # an inch

# Told apart with any kind of colour vision. M. Okabe, K. Ito: Color Universal Design, 2008.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#767676"
COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, BLACK)
SEQUENTIAL = "cividis"
ABSENT = "#F3E3C2"  # for what was not measured
LONGEST_NAME = 16  # characters


def new_figure(height: float, width: float = WIDTH) -> "Figure":
    """Return an empty figure of a size in inches.

    It belongs to its caller alone: no window, no backend and no list of figures knows it.

    Raises
    ------
    MissingExtra
        If matplotlib is not installed.
    """
    from spikenn_cy.plots.figure import NotebookFigure  # here, since it needs matplotlib

    return NotebookFigure(figsize=(width, height), dpi=100, layout="constrained")


def axes_for(ax: "Axes | None", height: float) -> "Axes":
    """Return the axes to draw in: those that a caller gave, or else those of a new figure of a height in inches.

    Raises
    ------
    RunError
        If ``ax`` is no axes of matplotlib.
    """
    if ax is None:
        return new_figure(height).add_subplot()
    with extra("plot", where="plot"):
        from matplotlib.axes import Axes
    if not isinstance(ax, Axes):
        raise RunError(f"ax: must be axes of matplotlib, such as Figure.add_subplot returns, got {type(ax).__name__}")
    return ax


def with_alt_text(drawn: "Figure | Axes", text: str) -> "Figure":
    """Return the figure with a text that says what it shows, for those who cannot see it; `alt_text` gives it back.

    Of axes, the figure they are in, which may show more already.
    """
    figure = cast("Figure", drawn if hasattr(drawn, "savefig") else drawn.figure)
    figure.set_label(f"{alt_text(figure)} {text}".strip())
    return figure


def alt_text(figure: "Figure") -> str:
    """Return what a figure shows, in words."""
    if not hasattr(figure, "savefig"):
        raise RunError(f"figure: must be a Figure of matplotlib, got {type(figure).__name__}")
    return str(figure.get_label())


def from_white() -> "Colormap":
    """Return the colours from nearly white to dark blue, for values most of which are the least one."""
    with extra("plot", where="plot"):
        from matplotlib.colors import LinearSegmentedColormap
    colours = LinearSegmentedColormap.from_list("from-white", ["#F7F7F7", SKY, BLUE, "#00203A"])
    return colours.with_extremes(bad=ABSENT)


def diverging() -> "Colormap":
    """Return the colours from blue through white to orange, for values below and above zero."""
    with extra("plot", where="plot"):
        from matplotlib.colors import LinearSegmentedColormap
    return LinearSegmentedColormap.from_list("blue-orange", [BLUE, "#FFFFFF", VERMILION])


def label_text(value: object, most: int | None = 80) -> str:
    """Return what somebody else wrote as text of printable characters on one line, at most ``most`` of them."""
    text = text_of(value) if isinstance(value, bytes) else str(value)
    text = " ".join(text.encode("utf-8", "backslashreplace").decode("utf-8").split())
    text = "".join(character if character.isprintable() else "\ufffd" for character in text)
    return text if most is None or len(text) <= most else f"{text[: most - 1]}\u2026"


def short_text(value: object) -> str:
    """Return a name that somebody else chose as text that fits beside a picture."""
    return label_text(value, LONGEST_NAME)


def set_names(axis: "Axis", positions: npt.ArrayLike, names: Iterable[object], **properties: Any) -> None:
    """Put names at positions of an axis; a dollar sign in one does not begin a formula."""
    axis.set_ticks(positions, [short_text(name) for name in names], **properties, parse_math=False)


def whole_numbers(axis: Any) -> None:
    """Put ticks at whole numbers only, such as those of epochs, even if there is but one."""
    axis.get_major_locator().set_params(integer=True, min_n_ticks=1)


def thinned(n_names: int, n_fitting: int) -> np.ndarray:
    """Return which of ``n_names`` names to show, at even distances, so that at most ``n_fitting`` are shown."""
    step = next(
        size * 10**power for power in range(12) for size in (1, 2, 5) if n_names <= size * 10**power * n_fitting
    )
    return np.arange(0, n_names, step)


def tidy(axes: "Axes") -> None:
    """Take away the lines of a frame that carry no scale, and help the eye with a faint grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)


def mosaic(images: np.ndarray, n_columns: int, gap: int, fill: float = np.nan) -> np.ndarray:
    """Return equal images side by side in one, row by row.

    Parameters
    ----------
    images : ndarray of shape (n, height, width) or (n, height, width, 3)
    n_columns : int
        Images in a row.
    gap : int
        Pixels between two.
    fill : float
        Value of the gaps, and of places without an image.

    Returns
    -------
    ndarray of float32, shape (rows, columns) or (rows, columns, 3)
    """
    n, height, width, *depth = images.shape
    n_rows = -(-n // n_columns)
    whole = np.full((n_rows * (height + gap) - gap, n_columns * (width + gap) - gap, *depth), fill, np.float32)
    for number, image in enumerate(images):
        top, left = (number // n_columns) * (height + gap), (number % n_columns) * (width + gap)
        whole[top : top + height, left : left + width] = image
    return whole


def check_dpi(dpi: float) -> None:
    """Raise `RunError` unless a picture can have so many dots an inch."""
    rule = f"must be a number from {FEWEST_DOTS} to {MOST_DOTS}"
    require(is_real(dpi) and FEWEST_DOTS <= dpi <= MOST_DOTS, "dpi", rule, dpi, RunError)


def rendered(figure: "Figure", form: str = "png", dpi: float = DPI) -> bytes:
    """Return a figure as the bytes of a file; the same figure gives the same bytes.

    Parameters
    ----------
    figure : Figure
    form : {"png", "svg", "pdf"}
    dpi : float
        Dots an inch, of a picture 8 inches wide; what is no picture of dots in an SVG or a
        PDF does not depend on it.

    Raises
    ------
    RunError
        If there is no such form, or ``dpi`` is no number from 20 to 1000.
    """
    require(form in FORMATS, "format", f"must be one of {', '.join(FORMATS)}", form, RunError)
    check_dpi(dpi)
    alt_text(figure)
    with extra("plot", where="plot"):
        from matplotlib import rc_context
    # What says when a file was made would make every one another.
    metadata = {
        "png": {"Description": alt_text(figure)},
        "svg": {"Description": alt_text(figure), "Date": None},
        "pdf": {"Subject": alt_text(figure), "CreationDate": None},
    }[form]
    file = io.BytesIO()
    with rc_context({"svg.hashsalt": "spikenn_cy"}), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        figure.savefig(file, format=form, dpi=dpi, metadata=metadata)
    for warning in caught:
        if "missing from font" not in str(warning.message):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    if any("missing from font" in str(warning.message) for warning in caught):
        text = "names in a picture have characters that the font lacks; font.family in matplotlibrc sets another"
        warnings.warn(DataWarning(text), stacklevel=2)
    return file.getvalue()


def write_figure(figure: "Figure", path: str | os.PathLike[str], dpi: float = DPI) -> None:
    """Write a figure to a file whose suffix says in which form, atomically.

    Raises
    ------
    RunError
        If the suffix is none of ``.png``, ``.svg`` and ``.pdf``, or the file cannot be written.
    """
    if not isinstance(path, str | os.PathLike):
        raise RunError(f"path: must be that of a file to write, got {type(path).__name__}")
    form = Path(path).suffix.lower().removeprefix(".")
    require(
        form in FORMATS, os.fspath(path), f"must end with {', '.join(f'.{name}' for name in FORMATS)}", form, RunError
    )
    content = rendered(figure, form, dpi)
    with atomic_file(path) as file:
        file.write(content)
