from __future__ import annotations

import io
import tarfile
from pathlib import Path

from tools.conformance import sdists


def archive(path: Path, *names: str) -> None:
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:gz") as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())


def test_the_library_is_not_unpacked(tmp_path: Path) -> None:
    archive(
        tmp_path / "sdists" / "langgraph_prebuilt-1.0.tar.gz",
        "langgraph_prebuilt-1.0/pyproject.toml",
        "langgraph_prebuilt-1.0/langgraph/prebuilt/__init__.py",
        "langgraph_prebuilt-1.0/tests/test_a.py",
        "langgraph_prebuilt-1.0/../outside",
    )
    root = sdists.unpacked_tests("langgraph-prebuilt", "1.0", tmp_path)
    assert sorted(path.name for path in root.iterdir()) == [
        ".complete",
        "pyproject.toml",
        "tests",
    ]
    assert not (tmp_path / "sdists" / "outside").exists()


def test_an_unpacked_release_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "sdists" / "langgraph-1.0.tar.gz"
    archive(path, "langgraph-1.0/tests/test_a.py")
    root = sdists.unpacked_tests("langgraph", "1.0", tmp_path)
    path.unlink()
    assert sdists.unpacked_tests("langgraph", "1.0", tmp_path) == root
