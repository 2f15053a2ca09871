"""Pictures in the formats of cameras and of the web, without which only arrays could be learned from."""

import re
import warnings
from collections.abc import Callable
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spikenn_cy.data.reading import opened
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.utils.extras import extra

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
BEGINNINGS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF", b"P2", b"P3", b"P5", b"P6")

Size = tuple[int, int]  # rows, columns
Prepare = Callable[[np.ndarray, Path], np.ndarray]  # what to take in place of the picture in a file


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures in a folder, numbers in their names in the order of numbers; hidden files are passed over."""
    found = [path for path in folder.iterdir() if is_picture(path)]
    return sorted(found, key=lambda path: natural(path.name))


def is_picture(path: Path) -> bool:
    """Tell whether a file is a picture by its name."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and not path.is_dir()


def natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Return by what names are sorted so that 9 comes before 10."""
    parts = re.split(r"([0-9]{1,18})", name)
    return [(int(part), "") if part.isascii() and part.isdigit() else (-1, part) for part in parts], name


def read_picture(path: Path, size: Size | None = None) -> np.ndarray:
    """Read one picture.

    Parameters
    ----------
    path : Path
        In any format of ``SUFFIXES``. It is turned upright as its camera says. Depths of 16 bits are
        reduced to 8, a palette is looked up.
    size : tuple of int, optional
        Rows and columns that the picture is scaled to, whatever its proportions.

    Returns
    -------
    ndarray of uint8, shape (rows, columns) or (rows, columns, 3)
        The former if no pixel has a colour.

    Raises
    ------
    DataError
        If the file is no such picture, has more than one, or pixels that are not opaque.
    MissingExtra
        If Pillow is not installed.
    """
    with extra("images", where=str(path)):
        from PIL import Image
        from PIL import ImageOps
        from PIL import UnidentifiedImageError
    with opened(path, "picture") as file, warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            picture = Image.open(file)
        except UnidentifiedImageError:
            raise DataError(f"{path}: must be a picture ({', '.join(SUFFIXES)}), got another file") from None
        n_pictures = getattr(picture, "n_frames", 1)
        require(n_pictures == 1, path, "must hold one picture", n_pictures, DataError)
        picture = ImageOps.exif_transpose(picture)
        pixels = _pixels(picture, path)
        if size is not None and pixels.shape[:2] != size:
            rows, columns = size
            pixels = np.asarray(Image.fromarray(pixels).resize((columns, rows), Image.Resampling.LANCZOS))
    coloured = pixels.ndim == 3 and bool((pixels != pixels[:, :, :1]).any())
    return np.ascontiguousarray(pixels if coloured or pixels.ndim == 2 else pixels[:, :, 0])


def _pixels(picture: "Image", path: Path) -> np.ndarray:  # type: ignore[name-defined] # noqa: F821 # of an extra
    """Return the pixels of an open picture, grey or red, green and blue, opaque."""
    if picture.mode in ("I", "F", "I;16", "I;16B", "I;16L"):
        values = np.asarray(picture)
        ok = values.dtype.kind in "iu" and int(values.min()) >= 0 and int(values.max()) < 1 << 16
        require(ok, path, "must have pixels of 8 or 16 bits", f"pixels of {values.dtype}", DataError)
        return np.round(values / 257).astype(np.uint8)
    if picture.mode == "L":
        return np.asarray(picture)
    if picture.mode == "1":
        return np.asarray(picture.convert("L"))
    if "A" in picture.mode or "transparency" in picture.info:
        layers = np.asarray(picture.convert("RGBA"))
        opaque = bool((layers[:, :, 3] == 255).all())
        rule = "must be opaque, since what is behind it is not known"
        require(opaque, path, rule, "transparent pixels", DataError)
        return layers[:, :, :3]
    return np.asarray(picture.convert("RGB"))


def read_pictures(paths: Sequence[Path], size: Size | None = None, prepare: Prepare | None = None) -> np.ndarray:
    """Read pictures of one size as one array.

    Parameters
    ----------
    paths : sequence of Path
        At least one.
    size : tuple of int, optional
        Rows and columns that all are scaled to. Otherwise they must be of one size.
    prepare : callable, optional
        Is given each picture and its file, and returns the picture to take.

    Returns
    -------
    ndarray of uint8, shape (n, rows, columns) or (n, rows, columns, 3)
        The former if no picture has a colour.

    Raises
    ------
    DataError
        As `read_picture`, or at the first picture of another size.
    """
    found: list[np.ndarray] = []
    for path in paths:
        picture = read_picture(path, size)
        found.append(picture if prepare is None else prepare(picture, path))
        ok = found[-1].shape[:2] == found[0].shape[:2]
        rule = f"must be of {shape_of(found[0])} pixels like {paths[0].name} (--size HxW scales pictures)"
        require(ok, path, rule, shape_of(found[-1]), DataError)
    return stacked(found)


def stacked(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Return pictures of one size as one array, grey ones in colour if one of them is."""
    if all(picture.ndim == 2 for picture in pictures):
        return np.stack(pictures)
    return np.concatenate([in_colour(picture[None]) for picture in pictures])


def in_colour(images: np.ndarray) -> np.ndarray:
    """Return images of shape (n, rows, columns) or (n, rows, columns, 3) as the latter."""
    return images if images.ndim == 4 else np.repeat(images[..., None], 3, axis=3)


def shape_of(picture: np.ndarray) -> str:
    """Return the size of a picture in words."""
    return " x ".join(map(str, picture.shape[:2]))
