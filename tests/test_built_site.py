"""The built site can be read by everybody: on a telephone, in the dark, by those who cannot see, without a network.

``SPIKENN_CY_SITE`` names the folder that ``mkdocs build`` has filled. What takes a browser needs playwright and
a Chromium.
"""

import os
import re
import shutil
import threading
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.quick

if "SPIKENN_CY_SITE" not in os.environ:
    pytest.skip("SPIKENN_CY_SITE names no built site", allow_module_level=True)

SITE = Path(os.environ["SPIKENN_CY_SITE"]).resolve()
PAGES = sorted(path for path in SITE.rglob("*.html") if path.name != "404.html")
WIDTHS = (375, 800, 1280)
FETCHING = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "video": "src"}
LEAST_CONTRAST = 4.5  # of text, as WCAG 2.2 has it
# Runs in the page: texts of the content whose contrast with what is behind them is less than that.
CONTRAST = """least => {
  const shade = text => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const linear = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const over = (front, back) => back.map((v, k) => front[k] * (front[3] ?? 1) + v * (1 - (front[3] ?? 1)));
  const behind = node => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) layers.unshift(shade(getComputedStyle(at).backgroundColor));
    return layers.reduce((back, front) => over(front, back), [255, 255, 255]);
  };
  const content = ["p", "li", "td", "th", "a", "h1", "h2", "h3", "code"].map(name => ".md-content " + name);
  const found = new Set();
  for (const node of document.querySelectorAll([...content, ".md-tabs__link"].join(", "))) {
    if (!node.textContent.trim() || !node.offsetParent || node.matches(".headerlink, .md-clipboard")) continue;
    const back = behind(node), front = over(shade(getComputedStyle(node).color), back);
    const [high, low] = [light(front), light(back)].sort((a, b) => b - a);
    if ((high + 0.05) / (low + 0.05) < least) found.add(node.tagName + " " + node.textContent.trim().slice(0, 40));
  }
  return [...found];
}"""
SHORTEST = 20  # characters that say what a picture shows


class Parts(HTMLParser):
    """What a page fetches, shows and leads to."""

    def __init__(self, path):
        super().__init__()
        self.fetched, self.images, self.links, self.anchors = [], [], [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag in FETCHING and given.get(FETCHING[tag]) and given.get("rel") not in ("canonical", "next", "prev"):
            self.fetched.append(given[FETCHING[tag]])
        if tag == "img":
            self.images.append(given)
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])


@pytest.fixture(scope="module")
def parts():
    return {path: Parts(path) for path in PAGES}


def test_no_page_asks_anything_of_another_host(parts):
    for path, page in parts.items():
        outside = [url for url in page.fetched if urlsplit(url).netloc]
        assert outside == [], path.name
    for style in SITE.rglob("*.css"):
        assert re.findall(r"url\(['\"]?https?://|@import", style.read_text(encoding="utf-8")) == [], style.name


def test_every_picture_says_in_words_what_it_shows(parts):
    for path, page in parts.items():
        shown = [image for image in page.images if "logo" not in image["src"]]
        untold = [image["src"] for image in shown if len(image.get("alt") or "") < SHORTEST]
        assert untold == [], path.name


def test_every_link_within_the_site_leads_to_a_page_and_a_place_on_it(parts):
    for path, page in parts.items():
        for link in page.links:
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{path.name}: {link}"
            if url.fragment and target.suffix == ".html":
                assert unquote(url.fragment) in parts[target].anchors | {"__comments"}, f"{path.name}: {link}"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address():
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(SITE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("there is no Chromium")
    with playwright.sync_playwright() as running:
        yield running.chromium.launch(executable_path=program, args=["--no-sandbox"])


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_its_window_and_none_fetches_from_elsewhere(browser, address, width):
    asked = []
    window = browser.new_page(viewport={"width": width, "height": 800})
    window.on("request", lambda request: asked.append(request.url))
    for path in PAGES:
        window.goto(f"{address}/{path.relative_to(SITE)}")
        wide = window.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{path.name} is {wide} pixels too wide at {width}"
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    window.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(browser, address, scheme):
    window = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme=scheme)
    for name in ("index", "gallery", "glossary", "own-data", "from-snntorch", "inside"):
        window.goto(f"{address}/{name}.html")
        assert window.evaluate(CONTRAST, LEAST_CONTRAST) == [], f"{name}, {scheme}"
    window.close()


def test_what_the_button_copies_of_a_console_is_the_commands(browser, address):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    window = context.new_page()
    window.goto(f"{address}/getting-started.html")
    block = window.locator(".highlight", has_text="$ python -m spikenn_cy.run").first
    block.hover()
    block.locator("button").first.click()
    window.wait_for_timeout(100)
    assert window.evaluate("navigator.clipboard.readText()").strip() == "python -m spikenn_cy.run"
    context.close()


@pytest.mark.parametrize(
    ("sought", "page"),
    [
        ("energy", "cost"),
        ("quantise", "glossary"),
        ("quantize", "commands"),
        ("overfitting", "when-it-does-not-learn"),
        ("unbalanced", "when-it-does-not-learn"),
        ("imbalanced", "when-it-does-not-learn"),
    ],
)
def test_a_search_leads_to_the_page_where_it_is_said(browser, address, sought, page):
    window = browser.new_page(viewport={"width": 1280, "height": 800})
    window.goto(f"{address}/index.html")
    window.locator(".md-search__input").fill(sought)
    window.wait_for_selector(f".md-search-result__item a[href*='{page}.html']", timeout=60_000, state="attached")
    window.close()
