"""Upstream's source distributions: fetched with pip, unpacked into the cache."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tools.conformance.errors import ConformanceError


def unpacked_tests(distribution: str, version: str, cache: Path) -> Path:
    """Return the directory with the tests of a release, fetching it when needed.

    Parameters
    ----------
    distribution, version : str
        The release.
    cache : Path
        Directory in which archives and unpacked trees are kept.

    Raises
    ------
    ConformanceError
        If the archive cannot be had or holds no tests.
    """
    stem = f"{distribution.replace('-', '_')}-{version}"
    target = cache / "sdists" / stem
    if not (target / ".complete").exists():
        archive = _archive(distribution, version, cache / "sdists")
        _unpack(archive, target.parent)
        (target / ".complete").touch()
    if not (target / "tests").is_dir():
        raise ConformanceError(f"the sdist of {distribution} {version} holds no tests")
    return target


def _archive(distribution: str, version: str, directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    pattern = f"{distribution.replace('-', '_')}-{version}.tar.gz"
    if not (directory / pattern).exists():
        _download(f"{distribution}=={version}", directory)
    if not (directory / pattern).exists():
        raise ConformanceError(f"pip downloaded no {pattern}")
    return directory / pattern


def _download(requirement: str, directory: Path) -> None:
    # Without isolation pip asks the build backend installed here for the
    # metadata instead of setting up an environment for each archive.
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--no-binary", ":all:", "--no-build-isolation"]
    command += ["--disable-pip-version-check", "--dest", str(directory), requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise ConformanceError(f"pip could not download the sdist of {requirement}: {last}")


def _unpack(archive: Path, directory: Path) -> None:
    with tarfile.open(archive) as tar:
        # The data filter came to 3.10 and 3.11 with bug-fix releases only.
        if hasattr(tarfile, "data_filter"):
            tar.extractall(directory, members=_wanted(tar), filter="data")
        else:
            tar.extractall(directory, members=_wanted(tar))


def _wanted(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Leave the library out, so that the tests can only import the installed one."""
    for member in tar:
        parts = PurePosixPath(member.name).parts
        outside = member.name.startswith("/") or ".." in parts
        if not outside and not _is_library(parts[1:]):
            yield member


def _is_library(parts: tuple[str, ...]) -> bool:
    """Tell whether Python would find the library by this file.

    A test of AG-UI's reads a module of a subpackage as a file.
    """
    return parts[:1] == ("langgraph",) or (parts[:1] == ("ag_ui_langgraph",) and len(parts) < 3)
