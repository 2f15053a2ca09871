"""What README and docs show, block by block, so that all of it can be done by a test.

The blocks of a page are done in their order, in one folder and, for Python, with one set of names:

* a block of any language with a title, ``title="settings.json"``, is a file;
* ``python`` is run, and a block ``text`` right below it is what it prints;
* lines with ``$`` in ``console`` are commands; if lines follow they are what it prints, with ``…`` for anything;
* four spaces before ``python -m spikenn_cy`` are a command too, with ``[--option VALUE]``, the first of ``a|b``;
* ``<!-- not run: reason -->`` above a block says that it cannot be done here. Installing is left to ``.ci``.

Other blocks (``json`` without a title, ``text`` for formulas) are only shown.
"""

import contextlib
import io
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from small_runs import script
from ways import one_process

from spikenn_cy.cli.entry import main

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

FENCE = re.compile(r"^(```+)(\w*) *(.*?)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"<!-- not run: ((?:(?!-->).)+) -->\s*\Z", re.DOTALL)
LEFT_TO_CI = ("python -m pip ", "python -m pytest", "ruff ", "cython-lint ", "mkdocs ", "asv ")
OURS = ("python -m spikenn_cy", "spikenn-cy ")


@dataclass(frozen=True)
class Block:
    """A block of a page.

    Attributes
    ----------
    line : int
        Of the page, from 1.
    language, text : str
    title : str or None
        File that the block is.
    shows : str or None
        What a Python block prints.
    not_run : str or None
        Why it cannot be done here.
    """

    line: int
    language: str
    text: str
    title: str | None = None
    shows: str | None = None
    not_run: str | None = None


def blocks(page):
    """Return the blocks of a page's text."""
    found, fences = [], list(FENCE.finditer(page))
    for number, fence in enumerate(fences):
        title = re.search(r'title="(.*?)"', fence[3])
        reason = COMMENT.search(page[: fence.start()])
        after = fences[number + 1] if number + 1 < len(fences) else None
        prints = after and after[2] == "text" and page[fence.end() : after.start()].strip() == ""
        found.append(
            Block(
                line=page.count("\n", 0, fence.start()) + 1,
                language=fence[2],
                text=fence[4],
                title=title and title[1],
                shows=after[4] if prints and fence[2] == "python" and not title else None,
                not_run=reason and " ".join(reason[1].split()),
            )
        )
    outside = FENCE.sub(lambda fence: "\n" * fence[0].count("\n"), page)
    for match in re.finditer(r"^    (python|spikenn-cy|ruff|asv) .*$", outside, re.MULTILINE):
        # A reason stands above the first line of a block, after an empty one.
        start = outside.rfind("\n\n", 0, match.start())
        reason = COMMENT.search(outside[:start]) if start >= 0 else None
        line = outside.count("\n", 0, match.start()) + 1
        found.append(Block(line, "indented", match[0].strip(), not_run=reason and " ".join(reason[1].split())))
    return sorted(found, key=lambda block: block.line)


def commands(block):
    """Return the commands of a block and what is shown of what each prints, or None."""
    if block.language == "indented":
        return [(way, None) for line in block.text.split(" && ") for way in ways(line)]
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]
    lines = [part.partition("\n") for part in parts]
    return [(first, shown or None) for first, _, shown in lines]


def ways(line):
    """Return the commands that a line with brackets stands for: with all of them, but one format at a time.

    Of alternatives, ``a|b``, the first is taken.
    """
    line = re.sub(r" \| [^]]*|\|[^] ]+", "", line)
    full = re.sub(r"[][]| …", "", line).replace("--n_proc N", "--n_proc 1")
    if "--json --csv" in full:
        return [full.replace(" --csv", ""), full.replace(" --json", "")]
    return [full]


def matches(shown, printed):
    """Tell whether what is shown, with … for anything, is what was printed."""
    pattern = ".*".join(re.escape(part) for part in shown.strip().split("…"))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


def done(page, folder, instead=lambda line: line):
    """Do all blocks of a page in a folder, the current one; return the names that Python is left with.

    Parameters
    ----------
    page : Path
    folder : Path
        Has what the page's reader is supposed to have.
    instead : callable
        Returns the command line to run in place of each, or None.
    """
    names = {"__name__": page.stem}
    for block in blocks(page.read_text(encoding="utf-8")):
        place = f"{page.name}:{block.line}"
        if block.not_run:
            continue
        if block.title:
            write(block, folder)
        elif block.language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(compile("\n" * block.line + block.text, str(page), "exec"), names)
            assert block.shows in (None, printed.getvalue()), f"{place}: prints {printed.getvalue()}"
        elif block.language in ("console", "indented"):
            for line, shown in commands(block):
                line = instead(line)  # noqa: PLW2901
                said = line and run(line, folder, place)
                assert said is None or shown is None or matches(shown, said), f"{place}: {line} prints {said}"
    return names


def write(block, folder):
    """Write a block that is a file; of a ``diff``, put the lines with ``+`` beside those that it shows."""
    path = folder / block.title
    path.parent.mkdir(parents=True, exist_ok=True)
    if block.language != "diff":
        path.write_text(block.text, encoding="utf-8")
        return
    lines = block.text.splitlines(keepends=True)
    old, new = ("".join(line[1:] for line in lines if line[0] != without) for without in "+-")
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{block.title}: has no {old!r}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def run(line, folder, place):
    """Run a command line; return what it prints, or None if it is left to others."""
    if line.startswith(LEFT_TO_CI):
        return None
    words = shlex.split(line)
    if line.startswith(OURS):
        return ours(*(words[2:] if words[0] == "python" else ["spikenn_cy", *words[1:]]), place=f"{place}: {line}")
    if line.startswith(("gcc ", "./")):
        return compiled(words, folder, f"{place}: {line}")
    assert re.match(r"python \w+\.py", line), f"{place}: nobody knows how to run {line}"
    finished = script(*words[1:], folder=folder)
    assert finished.returncode == 0, f"{place}: {line}: {finished.stderr}"
    return finished.stdout


def compiled(words, folder, place):
    """Run a compiler, or a program that it made; return its output, or None where there is no compiler."""
    if shutil.which("gcc") is None:
        return None
    finished = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stderr) == (0, ""), f"{place}: {finished.stderr}"
    return finished.stdout


# What a command says aside: notes, and how far it is, once a minute.
ASIDE = re.compile(r"note: |\S+ .*[0-9]+:[0-9]{2}( left)?$")


def ours(module, *words, place):
    """Do what a process of ``python -m module words…`` would, without importing everything again; return its output.

    That such a process does that is a matter of other tests.
    """
    command = "run" if module == "spikenn_cy.run" else None
    with (
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as err,
        one_process(),
    ):
        status = main(words, command=command)
    beyond = [line for line in err.getvalue().splitlines() if not ASIDE.match(line)]
    assert (status, beyond) == (0, []), f"{place}: {err.getvalue()}"
    return out.getvalue()
