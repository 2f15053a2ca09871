"""A build makes anew what a changed header is part of, and nothing else."""

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
def included():
    return runpy.run_path(str(SETUP))["included"]


def test_a_module_depends_on_the_headers_that_its_headers_name(included, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    HEADERS.mkdir(parents=True)
    for name, text in {
        "a.h": '#include <math.h>\n#if 1\n  # include "b.h"\n#endif\n',
        "b.h": '#include "c.h"\n/* not #include "other.h" */\n#include "b.h"\n',
        "c.h": "",
        "named.h": "",
        "other.h": '#include "c.h"\n',
    }.items():
        (HEADERS / name).write_text(text)
    Path("spikenn_cy/near.h").write_text("")
    Path("spikenn_cy/module.c").write_text(
        '#include "Python.h"\n#include "a.h"\n#define KERNELS "named.h"\n#include "near.h"\nchar *s = "other.h";\n'
    )
    of_headers = [str(HEADERS / name) for name in ("a.h", "b.h", "c.h", "named.h")]
    assert included("spikenn_cy/module.c") == [*of_headers, "spikenn_cy/near.h"]


def test_every_header_is_part_of_a_module(included, monkeypatch):
    monkeypatch.chdir(ROOT)
    sources = [path.with_suffix(".c") for path in Path("spikenn_cy").rglob("*.pyx")]
    if not sources or not all(path.exists() for path in sources):
        pytest.skip("needs a tree in which the package was built")
    found = {header for source in sources for header in included(str(source))}
    assert {str(path) for path in Path("spikenn_cy").rglob("*.h")} == found
