"""What README and docs show works as it is written, and what they list is complete."""

import inspect
import json
import operator
import os
import re
import shutil
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pages
import pytest
from small_images import BATCHES
from small_images import cifar_files
from small_images import digits
from small_images import fetched
from small_images import tar_gz
from small_images import write_mnist
from small_runs import dense
from small_runs import settings
from small_runs import write_settings
from small_runs import write_short
from test_layers import FLOOR_OF
from test_layers import FLOORS

import spikenn_cy
from spikenn_cy.cli import COMMANDS
from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.entry import main
from spikenn_cy.config import AugmentConfig
from spikenn_cy.config import ExperimentConfig
from spikenn_cy.config import LayerConfig
from spikenn_cy.config import TrainerConfig
from spikenn_cy.data import READERS
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.published import SOURCES
from spikenn_cy.demo import CONFIG
from spikenn_cy.errors import ConfigError
from spikenn_cy.experiments import RUNNERS
from spikenn_cy.export import FORMATS
from spikenn_cy.export import GRAPH_READERS
from spikenn_cy.features import EXTRACTORS
from spikenn_cy.layers import LAYERS
from spikenn_cy.layers.feedbacks import FEEDBACKS
from spikenn_cy.layers.settings import NetworkLayerConfig
from spikenn_cy.network.forward import FORWARDS
from spikenn_cy.network.readout import Readout
from spikenn_cy.neurons import NEURONS
from spikenn_cy.plots import PICTURES
from spikenn_cy.regulators import REGULATORS
from spikenn_cy.rules import RULES
from spikenn_cy.rules.network import NetworkRuleConfig
from spikenn_cy.rules.stdp import AnnealedConfig
from spikenn_cy.rules.stdp import STDPConfig

pytestmark = pytest.mark.quick

ROOT = Path(__file__).parent.parent
PACKAGE = Path(spikenn_cy.__file__).parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = {page.stem: page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.md")}
PAGES = sorted(
    {
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "configs").glob("*.md"),
        *(ROOT / "benchmarks").glob("*.md"),
        *PACKAGE.rglob("*.md"),
    }
)


def name_of(page):
    return str(page.relative_to(ROOT if page.is_relative_to(ROOT) else PACKAGE.parent))


# ---------------------------------------------------------------------------- all that is shown is done


def write_small(folder, n_classes=2):
    """Write data so small that hundreds of runs take no time."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(("trainset", "valset", "testset")):
        SpikingDataset.from_numpy(*dense(6, seed, n_classes=n_classes)).save(folder / f"{name}.npz")


def readme(folder):
    """IN, CONFIG and arrays of its synopsis; its half a minute of runs in small, and its images few."""
    np.save(folder / "X.npy", np.random.default_rng(0).random((30, 12)))
    np.save(folder / "y.npy", np.arange(30) % 3)
    for place in (".", *map(str, range(10))):
        write_small(folder / "IN" / place)
    grid = "configs/digits/gs/s2stdp+ncg.json"
    write_short(folder / grid, ROOT / grid, grid=True)
    write_short(folder / "spikenn_cy" / "demo" / "config.json", CONFIG)
    published = "configs/STDP-CSNN/MNIST/s2stdp+ncg.json"
    write_short(folder / published, ROOT / published)
    write_mnist(folder / "downloads")

    def instead(line):
        if re.search(r" (dataset|extract|predict) ", line):
            return of_images(folder, line)
        if " encode " in line:
            shutil.rmtree(folder / "DATA", ignore_errors=True)
            rows = [f"{k % 7},{k % 3},{'abc'[k % 3]}" for k in range(30)]
            (folder / "TABLE").write_text("\n".join(["length,width,COLUMN", *rows]))
        line = line.replace("KEY=VALUE", "trainer.epochs=1").replace("--label CLASS --sample N", "--label 1 --sample 2")
        if " OUT" in line and " IN " in line:  # otherwise it asks for what the command before has left
            shutil.rmtree(folder / "OUT", ignore_errors=True)
            grid = {"optimizer": {"ap": [0.1, 0.05]}} if "gridsearch" in line else {}
            write_settings(folder / "CONFIG", trainer={"epochs": 1}, **grid)
        line = re.sub(r" (RUN_)?DIR ", " OUT ", f"{line} ").strip()  # of the run before
        # Published ablations are hundreds of runs.
        line = line.replace("kfold features/mnist logs/mnist", "kfold --K 2 features/mnist logs/mnist")
        return line.replace("--K 10", "--K 2").replace("30 50 70 100 150", "2 4")

    return instead


def save_picture(path, image):
    from PIL import Image

    Image.fromarray(image).save(path)


def of_images(folder, line):
    """Return a command line about images, with what it asks for in place."""
    images, labels = digits(20)
    if " digit.png" in line:
        save_picture(folder / "digit.png", images[0])
    elif " IMAGES " in line:
        np.save(folder / "IMAGES.npy", images)
        np.save(folder / "FILE.npy", labels)
        shutil.copy2(folder / "OUT" / "model.npz", folder / "E.npz")
        train = SpikingDataset.from_file(folder / "OUT" / "trainset.npz")
        Readout.from_config(settings(network={"n_neurons": 20}), train.n_inputs, 10).save(folder / "M.npz")
    elif " OUT " in line:
        shutil.rmtree(folder / "OUT", ignore_errors=True)
        (folder / "images").mkdir(exist_ok=True)
        images.tofile(folder / "images" / "X_train.bin")
        labels.tofile(folder / "images" / "y_train.bin")
        (folder / "CONFIG").write_text('{"conv1_c": 4}', encoding="utf-8")
    elif " data/mnist/kfold " in line:
        keep_two_folds(folder / "data" / "mnist")
    given = {"DIR": "downloads", "IN": "images", "N": "1", "IMAGES": "IMAGES.npy", "FILE": "FILE.npy"}
    for word, there in given.items():
        line = re.sub(rf" {word}\b(?![.])", f" {there}", line)
    return fetched(line)


def keep_two_folds(images):
    """Remove other folds of images than two, which show what ten do."""
    for fold in range(2, 10):
        shutil.rmtree(images / "kfold" / str(fold))


def commands(folder):
    """Published files with a few images; for the network that predicts one that has learned nothing."""
    write_mnist(folder / "downloads")
    files = cifar_files(BATCHES["cifar10"])[-1]
    (folder / "downloads" / BATCHES["cifar10"].archive).write_bytes(tar_gz(files.items()))

    def instead(line):
        if " extract softhebb " in line:
            return None  # it takes PyTorch; tests/test_softhebb.py does it
        if " data/mnist/kfold " in line:
            keep_two_folds(folder / "data" / "mnist")
        if " predict " in line:
            train = SpikingDataset.from_file(folder / "features" / "mnist" / "0" / "trainset.npz")
            (folder / "logs" / "mnist" / "0").mkdir(parents=True)
            model = Readout.from_config(settings(network={"n_neurons": 20}), train.n_inputs, 10)
            model.save(folder / "logs" / "mnist" / "0" / "model.npz")
        return line.replace("--cache downloads", "--from downloads")

    return instead


def reproducing(folder):
    """Published files with a few images, and the settings of the tree with one epoch."""
    write_mnist(folder / "downloads")
    published = Path("configs", "STDP-CSNN", "F-MNIST")
    for name in ("s2stdp+ncg.json", "gs/s2stdp+ncg.json"):
        write_short(folder / published / name, ROOT / published / name, grid=name.startswith("gs"))

    def instead(line):
        if " data/F-MNIST/kfold " in line:
            keep_two_folds(folder / "data" / "F-MNIST")
        line = line.replace(" kfold features", " kfold --K 2 --n_proc 1 features")
        line = line.replace(" gridsearch ", " gridsearch --n_proc 1 ")
        if " reproduce " in line:
            return f"{line} --n_proc 1"
        return line if line.startswith(pages.LEFT_TO_CI) else fetched(line)

    return instead


def of_pixels(folder):
    """Published files with a few images, and the settings of the tree with one epoch."""
    write_mnist(folder / "downloads")
    config = "configs/pixels/MNIST/s2stdp+ncg.json"
    write_short(folder / config, ROOT / config)
    return fetched


def datasets(folder):
    """Published files with a few images."""
    write_mnist(folder / "downloads")
    assert main(["dataset", "mnist", "data/mnist", "--from", "downloads"]) == 0


def scaling_out(folder):
    write_short(folder / "config.json", CONFIG)
    write_short(folder / "grid.json", CONFIG, grid=True)


def adding_a_rule(folder):
    """A copy of the tree as it was built, so that only the new file is compiled."""
    sources = list((ROOT / "spikenn_cy").rglob("*.pyx"))
    if not sources or not all(path.with_suffix(".c").exists() for path in sources):
        pytest.skip("needs a tree in which the package was built")
    pytest.importorskip("Cython")
    pytest.importorskip("setuptools")
    for name in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy2(ROOT / name, folder / name)
    shutil.copytree(PACKAGE, folder / "spikenn_cy", ignore=shutil.ignore_patterns("__pycache__"))
    # Where a build looks for what is done already; an editable installation leaves nothing there.
    built = folder / "build" / f"lib.{sysconfig.get_platform()}-{sys.implementation.cache_tag}"
    for path in PACKAGE.rglob("*.so"):
        (built / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, built / path.relative_to(ROOT))
    for switches in (ROOT / "build").glob("switches"):
        shutil.copy2(switches, folder / "build" / "switches")
    # The declarations that come with Cython are newer than what was built, where it was installed after the build.
    for suffix in (".c", ".so"):
        for path in folder.rglob(f"*{suffix}"):
            path.touch()


# Pages whose own test does all that they show, and looks closer.
ELSEWHERE = {
    "docs/extraction.md": "tests/test_extract.py",
    "docs/pictures.md": "tests/test_pictures_page.py",
    "docs/sklearn.md": "tests/test_sklearn_page.py",
    "docs/softhebb.md": "tests/test_softhebb.py",
}
# What a page's reader is supposed to have. Returned may be what takes the place of a command.
GIVEN = {
    "README.md": readme,
    "docs/adding-a-rule.md": adding_a_rule,
    "docs/commands.md": commands,
    "docs/datasets.md": datasets,
    "docs/pixels.md": of_pixels,
    "docs/reproducing.md": reproducing,
    "docs/scaling-out.md": scaling_out,
}
# What the page's commands import beyond what the package always has.
NEEDED = {
    "docs/adding-a-rule.md": ["sklearn"],
    "README.md": ["PIL", "matplotlib", "nir", "sklearn"],
    "docs/commands.md": ["matplotlib", "nir", "sklearn"],
    "docs/datasets.md": ["sklearn"],
    "docs/exchange.md": ["nir"],
    "docs/from-scikit-learn.md": ["sklearn"],
    "docs/gallery.md": ["matplotlib", "sklearn"],
    "docs/pixels.md": ["matplotlib", "sklearn"],
    "docs/pretrained.md": ["PIL"],
    "docs/reproducing.md": ["matplotlib", "sklearn"],
}


@pytest.mark.processes
@pytest.mark.parametrize("page", pages.PAGES, ids=name_of)
def test_what_the_page_shows_is_what_happens(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if name_of(page) in ELSEWHERE:
        assert page.name in (ROOT / ELSEWHERE[name_of(page)]).read_text(encoding="utf-8")
        pytest.skip(f"{ELSEWHERE[name_of(page)]} does it")
    for package in NEEDED.get(name_of(page), []):
        pytest.importorskip(package)
    instead = GIVEN.get(name_of(page), lambda folder: None)(tmp_path)
    pages.done(page, tmp_path, **({"instead": instead} if instead else {}))


@pytest.mark.parametrize(
    ("page", "block"),
    [(page, block) for page in pages.PAGES for block in pages.blocks(page.read_text("utf-8")) if block.not_run],
    ids=lambda value: name_of(value) if isinstance(value, Path) else str(value.line),
)
def test_what_is_not_run_says_why(page, block):
    for test in re.findall(r"tests/\S+\.py", block.not_run):
        assert (ROOT / test).exists()
    pytest.skip(f"{name_of(page)}:{block.line}: {block.not_run}")


@pytest.mark.processes
def test_blocks_are_found_and_failures_in_them_seen(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def page(text):
        path = tmp_path / "page.md"
        path.write_text(text, encoding="utf-8")
        return path

    printing = "```python\nprint(6 * 7)\n```\n\n```text\n{}\n```\n"
    pages.done(page(printing.format(42)), tmp_path)
    with pytest.raises(AssertionError, match="prints 42"):
        pages.done(page(printing.format(43)), tmp_path)
    with pytest.raises(ZeroDivisionError):
        pages.done(page("```python\n1 / 0\n```\n"), tmp_path)
    pages.done(page("<!-- not run: a reason -->\n```python\n1 / 0\n```\n"), tmp_path)
    pages.done(page("```console\n$ spikenn-cy --version\n0.…\n```\n"), tmp_path)
    with pytest.raises(AssertionError, match=r"page\.md:1: spikenn-cy --version prints 0\."):
        pages.done(page("```console\n$ spikenn-cy --version\n…beta\n```\n"), tmp_path)
    with pytest.raises(AssertionError, match="must be one of"):
        pages.done(page("Words.\n\n    python -m spikenn_cy trane IN\n"), tmp_path)
    with pytest.raises(AssertionError, match="nobody knows how"):
        pages.done(page("```console\n$ make\n```\n"), tmp_path)
    ways = pages.ways("spikenn-cy score OUT [--n_proc N] [--json] [--csv]")
    assert ways == [f"spikenn-cy score OUT{rest}" for rest in (" --n_proc 1 --json", " --n_proc 1 --csv")]
    ways = pages.ways("python -m spikenn_cy export RUN OUT.nir|OUT.npz [--dt 1 | --step 2]")
    assert ways == ["python -m spikenn_cy export RUN OUT.nir --dt 1"]
    (block,) = pages.blocks("Why.\n\n<!-- not run: it takes a day -->\n\n    python -m spikenn_cy.run IN OUT CONFIG\n")
    assert block.not_run == "it takes a day"


# ---------------------------------------------------------------------------- the README


def test_the_python_example_predicts_the_labels(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names = {}
    exec(compile(example, "README.md", "exec"), names)
    accuracy, *predicted = capsys.readouterr().out.replace("[", " ").replace("]", " ").split()
    assert float(accuracy) > 0.9
    assert [name.strip("'") for name in predicted] == list(names["test"].classes[names["test"].labels[6:12]])


def test_the_refusal_it_shows_is_the_one_that_comes():
    (shown,) = re.findall(r"    config\.json: (.*)", README)
    place, finding = shown.split("n_neurons, …")
    with pytest.raises(ConfigError) as refusal:
        ExperimentConfig.from_any(
            {
                "network": [{"n_neurons": 10, "firing_threshold": 1, "w_nrm": True}],
                "optimizer": {"method": "s4nn", "lr": 1, "t_gap": 1},
            }
        )
    assert str(refusal.value).startswith(place)
    assert str(refusal.value).endswith(finding)


@pytest.mark.parametrize(
    "line", sorted(set(re.findall(r"^    (python -m spikenn_cy[. ][a-z].*--.*)$", README, re.MULTILINE)))
)
def test_the_options_it_names_exist(capsys, line):
    command, *words = re.split(r"[. ]", line.removeprefix("python -m spikenn_cy"))[1:]
    kinds = {kind for action in parser_of(command)._actions for kind in action.choices or ()}
    assert main([command, *(kind for kind in (words[0].split("|")[0],) if kind in kinds), "--help"]) == 0
    usage = capsys.readouterr().out
    for option in re.findall(r"--\w+", line):
        assert option in usage


# ---------------------------------------------------------------------------- links and lists


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        path = Path(os.path.normpath(page.parent / target))
        if path.is_relative_to(ROOT / "spikenn_cy"):  # which may be installed elsewhere
            path = PACKAGE / path.relative_to(ROOT / "spikenn_cy")
        assert path.exists(), target


def test_the_floors_on_the_page_are_those_of_the_test():
    rows = re.findall(r"^\| (`.*?) \| [^|]* \|$", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE)
    on_page = [[re.sub(r"(\.pxd|\.pyx|\.py|/)$", "", name) for name in re.findall(r"`(.*?)`", row)] for row in rows]
    floors = [sorted(row) for row in on_page if row[0] in FLOOR_OF]
    assert floors == [sorted(floor) for floor in FLOORS]


def test_every_page_of_the_site_has_its_place_in_the_navigation():
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = re.findall(
        r"^ +- (?:.*: )?([\w-]+)\.md", config[config.index("\nnav:") : config.index("\nmarkdown")], re.M
    )
    outside = {"contributing", "changelog", "published-settings"}
    notebooks = {path.stem for path in (ROOT / "docs").glob("*.ipynb")}
    assert sorted(listed) == sorted({*DOCS, *outside, *notebooks})


FAMILIES = (RULES, REGULATORS, NEURONS, LAYERS)


def members(page):
    """Return the members of the tables that a page lists."""
    tables = {
        "commands": (EXTRACTORS,),  # beside the commands, which have sections
        "configuration": (*FAMILIES, FEEDBACKS),
        "data": (READERS,),
        "datasets": (SOURCES,),
        "exchange": (FORMATS, GRAPH_READERS),
        "performance": (FORWARDS,),
        "pictures": (PICTURES["run"], PICTURES["network"]),
        "scaling-out": (RUNNERS,),
        "sklearn": [rule.suggestions for rule in RULES.values()],
    }[page]
    return [name for table in tables for name in table]


LISTS = (
    "commands",
    "configuration",
    "data",
    "datasets",
    "exchange",
    "performance",
    "pictures",
    "scaling-out",
    "sklearn",
)


@pytest.mark.parametrize("page", LISTS)
def test_every_member_of_a_table_is_on_its_page(page):
    named = re.findall(r'`"?([\w.-]+)"?`', DOCS[page])
    absent = [name for name in members(page) if name not in named]
    assert absent == [], f"docs/{page}.md: must name {absent}"


def test_every_record_of_settings_is_in_the_reference():
    named = re.findall(r"^::: ([\w.]+)$", DOCS["reference"], re.MULTILINE)
    assert [record for record in records().values() if f"{record.__module__}.{record.__name__}" not in named] == []


def test_every_public_name_is_in_the_reference():
    named = re.findall(r"^::: ([\w.]+)$", DOCS["reference"], re.MULTILINE)
    found = []
    for name in named:
        module, _, last = name.rpartition(".")
        assert hasattr(__import__(module, fromlist=[last]), last), name
        found.append(getattr(__import__(module, fromlist=[last]), last))
    public = [name for name in spikenn_cy.__all__ if name != "__version__"]
    assert [name for name in public if getattr(spikenn_cy, name) not in found] == []


# ---------------------------------------------------------------------------- every command


def options(parser):
    """Return the long options of a command, those of its kinds included."""
    found = {option for action in parser._actions for option in action.option_strings} - {"-h", "--help"}
    for action in parser._actions:
        for kind in (action.choices or {}).values() if isinstance(action.choices, dict) else ():
            found |= options(kind)
    return found


def parser_of(name):
    COMMANDS[name].add_arguments(parser := Parser())
    return parser


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_section_with_every_option(name):
    sections = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", DOCS["commands"], re.MULTILINE | re.DOTALL))
    assert name in sections, f"docs/commands.md: must have a section {name}"
    assert f"$ spikenn-cy {name}" in sections[name]
    assert {option for option in options(parser_of(name)) if f"`{option}`" not in sections[name]} == set()


def test_there_are_no_sections_of_other_commands():
    assert set(re.findall(r"^## (\S+)$", DOCS["commands"], re.MULTILINE)) == set(COMMANDS)


# ---------------------------------------------------------------------------- every setting


def records():
    """Return the records by the titles of their tables; what one inherits is in the table of the one it comes from."""
    return {
        "`network[…]`": LayerConfig,
        "Every layer": NetworkLayerConfig,
        "Every rule of the last layer": AnnealedConfig,
        "Every rule of all layers": NetworkRuleConfig,
        "`s2stdp` and `rstdp`: the STDP step": STDPConfig,
        **{f"`{name}`": record for family in FAMILIES for name, record in family.items()},
        "`trainer`": TrainerConfig,
        "`augment`": AugmentConfig,
    }


def meaning(text, record):
    """Return values that a range on the page takes, and values that it refuses."""
    taken, refused = meaning_of(text.removesuffix(" or null"), record)
    return (taken, [*refused, None]) if text == text.removesuffix(" or null") else ([*taken, None], refused)


def meaning_of(text, record):
    choices = re.findall(r'`"(.*?)"`', text)
    if choices:
        return choices, [choices[0].title(), 0]
    if text == "true or false":
        return [True, False], [0, 1, "true"]
    if text == "settings":
        return [{}], ["if", 1]
    if text == "an object":
        return [], ["if", 1, {}]
    if text == "any number":
        return [-1.5, 0.0, 1e30], ["1", True]
    if beside := re.fullmatch(r"(above|below) `(\w+)`", text):
        side, edge = (1 if beside[1] == "above" else -1), inspect.signature(record).parameters[beside[2]].default
        return [edge + 0.1 * side, edge + 1e3 * side], [edge, edge - side]
    text = re.sub(r"^(\d+) to (\d+)$", r"≥ \1 and ≤ \2", text)
    bounds = [(COMPARISONS[sign], int(edge)) for sign, edge in re.findall(r"([<>≤≥]) (\d+)", text)]
    assert bounds, f"nobody knows what is in the range {text}"
    values = sorted({edge + step for _, edge in bounds for step in (-1, 0, 1)})
    taken = [value for value in values if all(holds(value, edge) for holds, edge in bounds)]
    return taken, [*(value for value in values if value not in taken), "1", True]


COMPARISONS = {">": operator.gt, "≥": operator.ge, "<": operator.lt, "≤": operator.le}


def table(title):
    """Return the rows of the table below a title: key, unit, default, range, meaning, source."""
    parts = re.split(rf"^##+ {re.escape(title)}$", DOCS["configuration"], maxsplit=1, flags=re.MULTILINE)
    assert len(parts) == 2, f"docs/configuration.md: must have a section {title}"
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", re.split(r"^##", parts[1], flags=re.MULTILINE)[0], re.MULTILINE)
    return {key: [cell.strip() for cell in cells.split("|")] for key, cells in rows}


def fields(record):
    return inspect.signature(record).parameters


def own_fields(record):
    return {name: field for name, field in fields(record).items() if name not in record.__mro__[1].__struct_fields__}


def least(record):
    """Return the keys that must be given, with the first value that their ranges take."""
    tables = [table(title) for title, other in records().items() if issubclass(record, other)]
    rows = {name: row for rows in tables for name, row in rows.items()}
    tag = {record.__struct_config__.tag_field: record.__struct_config__.tag} if record.__struct_config__.tag else {}
    needed = [name for name, field in fields(record).items() if field.default is inspect.Parameter.empty]
    return tag | {name: meaning(rows[name][2], record)[0][0] for name in needed}


@pytest.mark.parametrize("title", records())
def test_every_setting_is_on_the_page_with_its_default(title):
    record, rows = records()[title], table(title)
    assert list(rows) == [name for name in record.__struct_fields__ if name in own_fields(record)]
    for name, field in own_fields(record).items():
        default = "\N{EN DASH}" if field.default is inspect.Parameter.empty else f"`{json.dumps(field.default)}`"
        assert rows[name][1] == default, name


@pytest.mark.filterwarnings("ignore::spikenn_cy.errors.ConfigWarning")
@pytest.mark.parametrize("title", records())
def test_settings_are_refused_outside_of_the_range_on_the_page_and_nowhere_else(title):
    record = records()[title]
    for name, (_, _, values, *_) in table(title).items():
        taken, refused = meaning(values, record)
        for value in taken:
            record.from_any(least(record) | {name: value})
        for value in refused:
            with pytest.raises(ConfigError):
                print(record.from_any(least(record) | {name: value}), name, value)


def test_every_source_on_the_page_leads_to_a_section_of_the_rules():
    headings = {
        re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")
        for heading in re.findall(r"^##+ (.*)$", DOCS["rules"], re.MULTILINE)
    }
    sources = re.findall(r"\]\(rules\.md#([\w-]+)\)", DOCS["configuration"])
    assert len(sources) > 20
    assert set(sources) <= headings
