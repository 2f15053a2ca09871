"""Pictures framed as the images of a data set are, without which a network would be asked about what it never saw."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikenn_cy.utils.extras import extra

SIDE = 28  # pixels of an image of MNIST and Fashion-MNIST
FAINT = 0.15  # of the strongest ink: what is weaker is paper

Grey = npt.NDArray[np.uint8]


class Frame(NamedTuple):
    """Where in an image of ``SIDE`` times ``SIDE`` pixels its object is.

    Attributes
    ----------
    box : int
        Pixels of its longer side.
    by_mass : bool
        The centre of mass is in the middle, as with MNIST (LeCun et al. 1998); otherwise that of the box.
    """

    box: int
    by_mass: bool

    def framed(self, picture: Grey) -> tuple[Grey, str]:
        """Return a picture as a grey image, bright on dark, and what was done to it in words.

        What has the size of an image and a dark edge is one already, and stays as it is.

        Parameters
        ----------
        picture : ndarray of uint8, shape (rows, columns) or (rows, columns, 3)
        """
        done = []
        if picture.ndim == 3:
            picture = np.round(picture @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)  # as television has it
            done.append("made grey")
        if background(picture) > 127:
            picture = 255 - picture
            done.append("inverted, since it is dark on bright")
        if picture.shape != (SIDE, SIDE):
            rows, columns = picture.shape
            picture = self._placed(picture)
            done.append(f"cut out of {rows} x {columns} pixels and scaled to {SIDE} x {SIDE}")
        if not picture.any():
            done.append("empty, so that silence is classified")
        return picture, ", ".join(done)

    def _placed(self, picture: Grey) -> Grey:
        with extra("images", where="picture"):
            from PIL import Image
        ink = np.clip(picture.astype(np.float64) - background(picture), 0, None)
        ink = np.where(ink < FAINT * ink.max(), 0, ink)
        image = np.zeros((SIDE, SIDE), np.uint8)
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        if rows.size == 0:  # nothing but paper
            return image
        cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        scale = self.box / max(cut.shape)
        height, width = (max(1, round(scale * length)) for length in cut.shape)
        small = Image.fromarray(np.round(cut * (255 / cut.max())).astype(np.uint8))
        kernel = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
        small = np.asarray(small.resize((width, height), kernel))
        top, left = (SIDE - height) // 2, (SIDE - width) // 2
        if self.by_mass:
            mass = small.sum(dtype=np.float64)
            centre = [float(small.sum(axis=1 - axis) @ np.arange(small.shape[axis])) / mass for axis in (0, 1)]
            top, left = (round((SIDE - 1) / 2 - place) for place in centre)
            top, left = (int(np.clip(place, 0, SIDE - size)) for place, size in ((top, height), (left, width)))
        image[top : top + height, left : left + width] = small
        return image


def background(picture: Grey) -> float:
    """Return the median of the pixels at the edge of a picture."""
    return float(np.median(np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])))
