"""Processors are those that this process may use."""

import math
import os

import pytest

from spikenn_cy.utils import processors

pytestmark = pytest.mark.quick


def groups(folder, **files):
    """Write files of control groups, by their path with ``__`` for a slash; return the folder."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("cpu_", "cpu.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/\n", {"cpu_max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu_max": "max 100000\n"}, math.inf),
        ("0::/a/b\n", {"a__cpu_max": "200000 100000\n", "a__b__cpu_max": "max 100000\n"}, 2),
        ("0::/outside/of/here\n", {"cpu_max": "50000 100000"}, 0.5),
        ("3:cpuset:/\n1:cpu,cpuacct:/\n", {"cpu__cpu_cfs_quota_us": "300000", "cpu__cpu_cfs_period_us": "100000"}, 3),
        ("1:cpu:/x\n", {"cpu__x__cpu_cfs_quota_us": "-1", "cpu__x__cpu_cfs_period_us": "100000"}, math.inf),
        ("nonsense\n", {"cpu_max": "of another kind"}, math.inf),
    ],
)
def test_a_quota_is_that_of_the_narrowest_group(own, files, expected, tmp_path):
    (tmp_path / "own").write_text(own)
    assert processors.quota(groups(tmp_path / "groups", **files), tmp_path / "own") == expected


def test_there_is_no_quota_where_there_are_no_control_groups(tmp_path):
    assert processors.quota(tmp_path, tmp_path / "none") == math.inf


@pytest.mark.parametrize(("quota", "expected"), [(0.2, 1), (1.0, 1), (1.1, 2), (math.inf, 3)])
def test_processors_are_those_that_a_process_may_use(quota, expected, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5, 7}, raising=False)
    monkeypatch.setattr(processors, "quota", lambda *_: quota)
    assert processors.available_processors() == expected
    assert processors.threads_that_run(64) == expected
    assert processors.threads_that_run(1) == 1
