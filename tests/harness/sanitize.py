"""Build the package in a copy under GCC's sanitizers, and run there what reaches kernels, and damaged files.

Leaks are looked for by ``make load``: an interpreter, which keeps much until its end, hides them from a sanitizer.
"""

import argparse
import os
import subprocess
import sys

from .copies import copy_of_the_tree

MEMORY, THREADS = "address,undefined", "thread"
LIBRARIES = {MEMORY: ("libasan.so", "libubsan.so"), THREADS: ("libtsan.so",)}
TESTS = {
    MEMORY: (
        "kernels",
        "forward",
        "dataset",
        "events",
        "pixels",
        "stdp_csnn",
        "network",
        "readout",
        "integers",
        "writer",
    ),
    THREADS: ("readout", "network", "integers", "stdp_csnn", "pixels", "bits"),
}
# By names of tests. What measures memory fails, since a sanitizer takes more of it; what no thread takes part in tells
# nothing of them.
CHOICE = {MEMORY: "not memory and not megabytes", THREADS: "thread"}


def environment(tree, kind):
    """Return what Python needs to run with a sanitizer, which must come before all other libraries."""
    paths = [
        subprocess.check_output(["gcc", f"-print-file-name={name}"], text=True).strip() for name in LIBRARIES[kind]
    ]
    return os.environ | {
        "LD_PRELOAD": " ".join(paths),
        "PYTHONMALLOC": "malloc",
        "PYTHONPATH": f"{tree}:{tree / 'tests'}",
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:abort_on_error=1",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
        # Python itself was not built for this, so that only what two kernels do to each other counts.
        "TSAN_OPTIONS": "halt_on_error=1:ignore_noninstrumented_modules=1:report_signal_unsafe=0",
    }


def main():
    parser = argparse.ArgumentParser(prog="harness.sanitize", description=__doc__)
    parser.add_argument("--kinds", nargs="*", choices=list(LIBRARIES), default=list(LIBRARIES))
    parser.add_argument("--seconds", type=float, default=60, help="of damaged files")
    parser.add_argument("--tests", nargs="*", help="modules without tests/test_, in place of those that reach kernels")
    arguments = parser.parse_args()
    status = {}
    for kind in arguments.kinds:
        with copy_of_the_tree("*.so", "build") as tree:
            build = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
            subprocess.run(build, cwd=tree, env=os.environ | {"SPIKENN_CY_SANITIZE": kind}, check=True)
            files = [f"tests/test_{name}.py" for name in arguments.tests or TESTS[kind]]
            words = ["pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "quick", *files, "-k", CHOICE[kind]]
            todo = {"tests": words}
            if kind == MEMORY and arguments.seconds:
                todo["damaged files"] = ["fuzz", "--seconds", str(arguments.seconds), "--seed", "20", "--no_limit"]
            for name, module in todo.items():
                print(f"== {kind}: {name}", flush=True)
                done = subprocess.run(
                    [sys.executable, "-m", *module], cwd=tree, env=environment(tree, kind), check=False
                )
                status[f"{kind}: {name}"] = done.returncode
    for name, code in status.items():
        print(f"{name}: {'nothing found' if code == 0 else f'status {code}'}")
    return int(any(status.values()))


if __name__ == "__main__":
    sys.exit(main())
