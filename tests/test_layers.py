"""Imports point down: the drawing of the house, held against every source file."""

import ast
import importlib
import re
import sys
from pathlib import Path

import pytest

import spikenn_cy

pytestmark = pytest.mark.quick

PACKAGE = Path(spikenn_cy.__file__).parent  # of a wheel, which has no .pyx files, if one is tested

# A module imports from floors above it in this list, or from its own folder. The root
# package, which only gathers the public names, is on top of all.
FLOORS = [
    ["types", "dtypes", "errors", "version"],
    ["utils"],
    ["settings"],
    ["kernels"],
    ["convolution", "neurons"],
    ["layers"],
    ["data", "regulators", "rules"],
    ["config", "demo", "storage"],
    ["network"],
    ["features"],
    ["bundled", "estimator", "execution", "export"],
    ["experiments", "images"],
    ["plots"],
    ["page"],
    ["report"],
    ["reproduction"],
    ["cli"],
    ["run", "__main__"],
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
DECLARED = {"numpy", "msgspec", "tqdm"}
# By the room that may ask for them, inside a function, since an extra is not always installed. A room that is nothing
# without its extra may ask at once, inside ``with extra(…)``, which says what to install.
EXTRAS = {
    "bundled": {"PIL"},
    "data": {"PIL"},
    "estimator": {"joblib", "sklearn"},
    "execution": {"distributed"},
    "experiments": {"scipy", "sklearn"},
    "images": {"pooch", "requests", "sklearn"},
    "export": {"h5py", "nir"},  # which brings h5py
    "features": {"torch"},
    "plots": {"matplotlib"},
}
COMPILED = {"cython", "libc", "cpython"}

SOURCES = sorted(path for suffix in ("py", "pyx", "pxd") for path in PACKAGE.rglob(f"*.{suffix}"))

_FROM = re.compile(r"from\s+(?P<module>[.\w]+)\s+(?P<form>c?import)\s+(?P<names>.*)")
_IMPORT = re.compile(r"(?P<form>c?import)\s+(?P<modules>.*)")
_INCLUDE = re.compile(r"include\s+[\"'].*")


def imports(source, compiled):
    """Yield ``(form, module, names)`` for each import in a source text."""
    if not compiled:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom):
                yield "from", "." * node.level + (node.module or ""), [alias.name for alias in node.names]
            elif isinstance(node, ast.Import):
                yield from (("import", alias.name, []) for alias in node.names)
            elif isinstance(node, ast.Call):
                called = getattr(node.func, "attr", getattr(node.func, "id", None))
                if called in ("import_module", "__import__", "exec", "eval"):
                    yield called, "", []
        return
    text = re.sub(r"\\\n", " ", source)
    text = re.sub(r"\(([^()]*)\)", lambda match: " ".join(match[1].split()), text)
    for line in text.splitlines():
        statement = line.split("#")[0].strip()
        if match := _FROM.fullmatch(statement):
            form = "from" if match["form"] == "import" else "from cimport"
            yield form, match["module"], [name.strip() for name in match["names"].split(",") if name.strip()]
        elif match := _IMPORT.fullmatch(statement):
            yield from ((match["form"], name.split(" as ")[0].strip(), []) for name in match["modules"].split(","))
        elif _INCLUDE.fullmatch(statement):
            yield "include", statement, []


def wrong_with(room, source, compiled=False):
    """Return what is wrong with the imports of a source text that stands in ``room``."""
    wrong = []
    for form, module, names in imports(source, compiled):
        top, _, rest = module.partition(".")
        if form not in ("from", "import", "from cimport", "cimport"):
            wrong.append(f"{form} hides an import")
        elif top == "":
            wrong.append("a relative import")
        elif "*" in names:
            wrong.append(f"all names of {module}")
        elif top == "numpy" and form.endswith("cimport"):
            wrong.append("numpy as a build dependency")
        elif top in EXTRAS.get(room, ()):
            if module in imported_at_once(source):
                wrong.append(f"{top} is an extra, to be imported where it is used")
        elif top != "spikenn_cy":
            if top not in sys.stdlib_module_names | DECLARED | (COMPILED if compiled else set()):
                wrong.append(f"{top} is no declared dependency")
        elif not form.startswith("from"):
            wrong.append(f"import {module}, where names belong")
        elif rest == "":
            wrong.append("the root package, which is on top")
        elif (imported := rest.split(".")[0]) not in FLOOR_OF:
            wrong.append(f"{imported} is not in the drawing")
        elif imported != room and FLOOR_OF[imported] >= FLOOR_OF[room]:
            wrong.append(f"{imported} is not below {room}")
    return wrong


def imported_at_once(source):
    """Return the modules that a source text imports at once, not in ``with extra(…)`` nor for type checkers alone."""
    found, waiting = set(), list(ast.parse(source).body)
    while waiting:
        node = waiting.pop()
        called = getattr(node.items[0].context_expr, "func", None) if isinstance(node, ast.With) else None
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or getattr(called, "id", None) == "extra":
            continue
        if isinstance(node, ast.If) and getattr(node.test, "id", None) == "TYPE_CHECKING":
            waiting.extend(node.orelse)
            continue
        if isinstance(node, ast.ImportFrom):
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        waiting.extend(ast.iter_child_nodes(node))
    return found


def room_of(path):
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(path.suffix)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path):
    compiled = path.suffix != ".py"
    if path == PACKAGE / "__init__.py":
        found = list(imports(path.read_text(), compiled))
        names = {module for _, module, _ in found}
        assert all(name == "sys" or name.startswith("spikenn_cy.") for name in names)
        return
    assert room_of(path) in FLOOR_OF, "a new room needs a place in the drawing"
    assert wrong_with(room_of(path), path.read_text(), compiled) == []


def test_every_room_of_the_drawing_exists():
    stubs = PACKAGE.rglob("*.pyi")  # of compiled modules
    assert {room_of(path) for path in [*SOURCES, *stubs]} - {"__init__"} == set(FLOOR_OF)


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        ("from spikenn_cy.config import X", "config is not below rules"),
        ("def f():\n    from spikenn_cy.network.readout import Readout", "network is not below rules"),
        ("from spikenn_cy.regulators import REGULATORS", "regulators is not below rules"),
        ("from spikenn_cy.attic import x", "attic is not in the drawing"),
        ("import spikenn_cy.errors", "import spikenn_cy.errors, where names belong"),
        ("import spikenn_cy", "import spikenn_cy, where names belong"),
        ("from spikenn_cy import Readout", "the root package, which is on top"),
        ("from . import stdp", "a relative import"),
        ("from .stdp import x", "a relative import"),
        ("from spikenn_cy.errors import *", "all names of spikenn_cy.errors"),
        ("import torch", "torch is no declared dependency"),
        ("import importlib\nimportlib.import_module('spikenn_cy.network.readout')", "import_module hides an import"),
    ],
)
def test_a_python_import_that_breaks_the_rule_is_seen(source, finding):
    assert wrong_with("rules", source) == [finding]


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        ("from spikenn_cy.config cimport X", "config is not below rules"),
        ("from spikenn_cy.regulators._base cimport (\n    A,  \n    B,\n)", "regulators is not below rules"),
        ("from spikenn_cy.regulators._base cimport A, \\\n    B", "regulators is not below rules"),
        ("    from spikenn_cy.network.layer import Layer  # why", "network is not below rules"),
        ("cimport spikenn_cy.types", "import spikenn_cy.types, where names belong"),
        ("cimport numpy as cnp", "numpy as a build dependency"),
        ("from numpy cimport ndarray", "numpy as a build dependency"),
        ("from ._base cimport Rule", "a relative import"),
        ("from spikenn_cy.types cimport *", "all names of spikenn_cy.types"),
        ('include "x.pyx"', "include hides an import"),
        ("cimport openmp", "openmp is no declared dependency"),
    ],
)
def test_a_cython_import_that_breaks_the_rule_is_seen(source, finding):
    assert wrong_with("rules", source, compiled=True) == [finding]


def test_an_extra_is_imported_by_its_room_and_only_when_it_is_used():
    source = "from distributed import Client"
    assert wrong_with("rules", source) == ["distributed is no declared dependency"]
    assert wrong_with("execution", source) == ["distributed is an extra, to be imported where it is used"]
    assert wrong_with("execution", f"def f():\n    {source}") == []
    assert wrong_with("execution", f"with extra('dask', where='kfold'):\n    {source}") == []
    assert wrong_with("execution", f"if TYPE_CHECKING:\n    {source}") == []
    for in_vain in (
        "if True:",
        "if TYPE_CHECKING:\n    pass\nelse:",
        "try:",
        "with suppress(ImportError):",
        "class C:",
    ):
        wrong = wrong_with("execution", f"{in_vain}\n    {source}\n{'finally: pass' if in_vain == 'try:' else ''}")
        assert wrong == ["distributed is an extra, to be imported where it is used"]


def test_what_points_down_is_let_through():
    python = "from spikenn_cy.errors import x\nfrom spikenn_cy.rules.stdp import y\nimport numpy as np\nimport json"
    cython = f"{python}\nfrom spikenn_cy.kernels.stdp cimport c_x\nfrom libc.math cimport exp\ncimport cython"
    assert wrong_with("rules", python) == []
    assert wrong_with("rules", cython, compiled=True) == []


@pytest.mark.parametrize("name", ["layer", "readout"])
def test_modules_of_the_network_are_found_where_they_were_in_the_first_edition(name):
    former = importlib.import_module(f"spikenn_cy.{name}")
    assert former is importlib.import_module(f"spikenn_cy.network.{name}")
