"""A build makes anew what a changed header is part of, and nothing else."""

import re
import runpy
from pathlib import Path

import pytest

pytest.importorskip("Cython")
pytest.importorskip("setuptools")

ROOT = Path(__file__).parent.parent
SETUP = ROOT / "setup.py"
HEADERS = Path("spikenn_cy", "kernels", "src")

pytestmark = [pytest.mark.quick, pytest.mark.skipif(not SETUP.exists(), reason="needs the tree")]


@pytest.fixture
def with_included():
    return runpy.run_path(str(SETUP))["with_included"]


def test_a_module_depends_on_headers_that_its_headers_include(with_included, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    HEADERS.mkdir(parents=True)
    for name, text in {
        "a.h": '#include <math.h>\n#if 1\n  # include "b.h"\n#endif\n',
        "b.h": '#include "c.h"\n/* not #include "d.h" */\n#include "b.h"\n',
        "c.h": "",
        "d.h": '#include "c.h"\n',
    }.items():
        (HEADERS / name).write_text(text)
    near = tmp_path / "spikenn_cy" / "near.h"
    near.write_text('#include "d.h"\n')
    here = str(HEADERS)
    assert with_included([f"{here}/a.h"]) == [f"{here}/a.h", f"{here}/b.h", f"{here}/c.h"]
    assert with_included(["spikenn_cy/near.h"]) == [f"{here}/c.h", f"{here}/d.h", "spikenn_cy/near.h"]
    assert with_included(["math.h"]) == []


def test_every_header_is_part_of_a_module(with_included, monkeypatch):
    monkeypatch.chdir(ROOT)
    if not HEADERS.is_dir():
        pytest.skip("needs the tree")
    sources = [path for suffix in ("pyx", "pxd") for path in Path("spikenn_cy").rglob(f"*.{suffix}")]
    named = {name for path in sources for name in re.findall(r'cdef extern from "(.+?)"', path.read_text())}
    found = with_included([str(HEADERS / name) for name in named])
    assert {str(path) for path in Path("spikenn_cy").rglob("*.h")} == set(found)
