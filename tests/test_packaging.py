"""What is shipped: the sdist, wheels with and without extensions, and builds without a compiler.

Everything is built offline, with the build tools of the environment that runs the tests, from a
copy of the checkout.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from fastgraph import settings

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "fastgraph"
REQUIRED = settings.extensions_required()
SHIPPED_SUFFIXES = {".py", ".pyi", ".pyx", ".pxd", ".json", ".jinja", ".typed"}
NOT_COPIED = shutil.ignore_patterns(
    ".*_cache", ".asv", ".benchmarks", ".git", ".hypothesis", ".venv*", "__pycache__", "_build",
    "build", "dist", "*.c", "*.egg-info", "*.html", "*.pyd", "*.so",
)  # fmt: skip


def extensions() -> dict[str, str]:
    """The list in setup.py; importing it runs nothing."""
    spec = importlib.util.spec_from_file_location("_fastgraph_setup", ROOT / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    listed: dict[str, str] = module.EXTENSIONS
    return listed


def package_files() -> set[str]:
    """The files of the package, relative to the checkout, without what a build leaves there."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.suffix in SHIPPED_SUFFIXES and "__pycache__" not in path.parts
    }


def environment(**variables: str) -> dict[str, str]:
    """This environment, switched only as a test asks. Unoptimized, because nothing is timed."""
    ours = {key: value for key, value in os.environ.items() if not key.startswith("FASTGRAPH")}
    ours.pop("PYTHONPATH", None)
    return ours | {"CFLAGS": "-O0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"} | variables


def run(*command: object, cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build_wheel(source: Path, out: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    options = ["--no-build-isolation", "--no-deps", "--no-cache-dir", "--verbose"]
    return run(
        *["-m", "pip", "wheel", *options, "--wheel-dir", out, source],
        cwd=source,
        env=environment(**variables),
    )


def only_wheel(directory: Path) -> Path:
    (wheel,) = directory.glob("*.whl")
    return wheel


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def installed(wheel: Path, directory: Path) -> dict[str, str]:
    """Install a wheel into a directory; return the environment that imports it from there."""
    succeeded(
        run(
            *["-m", "pip", "install", "--no-deps", "--target", directory, wheel],
            cwd=directory.parent,
            env=environment(),
        )
    )
    return environment(PYTHONPATH=str(directory))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout that was never built."""
    copy = tmp_path_factory.mktemp("checkout") / "fastgraph"
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
    return copy


@pytest.fixture(scope="module")
def sdist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sdist")
    backend = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"
    succeeded(run("-c", backend, out, cwd=checkout, env=environment()))
    (archive,) = out.glob("*.tar.gz")
    return archive


@pytest.fixture(scope="module")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist as whoever builds from it finds it."""
    directory = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        # The filter is not in the first releases of every Python supported.
        archive.extractall(directory, **({"filter": "data"} if sys.version_info >= (3, 12) else {}))
    (root,) = directory.iterdir()
    return root


@pytest.fixture(scope="module")
def compiled_wheel(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("compiled")
    succeeded(build_wheel(unpacked, out, FASTGRAPH_REQUIRE_EXTENSIONS="1"))
    return only_wheel(out)


@pytest.fixture
def source(checkout: Path, tmp_path: Path) -> Path:
    """A copy that one test may build in its own way."""
    return Path(shutil.copytree(checkout, tmp_path / "source", ignore=NOT_COPIED))


def test_setup_lists_every_cython_source() -> None:
    on_disk = {path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*.pyx")}
    listed = extensions()

    assert set(listed.values()) - {"fastgraph/kernels/tally.py"} == on_disk
    for module, path in listed.items():
        assert module.replace(".", "/") == path.rpartition(".")[0]


@pytest.mark.skipif(not REQUIRED, reason="extensions may be missing here")
@pytest.mark.parametrize("name", extensions())
def test_extension_is_what_is_imported(name: str) -> None:
    module = importlib.import_module(name)

    assert module.__file__ is not None
    assert module.__file__.endswith(tuple(EXTENSION_SUFFIXES))


@pytest.mark.slow
def test_sdist_holds_what_building_and_testing_need(sdist: Path, checkout: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    expected = package_files() | {
        path.relative_to(checkout).as_posix()
        for directory in ("benchmarks", "changes", "docs", "tests", "tools")
        for path in (checkout / directory).rglob("*")
        if path.is_file()
    }
    expected |= {"pyproject.toml", "setup.py", "Makefile", "LICENSE", "README.md", "CHANGES.md"}
    expected |= {"CONTRIBUTING.md", ".ci/run", ".ci/constraints.txt"}
    assert expected <= names
    assert not [name for name in names if name.endswith((".c", ".so", ".pyd", ".pyc", ".html"))]


@pytest.mark.slow
def test_wheel_holds_the_extensions_and_their_sources(compiled_wheel: Path) -> None:
    names = names_in(compiled_wheel)

    suffixes = tuple(EXTENSION_SUFFIXES)
    built = {name.partition(".")[0].replace("/", ".") for name in names if name.endswith(suffixes)}
    assert built == set(extensions())
    # .pxd to cimport the kernels, .pyi to type-check, .pyx for the lines in tracebacks.
    assert package_files() <= names
    assert not [name for name in names if name.endswith((".c", ".html"))]
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {
        "fastgraph",
        "fastgraph_engine",
    }


@pytest.mark.slow
def test_wheel_runs_away_from_the_checkout(compiled_wheel: Path, tmp_path: Path) -> None:
    env = installed(compiled_wheel, tmp_path / "site")
    required = env | {"FASTGRAPH_REQUIRE_EXTENSIONS": "1"}
    code = "import fastgraph; fastgraph.patch(); print(fastgraph.is_patched(), fastgraph.__file__)"

    out = succeeded(run("-c", code, cwd=tmp_path, env=required)).split()

    assert out[0] == "True"
    assert Path(out[1]).is_relative_to(tmp_path / "site")
    assert "kernels: compiled" in succeeded(
        run("-m", "fastgraph", "status", cwd=tmp_path, env=required)
    )


@pytest.mark.slow
def test_kernels_can_be_cimported_from_the_wheel(compiled_wheel: Path, tmp_path: Path) -> None:
    env = installed(compiled_wheel, tmp_path / "site")
    (tmp_path / "uses.pyx").write_text(
        "from fastgraph.kernels.tally cimport Tally\n"
        "from fastgraph.kernels.version_vector cimport VersionVector\n"
        "def f(Tally tally, VersionVector vector):\n"
        "    tally.calls += 1\n"
        "    return vector.top()\n",
        encoding="utf-8",
    )

    done = run(
        *["-m", "cython", "-3", "-Werror", "-I", tmp_path / "site", "uses.pyx"],
        cwd=tmp_path,
        env=env,
    )

    succeeded(done)
    assert "PyObject_GetAttr(__pyx_v_tally" not in (tmp_path / "uses.c").read_text("utf-8")


@pytest.mark.slow
def test_without_a_compiler_one_line_says_so_and_stock_runs(source: Path, tmp_path: Path) -> None:
    done = build_wheel(source, tmp_path / "out", CC="false")

    said = [
        line.strip()
        for line in succeeded(done).splitlines() + done.stderr.splitlines()
        if line.strip().startswith("fastgraph:")
    ]
    assert len(said) == 1
    assert "compiler" in said[0]
    wheel = only_wheel(tmp_path / "out")
    assert not [name for name in names_in(wheel) if name.endswith(tuple(EXTENSION_SUFFIXES))]
    assert_stays_stock(installed(wheel, tmp_path / "site"), tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="the compiler is stood in for by a shell script")
def test_a_compiler_that_fails_half_way_leaves_no_half_set(source: Path, tmp_path: Path) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text(
        '#!/bin/sh\ncase "$*" in *version_vector*) exit 1 ;; esac\nexec cc "$@"\n',
        encoding="utf-8",
    )
    compiler.chmod(0o755)

    succeeded(build_wheel(source, tmp_path / "out", CC=str(compiler)))

    names = names_in(only_wheel(tmp_path / "out"))
    assert not [name for name in names if name.endswith(tuple(EXTENSION_SUFFIXES))]


@pytest.mark.slow
def test_required_extensions_fail_the_build_without_a_compiler(
    source: Path, tmp_path: Path
) -> None:
    done = build_wheel(source, tmp_path / "out", CC="false", FASTGRAPH_REQUIRE_EXTENSIONS="1")

    assert done.returncode != 0
    assert not list((tmp_path / "out").glob("*.whl"))


@pytest.mark.slow
def test_a_build_without_extensions_is_pure(source: Path, tmp_path: Path) -> None:
    succeeded(build_wheel(source, tmp_path / "out", CC="false", FASTGRAPH_NO_EXTENSIONS="1"))

    wheel = only_wheel(tmp_path / "out")
    assert wheel.name.endswith("-py3-none-any.whl")
    assert package_files() <= names_in(wheel)
    assert_stays_stock(installed(wheel, tmp_path / "site"), tmp_path)


def assert_stays_stock(env: Mapping[str, str], directory: Path) -> None:
    """Importable, and without kernels `patch()` warns and changes nothing."""
    code = (
        "import warnings, fastgraph\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always', fastgraph.FastgraphWarning)\n"
        "    status = fastgraph.patch()\n"
        "own = [w for w in caught if w.category is fastgraph.FastgraphWarning]\n"
        "print(len(own), status.kernels, fastgraph.is_patched())\n"
    )
    compiled_only = {**env, "FASTGRAPH_KERNELS": "compiled"}
    out = succeeded(run("-c", code, cwd=directory, env=compiled_only))
    assert out.split() == ["1", "none", "False"]
