"""Pictures that the site draws of itself while it is built: the gallery's, and the floors of the package.

``python docs/drawn.py`` writes the picture of a decision that the front page and README show.
"""

import os
import re
import sys
import tempfile
from html import escape
from pathlib import Path

ROOT = Path(__file__).parent.parent
GALLERY = "gallery.md"
FRONT = ROOT / "docs" / "pictures" / "decision.svg"
SAMPLE = 147  # of the test digits: a two that is decided half-way, with a three and an eight behind it
ROW_HEIGHT, BOX_HEIGHT, WIDTH = 58, 30, 860  # of the drawing of the floors
_gallery = {}  # by the page's text, so that `mkdocs serve` draws it again only after a change


def on_files(files, config):
    """Add the pictures of the gallery."""
    from mkdocs.structure.files import File

    for name, (content, _) in gallery((ROOT / "docs" / GALLERY).read_text(encoding="utf-8")).items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown, page, config, files):
    """Put the gallery's pictures beside their code, and the floors where a page asks for them."""
    if page.file.src_uri == GALLERY:
        pictures = iter(gallery((ROOT / "docs" / GALLERY).read_text(encoding="utf-8")).items())
        return re.sub(r"(?s)```python\n(figure = .*?)```", lambda block: _beside(block[0], *next(pictures)), markdown)
    return markdown.replace("<!-- the floors -->", floors())


def _beside(code, name, drawn):
    return (
        f'<div class="drawn" markdown>\n\n![{drawn[1]}]({name}){{ loading=lazy }}\n\n'
        f'<div markdown>\n\n{code}\n\n</div>\n\n</div>'
    )  # fmt: skip


def gallery(text):
    """Do what the gallery's page shows; return pictures and alternative texts, by names of files."""
    if text in _gallery:
        return _gallery[text]
    sys.path.insert(0, str(ROOT / "tests"))  # whose tests do the blocks of pages too
    import pages

    from spikenn_cy.plots import alt_text
    from spikenn_cy.plots import rendered

    found, names, here = {}, {"__name__": "gallery"}, Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for block in pages.blocks(text):
                if block.title:
                    pages.write(block, Path(folder))
                elif block.language == "python":
                    exec(compile(block.text, GALLERY, "exec"), names)
                elif block.language == "console":
                    for line, _ in pages.commands(block):
                        pages.run(line, Path(folder), GALLERY)
                if block.language == "python" and block.text.startswith("figure = "):
                    figure = names["figure"]
                    found[f"gallery/{len(found)}.png"] = (rendered(figure, "png", 100), alt_text(figure))
        finally:
            os.chdir(here)
    _gallery.clear()
    _gallery[text] = found
    return found


def rooms():
    """Return the rooms of each floor, as the table in CONTRIBUTING.md has them, with their subjects."""
    rows = re.findall(r"^\| (`.*?) \| ([^|]*) \|$", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.M)
    floors = [(re.findall(r"`([\w.]+?)(?:\.pxd|\.pyx|\.py|/)?`", names), subject) for names, subject in rows]
    return [(names, subject) for names, subject in floors if names and all(_sources(name) for name in names)]


def _sources(room):
    package = ROOT / "spikenn_cy"
    files = [package / f"{room}{suffix}" for suffix in (".py", ".pyx", ".pxd")]
    inside = [path for suffix in ("py", "pyx", "pxd") for path in (package / room).rglob(f"*.{suffix}")]
    return [path for path in (*files, *inside) if path.is_file()]


def imported():
    """Return, of each room, the rooms that its files import."""
    names = {name for floor, _ in rooms() for name in floor}
    pattern = re.compile(r"^\s*from spikenn_cy\.(\w+)[\w.]* c?import", re.MULTILINE)
    found = {name: pattern.findall("".join(path.read_text("utf-8") for path in _sources(name))) for name in names}
    return {name: set(used) & names - {name} for name, used in found.items()}


def floors():
    """Return the package as an SVG: a box for each room, the top floor first, and a line for each import.

    What follows from other lines (a room that imports a second one, which imports a third) has none.
    """
    table, uses = rooms(), imported()

    def reached(name):
        return uses[name].union(*(reached(below) for below in uses[name]))

    height = ROW_HEIGHT * len(table)
    places, boxes, lines = {}, [], []
    for floor, (names, subject) in enumerate(table):
        top = height - ROW_HEIGHT * (floor + 1) + (ROW_HEIGHT - BOX_HEIGHT) // 2
        for k, name in enumerate(names):
            places[name] = (round(WIDTH * (k + 0.5) / len(names)), top)
            boxes.append(_box(name, subject, *places[name]))
    for name, used in uses.items():
        direct = [below for below in used if not any(below in reached(other) for other in used)]
        lines.extend(_line(*places[name], *places[below]) for below in direct)
    told = f"The rooms of the package on {len(table)} floors; every line goes down, to what a room imports"
    return (
        f'<div><svg class="floors" viewBox="0 0 {WIDTH} {height}" text-anchor="middle" role="img" aria-label="{told}">'
        f"{''.join(sorted(lines))}{''.join(boxes)}</svg></div>"
    )


def _box(name, subject, centre, top):
    lines = sum(path.read_text("utf-8").count("\n") for path in _sources(name))
    told = escape(f"{name}: {lines:,} lines. {subject}".replace("`", ""))
    width = 9 * len(name) + 26
    box = f'<rect x="{centre - width // 2}" y="{top}" width="{width}" height="{BOX_HEIGHT}" rx="6"/>'
    return f'<g><title>{told}</title>{box}<text x="{centre}" y="{top + 20}">{escape(name)}</text></g>'


def _line(x, y, to_x, to_y):
    start = y + BOX_HEIGHT
    bend = (to_y - start) // 2
    return f'<path d="M{x} {start}C{x} {start + bend} {to_x} {to_y - bend} {to_x} {to_y}"/>'


def write_decision():
    """Write the picture of the front page: a digit that the bundled network of every layer decides."""
    from spikenn_cy import Readout
    from spikenn_cy import plots
    from spikenn_cy.demo import NETWORK
    from spikenn_cy.demo import demo_datasets

    train, validation, test = demo_datasets()
    model = Readout.from_config(NETWORK, train.n_inputs, train.n_classes, seed=0)
    model.fit(train, validation)
    plots.write_figure(plots.decision(model, test[SAMPLE]), FRONT)


if __name__ == "__main__":
    write_decision()
