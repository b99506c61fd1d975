"""pytest plugin that skips the tests that cannot run on a checked build, with the reason."""

from __future__ import annotations

import pytest

from tools.checked.builds import BUILDS


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--checked-build", choices=BUILDS, required=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip the tests that are listed; one that is not there any more is an error."""
    skipped = BUILDS[config.getoption("--checked-build")].skipped
    files = {item.nodeid.partition("::")[0] for item in items}
    for name, reason in skipped.items():
        found = [item for item in items if item.nodeid.startswith(name)]
        for item in found:
            item.add_marker(pytest.mark.skip(reason=reason))
        # Whoever runs some tests only may have left it out.
        if not found and name.partition("::")[0] in files and not config.option.keyword:
            raise pytest.UsageError(f"there is no test {name} to skip")
