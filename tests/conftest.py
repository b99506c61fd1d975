"""What holds for every test: the extensions are there if they are required."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fastgraph import kernel_choice, settings


def pytest_configure() -> None:
    """Refuse to test stock code where the compiled code was asked for."""
    missing = kernel_choice.choose().extensions_missing
    if missing and settings.extensions_required():
        raise pytest.UsageError(f"{settings.REQUIRE_EXTENSIONS} is set, but {missing}")


@pytest.fixture(scope="session", autouse=True)
def _requirement_is_met() -> Iterator[None]:
    """Forget the requirement: it contradicts what some tests do without extensions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(settings.REQUIRE_EXTENSIONS, raising=False)
        yield
