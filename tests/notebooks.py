"""Notebooks run without Jupyter: cell by cell, with one set of names, and what each cell shows."""

import ast
import json


def cells(path, kind="code"):
    """Return the sources of the cells of a kind, in their order."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


def done(path):
    """Run all code of a notebook; return what the last expression of each cell is, None of a cell without one."""
    names, shown = {"__name__": "__main__"}, []
    for source in cells(path):
        tree = ast.parse(source, str(path))
        last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, str(path), "exec"), names)
        shown.append(None if last is None else eval(compile(last, str(path), "eval"), names))
    return shown
