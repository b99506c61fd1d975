"""Callback handlers that fail at some events."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import BaseCallbackHandler


class Failing(BaseCallbackHandler):
    """A handler that fails at some events; the run goes on or not, as `raise_error` says."""

    run_inline = True

    def __init__(self, events: tuple[str, ...], name: str | None, raise_error: bool) -> None:
        self.events = events
        self.name = name
        self.raise_error = raise_error

    def fail(self, event: str, name: Any) -> None:
        if event in self.events and self.name in (None, name):
            raise ValueError(f"{event} of {name}")

    def on_chain_start(self, serialized: Any, inputs: Any, **told: Any) -> None:
        self.fail("on_chain_start", told.get("name"))

    def on_chain_end(self, outputs: Any, **told: Any) -> None:
        self.fail("on_chain_end", told.get("name"))

    def on_chain_error(self, error: BaseException, **told: Any) -> None:
        self.fail("on_chain_error", told.get("name"))
