"""A copy of the checkout with extensions of its own, so that no build is taken for another."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent

NOT_COPIED = shutil.ignore_patterns(
    ".*_cache", ".asv", ".benchmarks", ".git", ".hypothesis", ".venv*", "__pycache__", "_build",
    "build", "dist", "*.egg-info", "*.html", "*.pyd", "*.so",
)  # fmt: skip
#: Made by a build of the copy, and kept for the next one.
BUILT = (".c", ".so")


def up_to_date(kind: str) -> Path:
    """Bring the copy for one kind of build up to date; what has not changed is left alone."""
    copy = ROOT / "build" / "checked" / kind
    wanted = {path.relative_to(ROOT) for path in _sources(ROOT)}
    for path in wanted:
        _copied(ROOT / path, copy / path)
    for path in [*copy.rglob("*")] if copy.exists() else []:
        relative = path.relative_to(copy)
        ours = relative.parts[0] != "build" and "__pycache__" not in relative.parts
        if path.is_file() and ours and path.suffix not in BUILT and relative not in wanted:
            path.unlink()
    return copy


def _sources(directory: Path) -> Iterator[Path]:
    names = os.listdir(directory)
    for name in sorted({*names} - NOT_COPIED(str(directory), names)):
        path = directory / name
        if path.is_dir():
            yield from _sources(path)
        elif path.suffix != ".c" or directory.parts[-2:] == ("tools", "fuzz"):
            yield path


def _copied(source: Path, copy: Path) -> None:
    """Copy a file with its time, which says whether what is built of it is older."""
    if copy.exists():
        old, new = copy.stat(), source.stat()
        if (old.st_size, old.st_mtime_ns) == (new.st_size, new.st_mtime_ns):
            return
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, copy)


def compiled(copy: Path, kind: str, jobs: int) -> list[Path]:
    """Compile the extensions of a copy and the probe; returns their files, the probe's last."""
    environment = {
        **os.environ, "FASTGRAPH_BUILD": kind, "FASTGRAPH_REQUIRE_EXTENSIONS": "1"
    }  # fmt: skip
    for script, options in (
        ("setup.py", ["--parallel", str(jobs)]),
        ("tools/checked/build_probe.py", []),
    ):
        command = [sys.executable, script, "--quiet", "build_ext", "--inplace", *options]
        subprocess.run(command, cwd=copy, env=environment, check=True, stdin=subprocess.DEVNULL)
    package = sorted((copy / "fastgraph").rglob("*.so"))
    return [*package, *(copy / "tools" / "checked").glob("probe.*.so")]
