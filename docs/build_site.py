"""What the site needs beside ``mkdocs.yml``: pages from elsewhere, notebooks as pages, compiled modules' docstrings."""

import importlib
import inspect
import os
import re
import sys
from pathlib import Path
from pathlib import PurePosixPath

import griffe
from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]  # the package that was built in this tree, not another one

from notebooks import kept  # noqa: E402
from notebooks import page_of  # noqa: E402

# Pages of the site that stand elsewhere in the tree, where people look for them.
ELSEWHERE = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "configs/README.md": "published-settings.md",
}
LINK = re.compile(r"\[([^\]\n]+)\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files, config):
    """Add the pages from elsewhere, and a page for each notebook, which stays beside it to be downloaded."""
    for source, page in ELSEWHERE.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    for path in sorted((ROOT / "docs").glob("*.ipynb")):
        page, pictures = page_of(path, kept(path))
        for name, content in {f"{path.stem}.md": page, **pictures}.items():
            files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown, page, config, files):
    """Turn links between files of the tree into links between pages; a file that is no page is only named."""
    source_of = {page: source for source, page in ELSEWHERE.items()}
    folder = PurePosixPath(source_of.get(page.file.src_uri, f"docs/{page.file.src_uri}")).parent

    def on_site(link):
        text, target, anchor = link[1], os.path.normpath(folder / link[2]), link[3] or ""
        if target in ELSEWHERE:
            return f"[{text}]({ELSEWHERE[target]}{anchor})"
        if target.startswith("docs/"):
            to = re.sub(r"\.ipynb$", ".md", target.removeprefix("docs/"))  # of a notebook, its page
            return f"[{text}]({to}{anchor})"
        return text if (ROOT / target).exists() else link[0]

    return LINK.sub(on_site, markdown)


class CompiledDocstrings(griffe.Extension):
    """Put the docstrings of compiled modules, whose stubs have types alone, beside these types."""

    def on_object(self, *, obj, **_):
        if obj.docstring is not None or obj.is_module or obj.filepath.suffix != ".pyi":
            return
        found = importlib.import_module(obj.module.path)
        for name in obj.path.removeprefix(obj.module.path).split(".")[1:]:
            found = getattr(found, name, None)
        # Cython puts the signature into the first line.
        text = re.sub(rf"\A(?:\w+\.)?{obj.name}\(.*\)(?: -> .*)?\n", "", getattr(found, "__doc__", None) or "")
        if text and obj.name != "__init__":
            obj.docstring = griffe.Docstring(inspect.cleandoc(text), parent=obj)
