"""Trained networks that come with the package, each with a card that says how it was made."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from spikenn_cy.bundled.framing import Frame
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.features import Extractor
from spikenn_cy.features import load_extractor
from spikenn_cy.network.integer.model import IntegerReadout

FOLDER = Path(__file__).parent
CARD, NETWORK, EXTRACTOR = "card.json", "network.npz", "extractor.npz"


class Bundle(NamedTuple):
    """What the package knows of a network before it is read."""

    title: str
    frame: Frame


BUNDLES = {
    "mnist": Bundle("handwritten digits", Frame(box=20, by_mass=True)),
    "fmnist": Bundle("pieces of clothing", Frame(box=28, by_mass=False)),
}


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """How a network was made, and what it reaches; a file ``card.json`` beside it.

    Attributes
    ----------
    name, title : str
    data, data_licence, licence : str
        What it was trained on; licences of the data and of the network.
    commands : tuple of str
        Make both files anew.
    settings : dict
        Of the network that was trained, in floating point.
    bits, time_bits : int
        Of weights, with their sign, and of spike times.
    n_test : int
    test_accuracy, test_accuracy_float : float
        Shares of test images that are right, of this network and of the one it was made of.
    test_spikes, test_additions : float
        Of a decision, input spikes included, as means over the test images.
    class_names : tuple of str
    sha256 : dict
        Of each file.
    made_with : str
    """

    name: str
    title: str
    data: str
    data_licence: str
    licence: str
    commands: tuple[str, ...]
    settings: dict[str, Any]
    bits: int
    time_bits: int
    n_test: int
    test_accuracy: float
    test_accuracy_float: float
    test_spikes: float
    test_additions: float
    class_names: tuple[str, ...]
    sha256: dict[str, str]
    made_with: str


@dataclass(frozen=True, repr=False)
class Pretrained:
    """A trained network in whole numbers, and the extractor that makes spikes of images for it; see `pretrained`.

    Attributes
    ----------
    card : Card
    network : IntegerReadout
    extractor : Extractor
    """

    card: Card
    network: IntegerReadout
    extractor: Extractor

    def __repr__(self) -> str:
        card = self.card
        return (
            f"<Pretrained {card.name}: {card.title}, {100 * card.test_accuracy:.2f} % of {card.n_test:,} test images>"
        )

    @property
    def frame(self) -> Frame:
        """How a picture of any size becomes an image as those of the training."""
        return BUNDLES[self.card.name].frame

    def spikes(self, images: npt.ArrayLike, n_threads: int = 1) -> SpikingDataset:
        """Return images as the spikes that the network takes.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, 28, 28)
            Bright on dark, as those of the data set.
        n_threads : int, default=1

        Raises
        ------
        DataError
            If they are of another kind or size.
        """
        return self.extractor.transform(images, n_threads=n_threads)

    def predict(self, images: npt.ArrayLike, n_threads: int = 1) -> np.ndarray:
        """Return the class of each image, an element of ``network.classes``; arguments as of `spikes`."""
        return self.network.predict(self.spikes(images, n_threads), n_threads)


def pretrained(name: str) -> Pretrained:
    """Return a trained network that comes with the package.

    Parameters
    ----------
    name : str
        ``"mnist"``: handwritten digits; ``"fmnist"``: pieces of clothing.

    Returns
    -------
    Pretrained
        With ``network``, ``extractor`` and ``card``.

    Raises
    ------
    DataError
        If there is none of the name, or its files are not those of its card.

    Examples
    --------
    >>> from spikenn_cy import pretrained
    >>> digits = pretrained("mnist")
    >>> digits.network
    <IntegerReadout 784 -> 7,744 -> 10 neurons, 10 classes, weights of 8 bits, times of 5>
    """
    require(isinstance(name, str) and name in BUNDLES, "name", f"must be one of {', '.join(BUNDLES)}", name, DataError)
    folder = FOLDER / name
    card = read_card(name)
    for file, digest in card.sha256.items():
        found = hashlib.sha256((folder / file).read_bytes()).hexdigest()
        require(found == digest, str(folder / file), "must have the SHA-256 of its card", found, DataError)
    return Pretrained(card, IntegerReadout.load(folder / NETWORK), load_extractor(folder / EXTRACTOR))


def read_card(name: str) -> Card:
    """Return the card of a network by the name of the latter, one of ``BUNDLES``."""
    return msgspec.json.decode((FOLDER / name / CARD).read_bytes(), type=Card)
