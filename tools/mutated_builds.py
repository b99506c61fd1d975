"""Deliberate mistakes in compiled modules, compiled into a copy of the checkout one by one.

Generated programs have to notice each. A mistake that none notices says that the programs do not
reach what it spoils.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# With what was built before, or everything would be compiled once more.
COPIED = ("fastgraph", "tools", "build", "setup.py", "pyproject.toml", "README.md", "LICENSE")

#: Of a checkout, the seed of a program that differs on it from stock, and how it does.
Noticed = Callable[[Path], tuple[int, str] | None]


@dataclass(frozen=True)
class Mutation:
    """A mistake: the text of a module that is replaced.

    Attributes
    ----------
    name : str
        What goes wrong.
    module : str
        The file, without its ending.
    old, new : str
        What stands there, once, and what stands there instead.
    """

    name: str
    module: str
    old: str
    new: str


@contextlib.contextmanager
def checkout(scratch: Path | None) -> Iterator[Path]:
    """A copy of what is built and run."""
    with tempfile.TemporaryDirectory() as directory:
        copy = (scratch or Path(directory)) / "checkout"
        copy.mkdir(parents=True)
        for name in COPIED:
            source = ROOT / name
            if not source.exists():
                continue
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "wheels", "rivals")
                shutil.copytree(source, copy / name, ignore=ignored)
            else:
                shutil.copy2(source, copy)
        yield copy


def built_of(copy: Path, mutation: Mutation) -> set[Path]:
    """A module's source and what was made of it, in the build's own directories, too."""
    stem = mutation.module.rpartition("/")[2]
    found = (copy / "build").rglob(f"{stem}.*") if (copy / "build").exists() else ()
    beside = (copy / mutation.module).parent.glob(f"{stem}.*")
    return {file for file in (*found, *beside) if file.suffix in (".pyx", ".c", ".so", ".o")}


@contextlib.contextmanager
def mutated(copy: Path, mutation: Mutation, *, alone: bool) -> Iterator[None]:
    """The copy with the mistake compiled in; as it was afterwards.

    Where not all extensions were built, as on another Python than LangGraph's, its module is
    compiled alone.
    """
    source = copy / f"{mutation.module}.pyx"
    before = {file: (file.read_bytes(), file.stat()) for file in built_of(copy, mutation)}
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
        command += ["--only", mutation.module.replace("/", ".")] if alone else []
        environment = {**os.environ, "CFLAGS": "-O0 -g0"}
        built = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, check=False
        )
        if built.returncode:
            raise RuntimeError(f"{mutation.name} does not compile:\n{built.stderr[-2000:]}")
        yield
    finally:
        for file in built_of(copy, mutation) - before.keys():
            file.unlink()
        for file, (content, stat) in before.items():
            file.write_bytes(content)
            os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def is_stale(mutation: Mutation) -> bool:
    """Whether the text to replace is not there, or more than once."""
    text = (ROOT / f"{mutation.module}.pyx").read_text(encoding="utf-8")
    return text.count(mutation.old) != 1


def chosen(mutations: Sequence[Mutation], only: str | None) -> list[Mutation]:
    return [each for each in mutations if only is None or only in f"{each.module}: {each.name}"]


def run(
    mutations: Sequence[Mutation], noticed: Noticed, *, alone: bool, scratch: Path | None
) -> int:
    """Try each mutation; prints a line for each."""
    survived = 0
    with checkout(scratch) as copy:
        already = noticed(copy)
        if already is not None:
            print(f"without any mistake, the program of seed {already[0]} differs {already[1]}")
            return 1
        for mutation in mutations:
            began = time.monotonic()
            module = mutation.module.rpartition("/")[2]
            if is_stale(mutation):
                survived += 1
                print(f"stale     {module}: {mutation.name}", flush=True)
                continue
            with mutated(copy, mutation, alone=alone):
                found = noticed(copy)
            survived += found is None
            verdict = "survived" if found is None else f"caught by seed {found[0]}"
            seconds = time.monotonic() - began
            print(f"{module}: {mutation.name}: {verdict} ({seconds:.0f} s)", flush=True)
            if found is not None:
                print(f"    {found[1][:200]}", flush=True)
    print(f"{len(mutations) - survived} of {len(mutations)} mutations caught")
    return 1 if survived else 0
