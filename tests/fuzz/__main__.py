"""Attack by hand: ``make fuzz SECONDS=3600 SEED=7``."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from .attack import ACCEPTED
from .attack import MORE_MEMORY
from .attack import REFUSED
from .attack import Case
from .attack import attack
from .attack import fair_share
from .attack import keep
from .attack import limits
from .corpus import KINDS

MOST_KEPT = 5  # of one kind of file and one kind of finding
MOST_DEATHS = 50


def main():
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="default: another one each time")
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), help=", ".join(KINDS))
    parser.add_argument("--no_limit", action="store_true", help="of addresses, which sanitizers take without measure")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        return child(arguments)
    return parent(arguments)


def child(arguments):
    """Do cases until the time is over, and write each before it is begun; a crash is the parent's to see."""
    counts, findings = Counter(), Counter()
    out = Path(arguments.child)

    def tell(case):
        (out / "now.json").write_text(json.dumps([case.kind, case.seed, case.number]))

    with tempfile.TemporaryDirectory() as folder, limits(None if arguments.no_limit else MORE_MEMORY):
        for kind in arguments.kinds:  # which takes its time, of which no kind has a share
            Case(kind, 0, 0).content()
        for case, why in attack(fair_share(arguments.seed, arguments.kinds, arguments.seconds), folder, tell):
            counts[case.kind, why if why in (REFUSED, ACCEPTED) else "found"] += 1
            (out / "counts.json").write_text(json.dumps([[*key, n] for key, n in counts.items()]))
            if why not in (REFUSED, ACCEPTED):
                sort = case.kind, "\n".join(why.strip().splitlines()[-3:])
                findings[sort] += 1
                if findings[sort] <= MOST_KEPT:
                    print(f"FOUND {keep(case, why)}\n{why}", flush=True)
    return 0


def parent(arguments):
    """Let a child attack; where it dies, keep the case that killed it and go on with the next seed."""
    print(f"seed {arguments.seed}, {len(arguments.kinds)} kinds, {arguments.seconds:g} s", flush=True)
    began, deaths, total = time.monotonic(), 0, Counter()
    while True:
        left = arguments.seconds - (time.monotonic() - began)
        with tempfile.TemporaryDirectory() as out:
            options = ["--seconds", str(left), "--seed", str(arguments.seed + deaths), "--child", out]
            options += ["--no_limit"] * arguments.no_limit
            words = [sys.executable, "-m", "fuzz", *options, "--kinds", *arguments.kinds]
            status = subprocess.run(words, check=False, env=os.environ).returncode
            if Path(out, "counts.json").exists():
                total.update({(kind, what): n for kind, what, n in json.loads(Path(out, "counts.json").read_text())})
            if status == 0:
                break
            deaths += 1
            if not Path(out, "now.json").exists():
                print(f"no case was begun: status {status}")
                return 1
            case = Case(*json.loads(Path(out, "now.json").read_text()))
            print(f"FOUND {keep(case, f'the process died: status {status}')}: the process died: status {status}")
            if deaths == MOST_DEATHS:
                break
    for kind in arguments.kinds:
        print(f"{kind:24}" + "".join(f"{what} {total[kind, what]:7,}  " for what in (REFUSED, ACCEPTED, "found")))
    n_found = sum(n for (_, what), n in total.items() if what == "found") + deaths
    print(
        f"{sum(total.values()):,} files in {time.monotonic() - began:.0f} s, seed {arguments.seed}: {n_found} findings"
    )
    return int(n_found > 0)


if __name__ == "__main__":
    sys.exit(main())
