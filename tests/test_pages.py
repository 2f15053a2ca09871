"""What the README shows works as it is written."""

import re
from pathlib import Path

import pytest
from test_layers import FLOOR_OF
from test_layers import FLOORS

from spikenn_cy.cli.entry import main
from spikenn_cy.config import ExperimentConfig
from spikenn_cy.errors import ConfigError

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(
    {
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "configs").glob("*.md"),
        *(ROOT / "spikenn_cy").rglob("*.md"),
    }
)


def test_the_python_example_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names = {}
    exec(compile(example, "README.md", "exec"), names)
    accuracy, *predicted = capsys.readouterr().out.replace("[", " ").replace("]", " ").split()
    assert float(accuracy) > 0.9
    assert [name.strip("'") for name in predicted] == list(names["test"].classes[names["test"].labels[:5]])


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
    "command",
    [
        "run",
        "plot",
        "export",
        "convert",
        "kfold",
        "score",
        "gridsearch",
        "best",
        "ablation neurons",
        "ablation thresholds",
        "dataset",
        "extract",
        "predict",
    ],
)
def test_the_options_it_names_exist(capsys, command):
    line = re.findall(rf"    python -m spikenn_cy[ .]{command} (.*)", README)[0]
    assert main([*command.split(), "--help"]) == 0
    usage = capsys.readouterr().out
    for option in re.findall(r"--\w+", line):
        assert option in usage


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_floors_on_the_page_are_those_of_the_test():
    rows = re.findall(r"^\| (`.*?) \| [^|]* \|$", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE)
    on_page = [[re.sub(r"(\.pxd|\.pyx|\.py|/)$", "", name) for name in re.findall(r"`(.*?)`", row)] for row in rows]
    floors = [sorted(row) for row in on_page if row[0] in FLOOR_OF]
    assert floors == [sorted(floor) for floor in FLOORS]
