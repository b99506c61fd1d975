"""What a run says aside: log records and warnings."""

from __future__ import annotations

import contextlib
import gc
import logging
import warnings
from collections.abc import Iterator
from typing import Any

from fastgraph.verify.describing import Describer

LOGGERS = ("langgraph", "langchain_core", "asyncio", "concurrent.futures")


class Records(logging.Handler):
    """Keeps each record, with the line that it comes from."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.seen: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.getMessage().startswith("Using selector:"):
            self.seen.append(record)


def described(record: logging.LogRecord, describe: Describer) -> Any:
    error = record.exc_info[1] if record.exc_info else None
    return (
        record.name,
        record.levelname,
        describe.text(record.getMessage()),
        record.funcName,
        record.lineno,
        describe.error(error),
    )


@contextlib.contextmanager
def hearing(describe: Describer) -> Iterator[dict[str, Any]]:
    """Collect log records and warnings; what is freed late is freed before the end."""
    heard: dict[str, Any] = {}
    handler = Records()
    before = {name: logging.getLogger(name).level for name in LOGGERS}
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield heard
            gc.collect(0)
    finally:
        logging.getLogger().removeHandler(handler)
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
    heard["records"] = [described(record, describe) for record in handler.seen]
    heard["warnings"] = [
        (each.category.__name__, describe.text(str(each.message)), each.filename, each.lineno)
        for each in caught
        if not issubclass(each.category, ResourceWarning)
    ]
