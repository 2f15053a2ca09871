"""Settings of STDP-CSNN, and those that were published."""

import re
from collections.abc import Iterator
from typing import Any
from typing import Literal

from spikenn_cy.data.arrays import COUNT_MAX
from spikenn_cy.errors import ConfigError
from spikenn_cy.settings.records import Record

SHAPES = {"MNIST": (28, 28, 1), "F-MNIST": (28, 28, 1), "CIFAR10": (32, 32, 3), "CIFAR100": (32, 32, 3)}


class STDPCSNNConfig(Record, frozen=True, kw_only=True):
    """Settings of `STDPCSNN`, under the names of the published files; the defaults are those for MNIST.

    ``dataset`` names images of known shape and refuses others. Pixels, from 0 to 1, are
    whitened (``whiten``), or else made gray (``to_grayscale``) and filtered by a
    difference of Gaussians ``dog``: side in pixels, standard deviation of the centre and
    of the surround; ``null`` leaves them as they are. ``feature_scaling`` scales each
    feature from its least to its largest value in the training images.

    ``conv1_c`` filters of side ``conv1_k``, or ``conv1_k_h`` rows by ``conv1_k_w``
    columns, begin with weights drawn from a normal distribution (``conv1_w_init_mean``,
    ``conv1_w_init_std``) and a threshold of ``conv1_th``. They learn for ``conv1_epochs``
    from one patch of each image. The winner should fire at ``conv1_t_obj`` (-1: at any
    time), for which thresholds move at the rate ``conv1_lr_th`` and never below
    ``conv1_min_th``. ``conv1_stdp`` is the rule; ``conv1_stdp_lr`` its rate, or rates of
    potentiation and depression; ``conv1_stdp_b`` the multiplicative rule's exponent;
    ``conv1_stdp_t`` the biological rule's time constant. All rates are multiplied by
    ``conv1_annealing`` after each epoch. With ``conv1_wta_infer`` a position ends at its
    first spike. ``pool1_size`` is the side of a pooling window.

    ``use_sparse`` has no effect, and is there because published files have it.
    ``reference_compatible`` computes what the reference implementation did where that
    was a slip; see `STDPCSNN`.
    """

    dataset: str | None = None
    to_grayscale: bool = False
    dog: tuple[float, ...] | None = (7, 1, 2)
    whiten: bool = False
    feature_scaling: bool = True
    conv1_epochs: int = 100
    conv1_c: int = 128
    conv1_k: int | None = None
    conv1_k_w: int | None = None
    conv1_k_h: int | None = None
    conv1_w_init_mean: float = 0.5
    conv1_w_init_std: float = 0.01
    conv1_t_obj: float = 0.75
    conv1_th: float = 5.0
    conv1_min_th: float = 2.0
    conv1_lr_th: float = 1.0
    conv1_stdp: Literal["multiplicative", "biological"] = "multiplicative"
    conv1_stdp_t: float = 0.1
    conv1_stdp_b: float = 1.0
    conv1_stdp_lr: float | tuple[float, ...] = 0.1
    conv1_annealing: float = 0.95
    conv1_wta_infer: bool = False
    pool1_size: int = 4
    use_sparse: bool = True
    reference_compatible: bool = False

    def check(self) -> None:
        known = self.dataset is None or self.dataset in SHAPES
        self.rule(known, "dataset", f"must be {', '.join(SHAPES)} or null")
        if self.dog is not None:
            size = self.dog[0] if len(self.dog) == 3 else 0
            ok = size == int(size) and 1 <= size <= 255 and size % 2 == 1 and min(self.dog) > 0
            self.rule(ok, "dog", "must be [odd side up to 255, sigma of the centre > 0, sigma of the surround > 0]")
        if self.conv1_k is not None:
            for key in ("conv1_k_w", "conv1_k_h"):
                self.rule(getattr(self, key) is None, key, "must not be given beside conv1_k")
        for key in ("conv1_k_w", "conv1_k_h"):
            other = "conv1_k_h" if key == "conv1_k_w" else "conv1_k_w"
            alone = getattr(self, key) is not None and getattr(self, other) is None
            self.rule(not alone, key, f"must not be given without {other}")
        for key in ("conv1_k", "conv1_k_w", "conv1_k_h"):
            value = getattr(self, key)
            self.rule(value is None or 1 <= value <= 255, key, "must be from 1 to 255")
        self.rule(0 <= self.conv1_epochs <= COUNT_MAX, "conv1_epochs", "must be >= 0")
        self.rule(1 <= self.conv1_c <= 65536, "conv1_c", "must be from 1 to 65536")
        self.rule(1 <= self.pool1_size <= 65536, "pool1_size", "must be from 1 to 65536")
        for key in ("conv1_w_init_std", "conv1_th", "conv1_min_th", "conv1_lr_th", "conv1_stdp_b"):
            self.rule(getattr(self, key) >= 0, key, "must be >= 0")
        self.rule(self.conv1_t_obj >= 0 or self.conv1_t_obj == -1, "conv1_t_obj", "must be >= 0, or -1 for none")
        self.rule(self.conv1_stdp_t > 0, "conv1_stdp_t", "must be > 0")
        rates = self.conv1_stdp_lr
        ok = len(rates) == 2 and min(rates) >= 0 if isinstance(rates, tuple) else rates >= 0
        self.rule(ok, "conv1_stdp_lr", "must be a rate >= 0 or [rate of potentiation, rate of depression], each >= 0")
        self.rule(0 <= self.conv1_annealing <= 1, "conv1_annealing", "must be from 0 to 1")

    def doubts(self) -> Iterator[tuple[str, str]]:
        if self.conv1_th < self.conv1_min_th:
            yield "conv1_th", f"is below conv1_min_th = {self.conv1_min_th}, to which the first spike raises it"

    @property
    def kernel_shape(self) -> tuple[int, int]:
        """Rows and columns of a filter."""
        if self.conv1_k_h is not None and self.conv1_k_w is not None:
            return self.conv1_k_h, self.conv1_k_w
        k = 5 if self.conv1_k is None else self.conv1_k
        return k, k

    @property
    def rates(self) -> tuple[float, float]:
        """Rates of potentiation and of depression."""
        rates = self.conv1_stdp_lr
        return (rates[0], rates[1]) if isinstance(rates, tuple) else (rates, rates)


# Published with the NeurIPS 2024 paper, by data set; all else as in the defaults.
PUBLISHED = {
    "MNIST": {"dataset": "MNIST", "conv1_k": 5},
    "F-MNIST": {"dataset": "F-MNIST", "conv1_k": 5, "conv1_t_obj": 0.8},
    "CIFAR10": {"dataset": "CIFAR10", "conv1_k": 5, "dog": None, "whiten": True, "conv1_th": 10.0, "conv1_t_obj": 0.95},
    "CIFAR100": {
        "dataset": "CIFAR100",
        "conv1_k": 5,
        "dog": None,
        "whiten": True,
        "conv1_th": 10.0,
        "conv1_t_obj": 0.95,
    },
}


def published_settings(name: str, shape: tuple[int, ...]) -> dict[str, Any]:
    """Return the published settings for a data set, as `STDPCSNN.published` says."""
    shape = (*shape, 1)[:3]
    known = {_plain_name(key): key for key in PUBLISHED}
    # Of two data sets of one shape the first is meant; unknown ones learn from any.
    key = known.get(_plain_name(name)) or next((key for key in PUBLISHED if SHAPES[key] == shape), None)
    if key is None or SHAPES[key] != shape:
        rule = "must be given for images other than those of MNIST, F-MNIST, CIFAR10 and CIFAR100"
        raise ConfigError(f"settings: {rule}, got none for {name} of {' x '.join(map(str, shape))}")
    return PUBLISHED[key]


def _plain_name(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower().replace("fashion", "f"))
