"""Files come from the first mirror that has them, sound and once; what goes wrong is told in one line."""

import hashlib
import http.server
import io
import os
import sys
import threading

import pytest

from spikenn_cy.data.published import SOURCES
from spikenn_cy.data.published import PublishedFile
from spikenn_cy.data.published import Source
from spikenn_cy.errors import DataError
from spikenn_cy.errors import MissingExtra
from spikenn_cy.images import download
from spikenn_cy.images.download import fetch

pytestmark = pytest.mark.processes

CONTENT = bytes(range(256)) * 1000
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Answers on loopback with what its address says, and remembers what it was asked for."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []
        self.folder = None  # whose files are at the address of its name
        self.ended = threading.Event()

    def mirror(self, behaviour):
        return f"http://127.0.0.1:{self.server_port}/{behaviour}/"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        behaviour = self.path.split("/")[1]
        if behaviour == "missing":
            self.send_error(404)
            return
        if self.server.folder is not None and behaviour == self.server.folder.name:
            content = (self.server.folder / self.path.split("/")[2]).read_bytes()
        else:
            content = CONTENT
        if behaviour.startswith("long"):
            content = CONTENT * 4
        self.send_response(200)
        if behaviour not in ("unsized", "long"):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if behaviour in ("cut", "unsized"):
            self.wfile.write(content[:100_000])
        elif behaviour == "stall":
            self.wfile.write(content[:100_000])
            self.server.ended.wait(20)
        elif behaviour == "other":
            self.wfile.write(content[::-1])
        else:
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.ended.set()
    server.shutdown()
    thread.join()
    server.server_close()


def source_at(*mirrors, names=("set.gz",)):
    files = tuple(PublishedFile(name, len(CONTENT), MD5) for name in names)
    return Source(title="Set", files=files, mirrors=mirrors, class_names=(), find=None, read=None)


def test_files_are_fetched_once_and_kept(server, tmp_path):
    source = source_at(server.mirror("right"), names=("one.gz", "two.gz"))
    folder = fetch("set", source, tmp_path)
    assert folder == tmp_path / "set"
    assert sorted(os.listdir(folder)) == ["one.gz", "two.gz"]
    assert (folder / "two.gz").read_bytes() == CONTENT
    assert server.asked == ["/right/one.gz", "/right/two.gz"]
    fetch("set", source, tmp_path)
    assert len(server.asked) == 2


def test_what_is_in_the_cache_needs_no_network(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "set.gz").write_bytes(CONTENT)
    fetch("set", source_at("http://127.0.0.1:9/"), tmp_path)


def test_a_damaged_file_in_the_cache_is_fetched_anew(server, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "set.gz").write_bytes(CONTENT[:-1])
    fetch("set", source_at(server.mirror("right")), tmp_path)
    assert (tmp_path / "set" / "set.gz").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("behaviour", "finding"),
    [
        ("missing", "status 404"),
        ("other", f"another checksum than {MD5}"),
        ("cut", "an end before the end of the file"),
        ("unsized", f"another checksum than {MD5}"),
        ("stall", "a stall"),
        ("long", f"more than its {len(CONTENT)} bytes"),
        ("long-and-said", f"more than its {len(CONTENT)} bytes"),
    ],
)
def test_a_mirror_that_fails_is_told_and_the_next_one_tried(server, tmp_path, monkeypatch, behaviour, finding):
    monkeypatch.setattr(download, "TIMEOUT", (5, 0.3))
    mirror = server.mirror(behaviour)
    with pytest.raises(DataError) as caught:
        fetch("set", source_at(mirror), tmp_path)
    rule = "must be at one of its addresses (--from DIR takes files that were fetched by hand)"
    assert str(caught.value) == f"set.gz: {rule}, got {mirror}: {finding}"
    assert os.listdir(tmp_path / "set") == []
    fetch("set", source_at(mirror, server.mirror("right")), tmp_path)
    assert (tmp_path / "set" / "set.gz").read_bytes() == CONTENT
    assert server.asked == [f"/{behaviour}/set.gz", f"/{behaviour}/set.gz", "/right/set.gz"]


def test_a_machine_that_cannot_be_reached_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(DataError, match=r"got http://127\.0\.0\.1:9/: no connection; http://127\.0\.0\.1:9/: no conn"):
        fetch("set", source_at("http://127.0.0.1:9/", "http://127.0.0.1:9/"), tmp_path)


def test_the_cache_is_where_the_environment_says(server, tmp_path, monkeypatch):
    monkeypatch.setenv("SPIKENN_CY_CACHE", str(tmp_path / "cache"))
    assert fetch("set", source_at(server.mirror("right"))) == tmp_path / "cache" / "set"
    assert fetch("set", source_at(server.mirror("right")), tmp_path) == tmp_path / "set"


def test_a_terminal_shows_a_bar_up_to_the_whole_file(server, tmp_path, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("COLUMNS", "120")
    fetch("set", source_at(server.mirror("right")), tmp_path)
    shown = sys.stderr.getvalue()
    assert "set.gz 0.0/0.3 MB" in shown
    assert "set.gz 0.3/0.3 MB" in shown


def test_without_pooch_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(MissingExtra, match=r"dataset mnist: needs the package pooch, .*data\]"):
        fetch("mnist", SOURCES["mnist"], tmp_path)
