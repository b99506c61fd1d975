"""Callback handlers that keep everything that they are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from equivalence_shapes import Describer
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler

try:
    from langgraph.callbacks import GraphCallbackHandler
except ImportError:  # before LangGraph told handlers of interrupts
    GraphCallbackHandler = BaseCallbackHandler

#: The argument that says what an event is about comes first or second, as it does upstream.
EVENTS = (
    "on_chain_start",
    "on_chain_end",
    "on_chain_error",
    "on_llm_start",
    "on_chat_model_start",
    "on_llm_new_token",
    "on_llm_end",
    "on_llm_error",
    "on_tool_start",
    "on_tool_end",
    "on_tool_error",
    "on_retriever_start",
    "on_retriever_end",
    "on_retry",
    "on_custom_event",
    "on_text",
    "on_interrupt",
    "on_resume",
)


class Recorder(GraphCallbackHandler):
    """A sync handler that is called where the event happens."""

    run_inline = True

    def __init__(self, describe: Describer, heard: list[Any], label: str = "recorder") -> None:
        self.describe = describe
        self.heard = heard
        self.label = label

    def keep(self, event: str, args: tuple[Any, ...], told: dict[str, Any]) -> None:
        describe = self.describe
        entry = (self.label, event, describe.items(args), describe(told))
        self.heard.append(entry)


class AsyncRecorder(AsyncCallbackHandler):
    """Its async twin."""

    def __init__(self, describe: Describer, heard: list[Any], label: str = "async") -> None:
        self.describe = describe
        self.heard = heard
        self.label = label

    keep = Recorder.keep


def _sync(event: str) -> Callable[..., None]:
    def on_event(self: Any, *args: Any, **told: Any) -> None:
        self.keep(event, args, told)

    return on_event


def _async(event: str) -> Callable[..., Any]:
    async def on_event(self: Any, *args: Any, **told: Any) -> None:
        self.keep(event, args, told)

    return on_event


for each in EVENTS:
    setattr(Recorder, each, _sync(each))
    if each not in ("on_interrupt", "on_resume"):
        setattr(AsyncRecorder, each, _async(each))


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
