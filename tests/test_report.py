"""The page of a run is whole, valid, reached by everybody, and proof against what others wrote into a run."""

import base64
import html.parser
import json
import re
import shutil
import subprocess

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from small_networks import network_settings
from small_networks import write_images
from small_runs import PATIENCE
from small_runs import contents
from small_runs import dense
from small_runs import settings
from small_runs import write_data

from spikenn_cy.cli.entry import main
from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import RunError
from spikenn_cy.experiments.single import RunJob
from spikenn_cy.experiments.single import run_single
from spikenn_cy.layers import LAYERS
from spikenn_cy.network.readout import Readout
from spikenn_cy.plots import PICTURES
from spikenn_cy.report import report_page
from spikenn_cy.report import write_report

pytestmark = pytest.mark.full

N_INPUTS = 16
VOID = {"meta", "img", "br"}
HOSTILE = ['</script><script>alert("1")</script>', '"><img src=x onerror=alert(2)>', "<!-- & ]]> $x^{"]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a folder with data in ``in`` and a complete run of them in ``run``."""
    home = tmp_path_factory.mktemp("report")
    write_data(home / "in", n_inputs=N_INPUTS)
    job = RunJob(home / "run", home / "in", ExperimentConfig.from_any(settings()), save_stats=True)
    run_single(job)
    return home


@pytest.fixture(scope="module")
def page(home):
    return report_page(home / "run", home / "in")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Return the page of a run whose classes, files and record were named by somebody who means no good."""
    home = tmp_path_factory.mktemp("hostile")
    (home / "in").mkdir()
    times, labels = dense(60, 0, n_inputs=N_INPUTS)
    for name in ("train", "test"):
        SpikingDataset.from_numpy(times, np.array(sorted(HOSTILE))[labels]).save(home / "in" / f"{name}set.npz")
    run = home / "<b>run&"
    run_single(RunJob(run, home / "in", ExperimentConfig.from_any(settings()), save_stats=True))
    record = json.loads((run / "config.json").read_text())
    record["versions"][HOSTILE[0]] = HOSTILE[1]
    record["data"]["train"]["file"] = HOSTILE[1]
    record["data"][HOSTILE[2]] = {"sha256": HOSTILE[0], "file": "\ud800"}
    record["config"]["optimizer"]["method"] = HOSTILE[0]
    record["config"][HOSTILE[1]] = HOSTILE[2]
    (run / "config.json").write_text(json.dumps(record))
    return write_report(run, home / "in").read_text(encoding="utf-8")


class Reader(html.parser.HTMLParser):
    """Collects elements, and fails where one is left open or closed twice."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts = [], [], {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(attrs) == len(dict(attrs)), attrs
        self.elements.append((tag, dict(attrs), list(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def all(self, tag):
        return [attributes for name, attributes, _ in self.elements if name == tag]


def data_of(page):
    (text,) = re.findall(r'<script type="application/json" id="run">(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


@pytest.mark.parametrize("which", ["page", "hostile"])
def test_the_page_is_balanced_html_with_what_aids_need(request, which):
    page = request.getfixturevalue(which)
    assert page.startswith("<!DOCTYPE html>\n<html lang=")
    read = Reader(page)
    assert read.all("html") == [{"lang": "en"}]
    assert [len(read.all(tag)) for tag in ("title", "h1", "main")] == [1, 1, 1]
    headings = [int(tag[1]) for tag, _, _ in read.elements if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1
    assert set(headings[1:]) == {2}
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in read.all("meta")
    assert len(read.all("table")) == len(read.all("caption")) == 7
    assert all(attributes.get("scope") in ("col", "row") for attributes in read.all("th"))
    assert len(read.all("img")) == len(read.all("figcaption")) == len(PICTURES["run"])
    for image in read.all("img"):
        assert len(image["alt"]) > 40
        assert int(image["width"]) == 1200


@pytest.mark.parametrize("which", ["page", "hostile"])
def test_the_page_asks_for_nothing_and_runs_nothing(request, which):
    page = request.getfixturevalue(which)
    read = Reader(page)
    assert not re.search(r"(https?:)?//\w", re.sub(r"base64,[\w+/=]*", "", page))
    assert {tag for tag, _, _ in read.elements} <= {
        *("html", "head", "meta", "title", "style", "body", "header", "main", "section", "h1", "h2", "p", "ul", "li"),
        *("div", "table", "caption", "thead", "tbody", "tr", "th", "td", "code", "figure", "img", "figcaption"),
        *("details", "summary", "script"),
    }
    assert read.all("script") == [{"type": "application/json", "id": "run"}]
    for _, attributes, _ in read.elements:
        assert not [name for name in attributes if name.startswith("on") or name in ("href", "style")]
    for image in read.all("img"):
        kind, _, content = image["src"].partition(",")
        assert kind == "data:image/png;base64"
        assert base64.b64decode(content, validate=True).startswith(b"\x89PNG")
    (policy,) = (found["content"] for found in read.all("meta") if "http-equiv" in found)
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_hostile_names_stand_on_the_page_as_text(hostile):
    read = Reader(hostile)
    assert read.texts["h1"] == ["Run <b>run&"]
    assert any(HOSTILE[0] in text for text in read.texts["td"] + read.texts["p"] + read.texts["th"])
    record = data_of(hostile)
    assert record["classes"] == sorted(HOSTILE)
    assert record["description"]["versions"][HOSTILE[0]] == HOSTILE[1]


def test_the_page_tells_what_the_records_say(home, page):
    read, text = Reader(page), " ".join(page.split())
    result = json.loads((home / "run" / "result.json").read_text())
    record = json.loads((home / "run" / "config.json").read_text())
    for name, size in (("train", "90"), ("val", "30"), ("test", "30")):
        row = f'<td class="number">{size}</td><td class="number">{100 * result[f"{name}_accuracy"]:.2f}</td>'
        assert row in text
    assert "<code>network[0].firing_threshold</code></th><td>1.5</td>" in text
    assert "<code>regularizer.thr_anneal</code></th><td>0.5</td>" in text
    for file in record["data"].values():
        assert file["sha256"] in text
    assert record["versions"]["numpy"] in read.texts["td"]
    epochs = [json.loads(line) for line in (home / "run" / "metrics.jsonl").read_text().splitlines()]
    told = data_of(page)
    test = SpikingDataset.from_file(home / "in" / "testset.npz")
    cost = Readout.load(home / "run" / "model.npz").cost(test)
    assert told.pop("cost") == json.loads(json.dumps(cost.to_dict()))
    assert f'spikes until the decision</th><td class="number">{cost.input_spikes_until_decision.mean:,.1f}</td>' in text
    assert f'<th scope="row">all</th><td class="number">100.00</td><td class="number">{100 * cost.accuracy:.2f}' in text
    assert told == {"description": record, "result": result, "epochs": epochs, "classes": [0, 1, 2]}
    for number, epoch in enumerate(epochs):
        assert f'<th scope="row">{number}</th><td class="number">{100 * epoch["train_accuracy"]:.2f}</td>' in text


def test_the_same_run_has_the_same_page(home, page):
    assert report_page(home / "run", home / "in") == page


def test_pictures_that_are_missing_are_named_with_the_reason(home, tmp_path):
    run = shutil.copytree(home / "run", tmp_path / "run")
    (run / "stats.npz").unlink()
    page = report_page(run)
    assert "<li>competition: no stats.npz: run with --save_stats</li>" in page
    assert "<li>confusion: no data: say with --input where the run&#x27;s are</li>" in page
    assert "<p>Not counted: no data: say with --input where the run&#x27;s are</p>" in page
    assert data_of(page)["cost"] is None
    assert len(Reader(page).all("img")) == 2


def test_a_run_of_no_epochs_has_a_page(home, tmp_path):
    config = ExperimentConfig.from_any(settings(trainer={"epochs": 0}))
    run_single(RunJob(tmp_path / "run", home / "in", config))
    page = report_page(tmp_path / "run", home / "in")
    assert "no epochs: metrics.jsonl is empty" in page
    Reader(page)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("epochs", [0, 2])
def test_a_network_that_learns_in_every_layer_has_a_page_with_what_the_data_decided(tmp_path, kind, epochs):
    write_images(tmp_path / "in")
    config = ExperimentConfig.from_any(network_settings(kind, trainer={"epochs": epochs}))
    result = run_single(RunJob(tmp_path / "run", tmp_path / "in", config, save_stats=True))
    page = report_page(tmp_path / "run", tmp_path / "in")
    read = Reader(page)
    assert len(read.all("img")) == (len(PICTURES["network"]) if epochs else 0)
    assert data_of(page)["result"] == result
    assert ("synaptic operations until the decision" in page) == (epochs > 0)
    for name, value in result.get("figures", {}).items():
        assert f'<code>{name}</code></th><td class="number">{value:.6g}</td>' in page
    assert ("What the training data decided" in page) == (epochs > 0)


def test_a_run_that_is_not_complete_has_no_page(home, tmp_path):
    run = shutil.copytree(home / "run", tmp_path / "run")
    (run / "result.json").unlink()
    before = contents(run)
    with pytest.raises(RunError, match="must be the folder of a complete run"):
        write_report(run, home / "in")
    assert contents(run) == before
    with pytest.raises(RunError, match="must be the folder of a run"):
        report_page(home / "in")


def test_the_command_writes_the_page_of_a_new_and_of_a_complete_run(home, tmp_path, capsys):
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings()))
    words = ["run", str(home / "in"), str(tmp_path / "out"), str(config)]
    assert main([*words, "--report"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"report: {tmp_path / 'out' / 'report.html'}"
    page = (tmp_path / "out" / "report.html").read_bytes()
    assert main(words) == 0
    assert (tmp_path / "out" / "report.html").read_bytes() == page
    (tmp_path / "out" / "report.html").unlink()
    assert main([*words, "--report"]) == 0
    assert (tmp_path / "out" / "report.html").read_bytes() == page


def test_a_run_that_is_replaced_takes_its_page_with_it(home, tmp_path, capsys):
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings()))
    words = ["run", str(home / "in"), str(tmp_path / "out"), str(config)]
    assert main([*words, "--report"]) == 0
    assert main([*words, "--overwrite"]) == 0
    assert not (tmp_path / "out" / "report.html").exists()


def browsed(page, folder):
    """Show a page in a browser that reaches no other host; return its elements and what the browser complained of."""
    (folder / "report.html").write_text(page, encoding="utf-8")
    done = subprocess.run(
        [
            CHROMIUM,
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
            *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
            *("--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--dump-dom"),
            f"--user-data-dir={folder / 'profile'}",
            (folder / "report.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0
    return Reader(done.stdout), [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to show the page in")
@pytest.mark.parametrize("which", ["page", "hostile"])
def test_a_browser_shows_the_page_without_a_complaint(request, tmp_path, which):
    shown, complaints = browsed(request.getfixturevalue(which), tmp_path)
    assert complaints == []
    assert len(shown.all("img")) == len(PICTURES["run"])
    assert len(shown.all("script")) == 1


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to show the page in")
@pytest.mark.parametrize("added", ['<img src="http://example.invalid/x.png">', "<script>document.title = 1</script>"])
def test_a_browser_neither_asks_another_host_for_anything_nor_runs_a_script(page, tmp_path, added):
    shown, complaints = browsed(page.replace("</main>", f"{added}</main>"), tmp_path)
    assert any("Content Security Policy" in line for line in complaints)
    assert shown.texts["title"] == ["Run run"]
