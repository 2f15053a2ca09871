"""A figure that notebooks show by themselves: matplotlib's own do so only after ``%matplotlib inline``."""

from spikenn_cy.utils.extras import extra

with extra("plot", where="plot"):
    from matplotlib.figure import Figure

SHARP = 2  # dots of a picture for each one that a notebook shows, for screens that have so many


class NotebookFigure(Figure):
    """A Figure of matplotlib in every respect, which says as well what it looks like as a PNG."""

    def _repr_png_(self) -> tuple[bytes, dict[str, object]]:
        """Return the picture, and its size in a notebook with words for those who cannot see it."""
        from spikenn_cy.plots.canvas import rendered

        width, height = (round(length) for length in self.get_size_inches() * self.dpi)
        told = {"width": width, "height": height, "alt": str(self.get_label())}
        return rendered(self, "png", SHARP * self.dpi), told
