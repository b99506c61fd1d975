"""What is particular to each of the builds: environment, checks, tests that cannot run."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Mistake:
    """A call of `probe.pyx` that the build has to notice.

    Attributes
    ----------
    call : str
        The call.
    said : str
        What is in the output of the process then.
    """

    call: str
    said: str


@dataclass(frozen=True)
class Checked:
    """One of the builds.

    Attributes
    ----------
    marks : tuple of bytes
        What is in the file of every extension that is built so.
    mistakes : tuple of Mistake
        What has to be noticed.
    environment : dict
        Variables for the processes under test; they write what they find into ``{reports}``.
    preloaded : tuple of str
        The compiler's libraries that a process has to load first.
    skipped : dict
        Test (or the beginning of its id) to the reason why it cannot run so.
    """

    marks: tuple[bytes, ...]
    mistakes: tuple[Mistake, ...]
    environment: dict[str, str] = field(default_factory=dict)
    preloaded: tuple[str, ...] = ()
    skipped: dict[str, str] = field(default_factory=dict)


#: Of the generated values of the encoder's test, which take the longest of all.
FEWER_VALUES = {"FASTGRAPH_TEST_CODEC_VALUES": "20000"}

SANITIZED = Checked(
    marks=(b"__asan_init", b"__asan_report_load8", b"__ubsan_handle_"),
    mistakes=(
        Mistake("read_beyond(8)", "heap-buffer-overflow"),
        Mistake("read_freed(8)", "heap-use-after-free"),
        Mistake("add(1)", "signed integer overflow"),
        Mistake("shift(33)", "shift exponent 33 is too large"),
        Mistake("assert_in_c(0)", "Assertion `fact' failed"),
    ),
    environment={
        # Python leaves objects behind at exit; ours are counted by the leak tests. A request for
        # too much memory has to come back as MemoryError, as it does otherwise.
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:log_path={reports}/asan",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:log_path={reports}/ubsan",
        # Each object of Python's is allocated by itself, so that its use after it is freed, or a
        # byte beyond it, is noticed.
        "PYTHONMALLOC": "malloc",
        **FEWER_VALUES,
    },
    # The last, for numba's libraries throw: its exceptions are looked up when a process starts.
    preloaded=("libasan.so", "libubsan.so", "libstdc++.so"),
    skipped={
        "tests/kernels/test_kernel_leaks.py::test_thousands_of_calls_leave_nothing_behind": (
            "counts the memory of the process, where AddressSanitizer keeps what was freed"
        ),
        "tests/codec/test_hostile.py::test_the_process_outlives_any_nesting": (
            "a million levels take longer than the five minutes that it has"
        ),
    },
)

DEBUG = Checked(
    marks=(b"RefNanny", b"__assert_fail"),
    mistakes=(
        Mistake("item_of_tuple((), 0)", "IndexError"),
        Mistake("attribute_of(None)", "'NoneType' object has no attribute 'number'"),
        Mistake("add(1)", "OverflowError: value too large"),
        Mistake("divide(1, 0)", "ZeroDivisionError"),
        Mistake("assert_in_c(0)", "Assertion `fact' failed"),
        Mistake("lose_reference([])", "REFNANNY: References leaked"),
    ),
    environment={"FASTGRAPH_TEST_REFNANNY": "{reports}/refnanny", **FEWER_VALUES},
)

BUILDS = {"sanitized": SANITIZED, "debug": DEBUG}


def library(name: str) -> str:
    """The path of one of gcc's libraries."""
    done = subprocess.run(
        ["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
