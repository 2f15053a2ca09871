"""Make a network that comes with the package: ``python -m benchmarks.pretrained mnist IMAGES DIR``.

``IMAGES`` is a folder with the published files, ``DIR`` a new one for data, run and result. The commands are printed as
they are done, and are in the card. What lies in ``DIR/mnist`` at the end goes to ``spikenn_cy/bundled/mnist``: the
network in whole numbers, the extractor, and the card. Nothing was chosen by the test images: training has as many
epochs as its settings say, weights have the 8 bits of a byte, and times as many bits as the extractor has levels.
"""

import argparse
import hashlib
import json
import shlex
import shutil
from pathlib import Path

import msgspec
import numpy as np

import spikenn_cy
from spikenn_cy import IntegerReadout
from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.bundled.networks import BUNDLES
from spikenn_cy.bundled.networks import CARD
from spikenn_cy.bundled.networks import EXTRACTOR
from spikenn_cy.bundled.networks import NETWORK
from spikenn_cy.bundled.networks import Card
from spikenn_cy.cli.entry import main as command

SOURCES = {
    "mnist": (
        "MNIST (LeCun, Cortes, Burges), fold 0: 54,000 training images",
        "CC BY-SA 3.0",
        "configs/pixels/MNIST/conv.json",
        (8, 5),
    ),
    "fmnist": (
        "Fashion-MNIST (Xiao, Rasul, Vollgraf; Zalando SE), fold 0: 54,000 training images",
        "MIT",
        "configs/pixels/F-MNIST/conv.json",
        (8, 4),
    ),
}


def main(words: list[str] | None = None) -> None:
    """Download nothing; train, quantise, measure, write the card."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=SOURCES)
    parser.add_argument("images", help="folder with the published files")
    parser.add_argument("folder", type=Path, help="for data, run and result")
    asked = parser.parse_args(words)
    _, _, settings, (bits, time_bits) = SOURCES[asked.name]
    data, spikes, run = (asked.folder / name for name in ("data", "spikes", "run"))
    result = asked.folder / asked.name
    result.mkdir(parents=True, exist_ok=True)
    widths = ["--bits", str(bits), "--time_bits", str(time_bits)]
    steps = [
        ["dataset", asked.name, str(data), "--from", asked.images],
        ["extract", "pixels", str(data / "kfold" / "0"), str(spikes)],
        ["run", str(spikes), str(run), settings],
        ["quantize", str(run), "--input", str(spikes), *widths, "--out", str(result / NETWORK)],
    ]
    for step in steps:
        print("$ spikenn-cy", shlex.join(step), flush=True)
        if command(step) != 0:
            raise SystemExit(2)
    shutil.copyfile(spikes / "model.npz", result / EXTRACTOR)
    commands = ["dataset {0} data", "extract pixels data/kfold/0 spikes", "run spikes run {1}"]
    commands.append(f"quantize run --input spikes --bits {bits} --time_bits {time_bits} --out {NETWORK}")
    lines = tuple("spikenn-cy " + line.format(asked.name, settings) for line in commands)
    card = card_of(asked.name, result, run, spikes, lines)
    (result / CARD).write_text(msgspec.json.format(msgspec.json.encode(card), indent=2).decode() + "\n")
    print(f"{100 * card.test_accuracy:.2f} % of {card.n_test:,} test images: {result}")


def card_of(name: str, result: Path, run: Path, spikes: Path, commands: tuple[str, ...]) -> Card:
    """Measure a network and say how it was made."""
    data, data_licence, settings, _ = SOURCES[name]
    network, test = IntegerReadout.load(result / NETWORK), SpikingDataset.from_file(spikes / "testset.npz")
    found = network.decisions(test)
    names = json.loads((spikes / "extraction.json").read_text()).get("class_names")
    return Card(
        name=name,
        title=BUNDLES[name].title,
        data=data,
        data_licence=data_licence,
        licence="BSD-3-Clause",
        commands=commands,
        settings=json.loads(Path(settings).read_text()),
        bits=network.bits,
        time_bits=network.time_bits,
        n_test=len(test),
        test_accuracy=network.score(test),
        test_accuracy_float=Readout.load(run / "model.npz").score(test),
        test_spikes=float(np.mean(found.n_spikes.sum(axis=1))),
        test_additions=float(np.mean(found.n_additions.sum(axis=1))),
        class_names=tuple(names or map(str, network.classes.tolist())),
        sha256={file: hashlib.sha256((result / file).read_bytes()).hexdigest() for file in (NETWORK, EXTRACTOR)},
        made_with=f"spikenn_cy {spikenn_cy.__version__}, NumPy {np.__version__}",
    )


if __name__ == "__main__":
    main()
