"""Callback handlers that keep everything that they are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler

from fastgraph.verify.describing import Describer

GraphHandler: type[BaseCallbackHandler]
try:
    from langgraph.callbacks import GraphCallbackHandler as GraphHandler
except ImportError:  # before LangGraph told handlers of interrupts
    GraphHandler = BaseCallbackHandler

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


class _Keeping:
    """Keeps each event, described, in a list shared by the handlers of a run."""

    def __init__(self, describe: Describer, heard: list[Any], label: str | None = None) -> None:
        self.describe = describe
        self.heard = heard
        self.label = label or type(self).__name__

    def keep(self, event: str, args: tuple[Any, ...], told: dict[str, Any]) -> None:
        describe = self.describe
        entry = (self.label, event, describe.items(args), describe(told))
        self.heard.append(entry)


class Recorder(_Keeping, GraphHandler):  # type: ignore[misc,valid-type]
    """A sync handler that is called where the event happens."""

    run_inline = True


class AsyncRecorder(_Keeping, AsyncCallbackHandler):
    """Its async twin."""


def _sync(event: str) -> Callable[..., None]:
    def on_event(self: _Keeping, *args: Any, **told: Any) -> None:
        self.keep(event, args, told)

    return on_event


def _async(event: str) -> Callable[..., Any]:
    async def on_event(self: _Keeping, *args: Any, **told: Any) -> None:
        self.keep(event, args, told)

    return on_event


for each in EVENTS:
    setattr(Recorder, each, _sync(each))
    if each not in ("on_interrupt", "on_resume"):
        setattr(AsyncRecorder, each, _async(each))
