"""Where cells run: a built copy of the checkout per Python, environments per cell.

A copy and its build serve every release on that Python. What was built for the checkout itself is
copied with its times, so that nothing is compiled twice.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from tools.matrix.cells import Cell
from tools.matrix.errors import MatrixError

ROOT = Path(__file__).resolve().parents[2]
#: What an environment for each purpose holds besides the release and its dependencies.
PURPOSES = {
    "own": ("{tree}[test]", "uvloop>=0.19; sys_platform != 'win32'"),
    "upstream": ("{tree}", "-r", "{tree}/tools/conformance/requirements.txt"),
}
_BUILD = {"FASTGRAPH_REQUIRE_EXTENSIONS": "1"}
_UNWANTED = ("FASTGRAPH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTEST_")


def environment(**variables: str) -> dict[str, str]:
    """This environment without what would lead a cell elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_UNWANTED)}
    return kept | variables


def run(
    command: Sequence[object],
    *,
    cwd: Path = ROOT,
    output: Path | None = None,
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; its output goes to a file if one is named."""
    done = subprocess.run(
        [str(each) for each in command],
        cwd=cwd,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(done.stdout + done.stderr, encoding="utf-8")
    return done


def must(done: subprocess.CompletedProcess[str], what: str) -> str:
    """Return what a command printed; raise with its last line if it failed."""
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()
        errors = [line for line in said if "rror" in line] or said
        raise MatrixError(f"{what}: {errors[-1].strip()}")
    return done.stdout


@cache
def uv() -> str:
    """Find uv, beside this Python or on the path."""
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise MatrixError("uv is not installed: pip install 'fastgraph-engine[dev]'")
    return found


def interpreter(version: str) -> str:
    """Find a Python as uv does; those of pyenv too, though their shims do not name it.

    Raises
    ------
    MatrixError
        If it is not installed.
    """
    if sys.version.startswith(f"{version}."):
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    known = sorted(pyenv.glob(f"{version}.*/bin"))
    path = os.pathsep.join([*map(str, known), os.environ.get("PATH", "")])
    command = [uv(), "python", "find", "--no-project", "--no-python-downloads", version]
    return must(run(command, PATH=path), f"Python {version}").strip()


def _files() -> list[Path]:
    """The files of the checkout, relative to it."""
    listed = run(["git", "ls-files", "--cached", "--others", "--exclude-standard"])
    return [Path(name) for name in must(listed, "git").splitlines() if (ROOT / name).is_file()]


def _built() -> Iterator[Path]:
    """What was built of them: first what the rest is newer than."""
    for suffix in ("c", "so", "pyd"):
        yield from (path.relative_to(ROOT) for path in (ROOT / "fastgraph").rglob(f"*.{suffix}"))


def sources_digest() -> str:
    """Digest what the package is built from, to say what a result is of."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "fastgraph").rglob("*")):
        if path.suffix in (".py", ".pyx", ".pxd", ".json"):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@cache
def tree(python: str, directory: Path) -> Path:
    """Return a copy of the checkout with the extensions built for a Python."""
    place = directory / f"py{python}" / "tree"
    builder = place.parent / "builder"
    if not (builder / "bin").exists():
        must(run([uv(), "venv", "--quiet", "--python", interpreter(python), builder]), "uv venv")
        install(builder, "setuptools", "Cython", "-c", ROOT / ".ci" / "constraints.txt")
    wanted = _files()
    for path in wanted:
        _copy(ROOT / path, place / path)
    for left in set(place.rglob("*.py")) - {place / path for path in wanted}:
        if left.relative_to(place).parts[0] != "build":
            left.unlink()
    for path in _built():
        # Newer than Cython's own files, which were installed a moment ago.
        if not (place / path).exists():
            shutil.copyfile(ROOT / path, place / path)
    command = [builder / "bin" / "python", "setup.py", "--quiet", "build_ext", "--inplace"]
    log = place.parent / "build.txt"
    done = run([*command, "--parallel", "2"], cwd=place, output=log, **_BUILD)
    must(done, f"Python {python}: the extensions do not build, see {log}")
    return place


def _copy(source: Path, copy: Path) -> None:
    status = source.stat()
    if copy.exists():
        there = copy.stat()
        if (there.st_size, there.st_mtime_ns) == (status.st_size, status.st_mtime_ns):
            return
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, copy)


def install(venv: Path, *arguments: object) -> None:
    """Install into an environment."""
    command = [uv(), "pip", "install", "--quiet", "--python", venv / "bin" / "python", *arguments]
    must(run(command, FASTGRAPH_NO_EXTENSIONS="1"), "uv pip install")


def python_of(cell: Cell, purpose: str, directory: Path) -> Path:
    """Return the Python of a cell's environment, made when needed.

    It holds the release, the newest releases of LangGraph's other packages that this one allows,
    and everything else in the versions of .ci/constraints.txt: what an installation gets today.
    """
    place = tree(cell.python, directory)
    venv = directory / cell.name / purpose
    if not (venv / ".complete").exists():
        shutil.rmtree(venv, ignore_errors=True)
        command = [uv(), "venv", "--quiet", "--seed", "--python", interpreter(cell.python), venv]
        must(run(command), "uv venv")
        constraints = venv / "constraints.txt"
        pinned = (place / ".ci" / "constraints.txt").read_text(encoding="utf-8")
        constraints.write_text(re.sub(r"(?m)^langgraph.*\n", "", pinned), encoding="utf-8")
        wanted = [each.format(tree=place) for each in PURPOSES[purpose]]
        install(venv, "-c", constraints, f"langgraph=={cell.release}", "-e", *wanted)
        (venv / ".complete").touch()
    return venv / "bin" / "python"
