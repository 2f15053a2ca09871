"""Plant each fault of a list in a copy of the tree, run the tests that must see it, and list those that none sees."""

import argparse
import os
import subprocess
import sys

from .copies import copy_of_the_tree
from .faults import FAULTS

TIERS = ("quick", "full", "processes")
SECONDS = 1_800  # for the tests of one fault; what goes on for ever is seen, too


class Unplanted(Exception):
    """The source is not what the list says, or what was planted cannot be compiled."""


def build(tree):
    words = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
    found = subprocess.run(words, cwd=tree, capture_output=True, text=True, check=False)
    if found.returncode:
        raise Unplanted(found.stderr[-500:])


def seen(tree, fault):
    """Return the first test that fails with a fault in a tree, or "" if none does; the tree is as it was afterwards."""
    path = tree / "spikenn_cy" / fault.file
    before = path.read_text(encoding="utf-8")
    if before.count(fault.old) != 1:
        raise Unplanted(f"{fault.old!r} is there {before.count(fault.old)} times")
    compiled = path.suffix != ".py"
    try:
        path.write_text(before.replace(fault.old, fault.new), encoding="utf-8")
        if compiled:
            build(tree)
        return first_failure(tree, fault.tests.split())
    finally:
        path.write_text(before, encoding="utf-8")
        if compiled:
            build(tree)


def first_failure(tree, names):
    files = [f"tests/{name}.py" if "/" in name else f"tests/test_{name}.py" for name in names]
    missing = [file for file in files if not (tree / file).exists()]
    if missing:
        raise Unplanted(f"no {', '.join(missing)}")
    # The quick ones first: most faults are seen by them, in a tenth of the time.
    return next(filter(None, (_first_failure(tree, [*files, "-m", tier]) for tier in TIERS)), "")


def _first_failure(tree, options):
    words = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *options]
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        tests = subprocess.run(
            words, cwd=tree, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return "(no end)"
    if tests.returncode in (0, 5):  # 5: no test is of this tier
        return ""
    failed = [line for line in tests.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].split(" - ")[0] if failed else f"(status {tests.returncode}) {tests.stdout[-200:]}"


def main():
    parser = argparse.ArgumentParser(prog="harness.plant", description=__doc__)
    parser.add_argument("--first", type=int, default=1, help="number of the first fault")
    parser.add_argument("--last", type=int, default=len(FAULTS), help="number of the last one (default: %(default)s)")
    parser.add_argument("--python", action="store_true", help="only those that need no compiler")
    parser.add_argument("--file", default="", help="only those of a file whose path begins so")
    arguments = parser.parse_args()
    survivors, unplanted, n_seen = [], [], 0
    with copy_of_the_tree() as tree:
        for number, fault in enumerate(FAULTS, start=1):
            is_asked = arguments.first <= number <= arguments.last and fault.file.startswith(arguments.file)
            if not is_asked or (arguments.python and not fault.file.endswith(".py")):
                continue
            name = f"{number:3} {fault.file}: {fault.old!r} -> {fault.new!r}"
            try:
                test = seen(tree, fault)
            except Unplanted as problem:
                unplanted.append(name)
                print(f"{name}: CANNOT BE PLANTED: {problem}", flush=True)
                continue
            print(f"{name}: {test or 'SURVIVES ' + fault.tests}", flush=True)
            n_seen += bool(test)
            survivors += [] if test else [name]
    print(f"{n_seen} seen, {len(survivors)} survive, {len(unplanted)} cannot be planted")
    for name in survivors:
        print(f"SURVIVES {name}")
    return int(bool(survivors or unplanted))


if __name__ == "__main__":
    sys.exit(main())
