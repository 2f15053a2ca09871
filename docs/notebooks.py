"""Notebooks that run without Jupyter, cell by cell: the tests run them all, and the site shows what they show."""

import ast
import base64
import contextlib
import hashlib
import html
import io
import json
import os
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
KEPT = ROOT / "build" / "notebooks"  # notebooks with outputs, so that what a test has run is not run again for the site
SOURCES = (".py", ".so", ".pyd", ".json", ".npz")  # files of the package on which outputs depend


def cells(path, kind="code"):
    """Return the sources of the cells of a kind, in their order."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


def executed(path, folder, names=None):
    """Run a notebook from top to bottom in a folder, and return it with its outputs, as Jupyter would keep it.

    Parameters
    ----------
    path, folder : Path
    names : dict, optional
        Has the notebook's variables afterwards.

    Returns
    -------
    dict
        The notebook; its metadata say how many seconds it took.
    """
    notebook = json.loads(path.read_text(encoding="utf-8"))
    names = {} if names is None else names
    names["__name__"] = "__main__"
    before, began = Path.cwd(), time.perf_counter()
    os.chdir(folder)
    try:
        code = (cell for cell in notebook["cells"] if cell["cell_type"] == "code")
        for number, cell in enumerate(code, 1):
            cell["execution_count"] = number
            cell["outputs"] = outputs("".join(cell["source"]), names, f"{path.name}, code cell {number}")
    finally:
        os.chdir(before)
    notebook["metadata"]["seconds"] = time.perf_counter() - began
    return notebook


def outputs(source, names, place):
    """Run a cell; return what it prints and what its last expression is, as parts of a notebook."""
    tree = ast.parse(source, place)
    last = ast.Expression(tree.body.pop().value) if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(tree, place, "exec"), names)
        value = None if last is None else eval(compile(last, place, "eval"), names)
    found = []
    if printed.getvalue():
        found.append({"output_type": "stream", "name": "stdout", "text": printed.getvalue()})
    if value is not None:
        found.append({"output_type": "display_data", **shown(value)})
    return found


def shown(value):
    """Return an object as a notebook shows it: a picture, a table, or text."""
    if hasattr(value, "_repr_png_"):
        picture, told = value._repr_png_()
        return {"data": {"image/png": base64.b64encode(picture).decode()}, "metadata": {"image/png": told}}
    table = {"text/html": value._repr_html_()} if hasattr(value, "_repr_html_") else {}
    return {"data": {**table, "text/plain": repr(value)}, "metadata": {}}


def fingerprint(path):
    """Return what changes when a notebook or the package changes."""
    files = [path, *sorted(file for file in (ROOT / "spikenn_cy").rglob("*") if file.suffix in SOURCES)]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def keep(path, notebook):
    """Keep a notebook that has run, for the site."""
    KEPT.mkdir(parents=True, exist_ok=True)
    notebook["metadata"]["made_from"] = fingerprint(path)
    (KEPT / path.name).write_text(json.dumps(notebook, indent=1), encoding="utf-8")


def kept(path):
    """Return a notebook with its outputs: those of its last run if nothing has changed since, else of a new one."""
    with contextlib.suppress(OSError, ValueError):
        notebook = json.loads((KEPT / path.name).read_text(encoding="utf-8"))
        if notebook["metadata"]["made_from"] == fingerprint(path):
            return notebook
    with tempfile.TemporaryDirectory() as folder:
        notebook = executed(path, folder)
    keep(path, notebook)
    return notebook


def page_of(path, notebook):
    """Return a notebook that has run as a page.

    Returns
    -------
    page : str
        Markdown: the title, where to get the notebook, then each cell with its outputs.
    pictures : dict of bytes
        The PNG files that the page shows, by their names.
    """
    parts, pictures = [], {}
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        parts.append(f"```python\n{source}\n```" if cell["cell_type"] == "code" else source)
        for output in cell.get("outputs", ()):
            data = output.get("data", {"text/plain": output.get("text")})
            if "image/png" in data:
                name = f"{path.stem}-{len(pictures) + 1}.png"
                pictures[name] = base64.b64decode(data["image/png"])
                told = {key: html.escape(str(value)) for key, value in output["metadata"]["image/png"].items()}
                parts.append(f'<img src="{name}" alt="{told["alt"]}" width="{told["width"]}">')
            elif "text/html" in data:
                parts.append(f'<div class="output">{data["text/html"]}</div>')
            else:
                parts.append(f"```text\n{data['text/plain'].rstrip()}\n```")
    title, *others = parts
    seconds = max(1, round(notebook["metadata"]["seconds"]))
    where = (
        f'<a href="{path.name}" download>Download this page as a notebook.</a> '
        f"It ran in {seconds} s on the machine that built the site."
    )
    head, _, rest = title.partition("\n")
    return "\n\n".join([head, where, rest.strip(), *others]), pictures
