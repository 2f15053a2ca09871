"""Pages of HTML 5 that hold all that they show and ask for nothing from anywhere: their style, sections and tables."""

import html
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

from spikenn_cy.plots.canvas import label_text

# Nothing but what stands in the page itself may be loaded or run.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STYLE = """
:root { color-scheme: light dark; --text: #1a1a1a; --page: #ffffff; --faint: #595959; --line: #d0d0d0; --row: #f4f4f4; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e8e8e8; --page: #161616; --faint: #a8a8a8; --line: #444444; --row: #222222; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 56rem; color: var(--text); background: var(--page);
  font: 1rem/1.5 system-ui, sans-serif; }
h1, p, li, figcaption, code { overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0.5rem 0; }
h2 { font-size: 1.25rem; margin: 2rem 0 0.5rem; border-bottom: 1px solid var(--line); }
p { margin: 0.5rem 0; }
.faint, figcaption, caption { color: var(--faint); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 0.5rem 0; }
caption { text-align: left; padding: 0.25rem 0; }
th, td { padding: 0.25rem 0.75rem 0.25rem 0.25rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }
thead th { background: var(--row); }
th[scope="row"] { font-weight: normal; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
figure { margin: 1rem 0; }
img { display: block; width: 100%; height: auto; background: #ffffff; border: 1px solid var(--line); }
summary { cursor: pointer; padding: 0.25rem 0; }
code { font-family: ui-monospace, monospace; font-size: 0.9em; }
.digest { display: inline-block; min-width: 12rem; }
"""


def document(title: str, faint: str, body: Iterable[str], record: str, name: str) -> str:
    """Return a page.

    Parameters
    ----------
    title : str
        Plain text.
    faint : str
        HTML below the title.
    body : iterable of str
        Lines of HTML.
    record : str
        All of it as JSON for programs, in the element ``name``, in which nothing can end that element.
    name : str
    """
    for character in "<>&":
        record = record.replace(character, f"\\u{ord(character):04x}")
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escaped(title, None)}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        "<header>",
        f"<h1>{escaped(title, None)}</h1>",
        f'<p class="faint">{faint}</p>',
        "</header>",
        "<main>",
        *body,
        "</main>",
        f'<script type="application/json" id="{name}">{record}</script>',
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def section(title: str, lines: Iterable[str]) -> Iterator[str]:
    """Yield a section of HTML lines."""
    yield f"<section><h2>{title}</h2>"
    yield from lines
    yield "</section>"


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]], n_texts: int = 1) -> Iterator[str]:
    """Yield a table of cells that are HTML already; those after the first ``n_texts`` columns are numbers."""

    def looks(column: int) -> str:
        return "" if column < n_texts else ' class="number"'

    yield f'<div class="wide" role="region" tabindex="0" aria-label="{caption}"><table><caption>{caption}</caption>'
    cells = "".join(f'<th scope="col"{looks(column)}>{name}</th>' for column, name in enumerate(header))
    yield f"<thead><tr>{cells}</tr></thead><tbody>"
    for first, *others in rows:
        cells = "".join(f"<td{looks(column)}>{cell}</td>" for column, cell in enumerate(others, start=1))
        yield f'<tr><th scope="row">{first}</th>{cells}</tr>'
    yield "</tbody></table></div>"


def escaped(value: object, most: int | None = 80) -> str:
    """Return what somebody else wrote as text of a page or of an attribute in it."""
    return html.escape(label_text(value, most), quote=True)
