"""Kill commands at random moments, go on with them, and compare every byte with what an undisturbed one wrote.

``make kill KILLS=100`` kills each command so often; ``python -m harness.kill --words run IN OUT CONFIG --output OUT``,
in a folder that holds what it needs, any command line. Moments are drawn from how long the undisturbed command takes
on this machine now.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

import numpy as np
from processes import Family
from small_images import write_mnist
from small_runs import contents
from small_runs import dense
from small_runs import write_data
from small_runs import write_settings

SIGNALS = {"KILL": signal.SIGKILL, "TERM": signal.SIGTERM, "INT": signal.SIGINT, "STOP+CONT": signal.SIGSTOP}
ALLOWED = {"KILL": {-9}, "TERM": {-15, 143}, "INT": {130, -2}}  # statuses; 0 too, of a command that was faster
STOPPED = 0.3  # seconds
AGAIN = 0.5  # chance that what is gone on with is killed, too
CLUSTER = "CLUSTER"  # in words, for the address of a Dask cluster


@dataclass(frozen=True)
class Command:
    """A command line that writes ``output``; ``words`` are relative to the folder that `make_inputs` fills."""

    words: tuple
    output: str
    again: tuple = ()  # more words, to go on
    before: str = ""  # what `output` begins as a copy of
    signals: tuple = tuple(SIGNALS)


def line(text, **options):
    """Return the command of a line, whose output is the word in brackets."""
    words = text.split()
    (output,) = (word[1:-1] for word in words if word.startswith("["))
    return Command(tuple(word.strip("[]") for word in words), output, **options)


COMMANDS = {
    "run": line("run in [run] long.json --save_stats"),
    "run --report": line("run in [run] config.json --report"),
    "run --overwrite": line("run in [run] long.json --overwrite", before="other"),
    "kfold": line("kfold folds [kfold] long.json --K 3 --n_proc 2"),
    "kfold, one process": line("kfold folds [kfold] long.json --K 2 --n_proc 1"),
    "kfold on a cluster": line(f"kfold folds [kfold] long.json --K 3 --cluster {CLUSTER}"),
    "gridsearch": line("gridsearch in [grid] grid.json --n_proc 2", again=("--resume",)),
    "ablation neurons": line("ablation neurons folds [neurons] config.json --neurons 6 9 --K 2 --n_proc 1"),
    "ablation thresholds": line("ablation thresholds folds [thresholds] config.json --K 2 --n_proc 2"),
    "convert": line("convert X.npy y.npy [converted.npz]"),
    "encode": line("encode table.csv [encoded] --label kind"),
    "digits": line("digits [digits] --K 3"),
    "dataset": line("dataset mnist [images] --from downloads"),
    "extract": line("extract stdp-csnn mnist/gs [spikes] extractor.json"),
    "export": line("export done [network.h]"),
    "quantize": line("quantize done --input in --out [quantised.npz]"),
    "plot": line("plot done --out [pictures]"),
}


def make_inputs(folder):
    """Write what the commands read."""
    write_data(folder / "in")
    for fold in "012":
        write_data(folder / "folds" / fold)
    write_settings(folder / "config.json", trainer={"epochs": 10})
    write_settings(folder / "long.json", trainer={"epochs": 30})
    write_settings(folder / "grid.json", optimizer={"ap": [0.1, 0.05, 0.02]}, trainer={"epochs": 20})
    times, labels = dense(4_000, 0, n_inputs=300)
    np.save(folder / "X.npy", times)
    np.save(folder / "y.npy", labels)
    rows = (f"{n % 70},{n / 4},{'xyz'[n % 3]}" for n in range(5_000))
    (folder / "table.csv").write_text("\n".join(["length,width,kind", *rows, ""]))
    write_mnist(folder / "downloads")
    (folder / "extractor.json").write_text(json.dumps({"conv1_c": 4, "conv1_epochs": 3, "conv1_th": 3.0}))
    for words in (
        ["dataset", "mnist", "mnist", "--from", "downloads"],
        ["run", "in", "done", "config.json"],
        ["run", "in", "other", "config.json", "--seed", "5"],
    ):
        done(words)


def done(words):
    """Run a command undisturbed; return how long it took."""
    began = time.perf_counter()
    with Family(*words) as family:
        status, _, err = family.end()
        assert status == 0, err
    return time.perf_counter() - began


@dataclass
class Record:
    """What came of the kills of one command."""

    kills: Counter = field(default_factory=Counter)  # by signal
    too_late: int = 0  # the command was done before
    compared: int = 0  # outputs with the undisturbed one
    faults: list = field(default_factory=list)


class Killer:
    """Kills one command again and again; the current folder is that of its inputs."""

    def __init__(self, command, draw):
        self.command, self.draw, self.record = command, draw, Record()
        self.output = Path(command.output)
        self.fresh()
        first = self.undisturbed()
        self.fresh()
        self.seconds = done(command.words)
        self.whole = self.undisturbed()
        self.varying = {name for name in {*first, *self.whole} if first.get(name) != self.whole.get(name)}
        if self.varying:
            self.fault(f"two undisturbed commands differ in {sorted(self.varying)}")

    def fresh(self):
        for path in (self.output, *self.output.parent.glob(f".{self.output.name}*")):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        if self.command.before:
            shutil.copytree(self.command.before, self.output)

    def undisturbed(self):
        if not self.output.exists() or self.command.before:
            done(self.command.words)
        return self.written()

    def written(self):
        """Return the bytes of all that is left, what is hidden too."""
        here = self.output.parent.resolve()
        hidden = {path.name: path.read_bytes() for path in here.glob(f".{self.output.name}*") if path.is_file()}
        if self.output.is_dir():
            return {**contents(self.output), **hidden}
        return {self.output.name: self.output.read_bytes(), **hidden}

    def fault(self, text):
        self.record.faults.append(text)
        print(f"  FAULT {text}", flush=True)

    def kill(self, n_kills):
        while sum(self.record.kills.values()) < n_kills:
            self.round()
        return self.record

    def round(self):
        """Kill the command, and perhaps what goes on with it, let it end, and compare."""
        self.fresh()
        words, history = self.command.words, []
        while not history or self.draw.random() < AGAIN:
            name = str(self.draw.choice(self.command.signals))
            moment = self.draw.uniform(0, self.seconds)
            history.append(f"{name} after {moment:.3f} s")
            if self.disturbed(words, name, moment, history):
                break
            words = (*self.command.words, *self.command.again)
        else:
            self.go_on(words, history)
        found = self.written()
        self.record.compared += 1
        for file in sorted({*found, *self.whole} - self.varying):
            if found.get(file) != self.whole.get(file):
                what = "is missing" if file not in found else "is more" if file not in self.whole else "differs"
                self.fault(f"{file} {what} ({', '.join(history)})")

    def go_on(self, words, history):
        with Family(*words) as family:
            status, _, err = family.end()
        if status != 0 or "Traceback" in err:
            self.fault(f"gone on with, status {status}: {err[-500:]} ({', '.join(history)})")

    def disturbed(self, words, name, moment, history):
        """Send a signal at a moment; return whether the command came to its end."""
        with Family(*words) as family:
            with contextlib.suppress(Exception):
                family.parent.wait(moment)
            if family.parent.poll() is not None:
                self.record.too_late += 1
            else:
                self.record.kills[name] += 1
                self.send(family, name)
            status, _, err = family.end()
            if name != "STOP+CONT" and status not in {0, *ALLOWED[name]}:
                self.fault(f"status {status} ({', '.join(history)}): {err[-500:]}")
            if "Traceback" in err:
                self.fault(f"a traceback ({', '.join(history)}): {err[-500:]}")
            if not family.gone_soon():
                self.fault(f"processes are left ({', '.join(history)}): {family.members()}")
        return status == 0

    @staticmethod
    def send(family, name):
        """Send a signal as it comes: Ctrl-C and Ctrl-Z to all processes of a terminal, others to the command alone."""
        with contextlib.suppress(ProcessLookupError):
            if name == "STOP+CONT":
                os.killpg(family.parent.pid, signal.SIGSTOP)
                time.sleep(STOPPED)
                os.killpg(family.parent.pid, signal.SIGCONT)
            elif name == "INT":
                os.killpg(family.parent.pid, signal.SIGINT)
            else:
                os.kill(family.parent.pid, SIGNALS[name])


@contextlib.contextmanager
def with_cluster(command, folder):
    """Give a command the address of a cluster of two workers, if it wants one."""
    if CLUSTER not in command.words:
        yield command
        return
    from dask_processes import scheduler
    from dask_processes import workers

    with scheduler(folder / "scheduler") as (address, _), workers(address, folder / "workers", n=2):
        words = tuple(address if word == CLUSTER else word for word in command.words)
        yield Command(words, command.output, command.again, command.before, command.signals)


def main():
    parser = argparse.ArgumentParser(prog="harness.kill", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="of each command (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--commands", nargs="*", default=list(COMMANDS), help=", ".join(COMMANDS))
    parser.add_argument("--words", nargs=argparse.REMAINDER, help="a command line of your own, to the end of this one")
    parser.add_argument("--output", help="what --words writes; what is there is removed")
    arguments = parser.parse_args()
    if arguments.words:
        if not arguments.output:
            parser.error("--output: must be given, before --words")
        commands = {arguments.words[0]: Command(tuple(arguments.words), arguments.output)}
    else:
        commands = {name: COMMANDS[name] for name in arguments.commands}
    with tempfile.TemporaryDirectory() as folder:
        if not arguments.words:
            os.chdir(folder)
            make_inputs(Path())
        records = {}
        for number, (name, command) in enumerate(commands.items()):
            draw = np.random.default_rng([arguments.seed, number])
            with tempfile.TemporaryDirectory() as cluster, with_cluster(command, Path(cluster)) as ready:
                killer = Killer(ready, draw)
                print(f"{name}: {killer.seconds:.2f} s undisturbed", flush=True)
                record = records[name] = killer.kill(arguments.kills)
            kills = ", ".join(f"{n} {name}" for name, n in sorted(record.kills.items()))
            print(f"  {kills}; {record.too_late} too late; {record.compared} compared; {len(record.faults)} faults")
        os.chdir("/")
    n_faults = sum(len(record.faults) for record in records.values())
    n_kills = sum(sum(record.kills.values()) for record in records.values())
    print(f"{n_kills} kills of {len(records)} commands, seed {arguments.seed}: {n_faults} faults")
    return int(n_faults > 0)


if __name__ == "__main__":
    sys.exit(main())
