"""Builds the decoder with sanitizers in a scratch directory, and fuzzes it for a while.

python -m tools.fuzz --seconds 60

Needs gcc with its sanitizers. Exits with another status than 0 where the decoder differs from
upstream, or a sanitizer has something to say; the bytes are then in the file that is named.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
SANITIZERS = ("libasan.so", "libubsan.so")
ENVIRONMENT = {
    # Upstream and Python leave objects behind at exit; ours are counted by the leak tests.
    "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:abort_on_error=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    # Each object of Python's is allocated by itself, so that a byte beyond it is noticed.
    "PYTHONMALLOC": "malloc",
}


def library(name: str) -> str:
    """The path of one of gcc's libraries."""
    done = subprocess.run(
        ["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def build(scratch: Path) -> Path:
    """Copy the package, compile what is fuzzed, and what counts its edges."""
    ignored = shutil.ignore_patterns("*.so", "*.c", "__pycache__")
    shutil.copytree(ROOT / "fastgraph", scratch / "fastgraph", ignore=ignored)
    shutil.copy(ROOT / "setup.py", scratch)
    coverage = scratch / "libcoverage.so"
    shared = ["gcc", "-O1", "-shared", "-fPIC", str(HERE / "coverage.c"), "-o", str(coverage)]
    subprocess.run(shared, check=True)
    command = [sys.executable, str(HERE / "build.py")]
    subprocess.run(command, cwd=scratch, check=True, stdout=subprocess.DEVNULL)
    return coverage


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="how long; default: 30")
    parser.add_argument("--seed", type=int, default=0, help="of the mutations; default: 0")
    parser.add_argument("--grow", action="store_true", help="add to the corpus what is new")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        coverage = build(scratch)
        # The coverage library too: its function is not found in the sanitizers'.
        preloaded = [*map(library, SANITIZERS), str(coverage)]
        environment = {
            **os.environ,
            **ENVIRONMENT,
            "LD_PRELOAD": " ".join(preloaded),
            "PYTHONPATH": os.pathsep.join([str(scratch), str(ROOT / "tests" / "codec")]),
        }
        command = [sys.executable, "-X", "faulthandler", str(HERE / "target.py"), str(coverage)]
        command += [str(given.seconds), str(given.seed), str(int(given.grow))]
        return subprocess.run(command, env=environment, cwd=scratch, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
