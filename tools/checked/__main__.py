"""Runs the own test suite on extensions compiled with checks.

python -m tools.checked sanitized -- tests/kernels -k slots

Exits with another status than 0 where a test fails, a check has something to say, or the build
does not notice the deliberate mistakes of probe.pyx. Needs gcc.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.checked.builds import BUILDS, Checked, Mistake, library
from tools.checked.copies import compiled, up_to_date

#: Checked code uses several times the stack, so that recursion would end where Python does not
#: look yet.
STACK_BYTES = 64 << 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.checked", description=__doc__)
    parser.add_argument("build", choices=BUILDS, help="how the extensions are compiled")
    parser.add_argument("--jobs", type=int, default=2, help="that compile; default: 2")
    parser.add_argument("pytest", nargs="*", help="arguments of pytest, after --")
    given = parser.parse_args()
    checked = BUILDS[given.build]
    copy = up_to_date(given.build)
    extensions = compiled(copy, given.build, given.jobs)
    unlike = [path.name for path in extensions if not is_built_so(path, checked)]
    if unlike:
        return failed(f"not compiled as a {given.build} build", unlike)
    unnoticed = [each.call for each in checked.mistakes if not notices(checked, each, copy)]
    if unnoticed:
        return failed("goes unnoticed", unnoticed)
    print(
        f"{len(extensions)} extensions are {given.build}; {len(checked.mistakes)} of "
        f"{len(checked.mistakes)} deliberate mistakes are noticed",
        flush=True,
    )
    suite = ["-m", "pytest", "-p", "tools.checked.skipping", "--checked-build", given.build]
    with tempfile.TemporaryDirectory() as reports:
        status = python([*suite, *given.pytest], checked, copy, Path(reports)).returncode
        said = reported(Path(reports))
    if said:
        return failed("found beside what the tests say", said)
    return status


def failed(what: str, which: list[str]) -> int:
    """Say so; returns the exit status."""
    print("\n  ".join([f"{what}:", *which]), file=sys.stderr)
    return 1


def is_built_so(extension: Path, checked: Checked) -> bool:
    """Tell whether a file has all that such a build puts into it."""
    content = extension.read_bytes()
    return all(mark in content for mark in checked.marks)


def notices(checked: Checked, mistake: Mistake, copy: Path) -> bool:
    """Tell whether a process that makes a mistake says what is to be said of it."""
    code = f"import tools.checked.probe as probe; probe.{mistake.call}"
    with tempfile.TemporaryDirectory() as reports:
        done = python(["-c", code], checked, copy, Path(reports), stderr=subprocess.PIPE)
        return mistake.said in "\n".join([done.stderr, *reported(Path(reports))])


def python(
    command: list[str], checked: Checked, copy: Path, reports: Path, **options: int
) -> subprocess.CompletedProcess[str]:
    """Run Python in the copy as checked extensions need it; what they find goes to `reports`."""
    ours = {key: value for key, value in os.environ.items() if not key.startswith("FASTGRAPH")}
    environment = {
        **ours,
        **{key: value.format(reports=reports) for key, value in checked.environment.items()},
        "LD_PRELOAD": " ".join(map(library, checked.preloaded)),
        # The copy before anything else, in the processes that tests start as well.
        "PYTHONPATH": os.pathsep.join(map(str, (copy, copy / "tools" / "checked" / "site"))),
        "FASTGRAPH_REQUIRE_EXTENSIONS": "1",
    }
    return subprocess.run(
        [sys.executable, *command],
        cwd=copy,
        env=environment,
        text=True,
        check=False,
        preexec_fn=_with_deep_stacks,
        **options,
    )


def _with_deep_stacks() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (STACK_BYTES, most))


def reported(reports: Path) -> list[str]:
    """What was found, also in processes whose output nobody reads."""
    return [path.read_text(errors="replace") for path in sorted(reports.iterdir())]


if __name__ == "__main__":
    sys.exit(main())
