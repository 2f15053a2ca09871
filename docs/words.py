"""Links from the pages to the glossary: a word has one where a page first uses it, with what it means as its title."""

import re
from pathlib import Path

GLOSSARY = "glossary.md"
# Words that a newcomer to the field has not met; others of the glossary are explained where they are used.
LINKED = (
    "latency code", "membrane potential", "causal", "annealing", "target norm", "competition regulation", "screening",
    "synaptic operation", "multiply-add", "target neuron", "competition group",
)  # fmt: skip
# Pages that explain them anyway, or are no running text.
WITHOUT = {GLOSSARY, "index.md", "changelog.md", "reference.md", "contributing.md", "inside.md"}
ROW = re.compile(r"^\| ([^|]+?) \| ([^|]+?) \|$", re.MULTILINE)
NO_TEXT = re.compile(r"^(#|\||    |<|!\[|>|```)")
SET_APART = re.compile(r"(`[^`]*`|\[[^\]]*\]\([^)]*\)|<[^>]*>)")


def anchor(word):
    """Return the anchor of a word on the glossary's page."""
    return re.sub(r"[^\w]+", "-", word.lower()).strip("-")


def meanings():
    """Return what each word of the glossary means."""
    rows = ROW.findall((Path(__file__).parent / GLOSSARY).read_text(encoding="utf-8"))
    return {word.strip(): meaning for names, meaning in rows for word in names.split(",")}


def on_page_markdown(markdown, page, **_):
    """Give the words of the glossary anchors, and other pages links to them."""
    if page.file.src_uri == GLOSSARY:
        return ROW.sub(_with_anchors, markdown)
    return markdown if page.file.src_uri in WITHOUT else linked(markdown, meanings())


def _with_anchors(row):
    if row[1] == "word" or row[1].startswith("-"):
        return row[0]
    anchors = "".join(f'<a id="{anchor(word)}"></a>' for word in row[1].split(","))
    return f"| {anchors}{row[1]} | {row[2]} |"


def linked(markdown, meaning_of):
    """Return a page with a link at the first use of each word, outside of headings, tables, code and other links."""
    lines, waiting, in_code = markdown.split("\n"), list(LINKED), False
    for number, line in enumerate(lines):
        in_code ^= line.lstrip().startswith("```")
        if in_code or NO_TEXT.match(line):
            continue
        parts = SET_APART.split(line)
        for k in range(0, len(parts), 2):
            for word in list(waiting):
                found = re.search(rf"(?<![\w-]){re.escape(word)}s?(?![\w-])", parts[k])
                if found:
                    title = re.sub(r"[`*\"\[\]]|\(\S+\.md\S*\)", "", meaning_of[word])
                    link = f'[{found[0]}]({GLOSSARY}#{anchor(word)} "{title}")'
                    parts[k] = parts[k][: found.start()] + link + parts[k][found.end() :]
                    waiting.remove(word)
                    break  # one a part, so that no link is put into another
        lines[number] = "".join(parts)
    return "\n".join(lines)
