"""The attack itself: damaged files, by number, and the judgement of what came of each."""

import base64
import contextlib
import itertools
import json
import resource
import signal
import time
import traceback
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spikenn_cy.errors import ConfigWarning
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import SpikennError
from spikenn_cy.errors import TrainingWarning

from .corpus import KINDS
from .mutators import mutated

FOUND = Path(__file__).parent / "found"
SECONDS = 20  # of a processor, for one file; a hundred times what any needs
MORE_MEMORY = 1 << 30  # bytes of addresses, for one process and all its files together
LONGEST = 2_000  # characters of a message, of which the place may be long
OURS = (ConfigWarning, DataWarning, TrainingWarning)
REFUSED, ACCEPTED = "refused", "accepted"


class TookTooLong(BaseException):
    """A file took more of the processor's time than any should; nothing that it meets may take it for its own."""


@dataclass(frozen=True)
class Case:
    """A damaged file, which its kind and two numbers determine as long as the corpus is the same."""

    kind: str
    seed: int
    number: int

    def content(self):
        draw = np.random.default_rng([self.seed, self.number, zlib.crc32(self.kind.encode())])
        files = _files(self.kind)
        return mutated(files[draw.integers(len(files))], draw, KINDS[self.kind].mutators)


_made = {}


def _files(kind):
    if kind not in _made:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _made[kind] = KINDS[kind].make()
    return _made[kind]


@contextlib.contextmanager
def limits(more_memory=MORE_MEMORY):
    """Keep the block from more memory, and each file in it from more time; a limit of memory is for the process."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    old = signal.signal(signal.SIGPROF, _took_too_long)
    if more_memory is not None:
        resource.setrlimit(resource.RLIMIT_AS, (used + more_memory, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, old)


def _took_too_long(*_):
    raise TookTooLong


def outcome(kind, content, folder):
    """Return ``REFUSED`` or ``ACCEPTED``, or in words what was wrong with what a file led to."""
    path = Path(folder, f"file{KINDS[kind].suffix}")
    path.write_bytes(content)
    try:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            KINDS[kind].use(path)
    except SpikennError as refusal:
        said = str(refusal)
        if len(said.splitlines()) != 1 or not said.isprintable():
            return f"a refusal that is no line to print: {said[:300]!r}"
        return REFUSED if len(said) < LONGEST else f"a refusal of {len(said)} characters"
    except MemoryError:
        return REFUSED if KINDS[kind].may_need_memory else f"want of memory\n{traceback.format_exc()}"
    except TookTooLong:
        return f"more than {SECONDS} s\n{traceback.format_exc()}"
    except (Exception, SystemExit):
        return traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    strange = [w for w in warned if not issubclass(w.category, OURS)]
    if strange:
        return f"{strange[0].category.__name__} from {strange[0].filename}:{strange[0].lineno}: {strange[0].message}"
    return ACCEPTED


def attack(cases, folder, tell=lambda case: None):
    """Yield each case with its outcome; ``tell`` is called before each, so that one that kills the process is known."""
    for case in cases:
        tell(case)
        yield case, outcome(case.kind, case.content(), folder)


def cases_of(seed, kind):
    """Yield the cases of a kind, without end."""
    return (Case(kind, seed, number) for number in itertools.count())


def fair_share(seed, kinds, seconds):
    """Yield cases for some seconds, of which each kind gets the same share: commands take longer than files."""
    cases, spent, now = {kind: cases_of(seed, kind) for kind in kinds}, dict.fromkeys(kinds, 0.0), time.perf_counter
    end = now() + seconds
    while (began := now()) < end:
        kind = min(spent, key=spent.get)
        yield next(cases[kind])
        spent[kind] += now() - began


def keep(case, why):
    """Write a case to the folder of those found, if it is not there; return its path."""
    name = f"{case.kind.replace(' ', '-')}-{case.seed}-{case.number}.json"
    record = {"kind": case.kind, "seed": case.seed, "number": case.number, "found": why.strip().splitlines()[-1][:200]}
    FOUND.mkdir(exist_ok=True)
    (FOUND / name).write_text(
        json.dumps(record | {"content": base64.b64encode(zlib.compress(case.content(), 9)).decode()}, indent=1) + "\n"
    )
    return FOUND / name


def kept():
    """Return what was found, by file name: kind and content."""
    records = {path.name: json.loads(path.read_text()) for path in sorted(FOUND.glob("*.json"))}
    return {
        name: (record["kind"], zlib.decompress(base64.b64decode(record["content"]))) for name, record in records.items()
    }
