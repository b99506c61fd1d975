"""The table: which of AG-UI's functions are replaced, where they are bound, and what by.

To find what replaces an upstream function, search for its name here. Some are LangGraph's and
LangChain's own, which nobody but AG-UI calls for each request or event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from fastgraph.adapters.target import BindingSite, Source, Target, Variant

#: Source label -> the fingerprints of it that a replacement was proven against.
Proven: TypeAlias = Mapping[str, set[str]]

FRAMEWORK = "ag-ui"

AGENT = "ag_ui_langgraph.agent"
UTILS = "ag_ui_langgraph.utils"
ENCODER = "ag_ui.encoder.encoder"
MODELS = "ag_ui._generated.models"
STATE = "langgraph.graph.state"
PACKAGE = "fastgraph.adapters.ag_ui"

MANAGER = "langchain_core.callbacks.manager"
EVENT_STREAM = "langchain_core.tracers.event_stream"
HANDLER = f"{EVENT_STREAM}:_AstreamEventsCallbackHandler"

TOKEN_EVENTS: Proven = {
    f"{MANAGER}:ahandle_event": {"9b801ccf90471717"},
    f"{MANAGER}:_ahandle_event_for_handler": {
        "0ecf0ba9dadc846c",
        "7906ba950a5c079b",
        "17631e0f869db7bc",
        "519968dbe10f12bc",
    },
    f"{HANDLER}.on_llm_new_token": {"9618e817bad5d07e", "7842c090dda8a195"},
    f"{HANDLER}._send": {"c4e5b23d33ecca2b"},
    f"{HANDLER}._get_parent_ids": {"542d00689147d4a1"},
    "langchain_core.tracers.memory_stream:_SendStream.send_nowait": {"5cc135e2cc97c646"},
    "langchain_core.runnables.utils:_RootEventFilter": {"c64592ac4cd11b4c"},
}
TEXTS: Proven = {
    f"{AGENT}:LangGraphAgent.get_message_in_progress": {"e5f95ccc51ea954b"},
    f"{AGENT}:LangGraphAgent._current_lane": {"6aa8daada7c09c0e"},
    f"{AGENT}:LangGraphAgent._get_reasoning_process": {"cf31f74cde77e471"},
    f"{AGENT}:LangGraphAgent._record_usage": {"60b33f04bac5978c"},
    f"{UTILS}:resolve_reasoning_content": {"502cbc69d81f4800"},
    f"{UTILS}:resolve_encrypted_reasoning_content": {"b70f8a102a7cb374"},
    f"{UTILS}:resolve_message_content": {"9e2d07330d1d840d"},
    f"{UTILS}:_dual_get": {"fadd46555d994a15"},
}
BOUNDARIES: Proven = {
    f"{AGENT}:_record_subagent_boundaries": {"94327f5eca220efc"},
    f"{AGENT}:derive_subagent_context": {"a0fb0eeb534a7616"},
}
EVENTS: Proven = {
    f"{MODELS}:GeneratedBaseModel": {"46cac0f91adc35f1"},
    f"{MODELS}:EventType": {"b60fd5c223454b50"},
}


def target(
    name: str,
    modules: tuple[str, ...],
    known: set[str],
    factory: str,
    summary: str,
    domain: str,
    relies_on: Proven | None = None,
) -> Target:
    """A row of the table.

    Parameters
    ----------
    name : str
        Of the upstream function, dotted for a method.
    modules : tuple of str
        Where the name is bound; the first one defines it.
    known : set of str
        The fingerprints of the function itself.
    factory : str
        ``"module:function"`` in this package.
    summary, domain : str
        For people.
    relies_on : Proven, optional
        What else the replacement reproduces.
    """
    proven = {f"{modules[0]}:{name}": known, **(relies_on or {})}
    return Target(
        name=f"ag-ui.{name}",
        framework=FRAMEWORK,
        sites=tuple(BindingSite(module, name) for module in modules),
        sources=tuple(Source(*label.split(":")) for label in proven),
        variants=(Variant("", {label: frozenset(seen) for label, seen in proven.items()}),),
        factories={"compiled": f"{PACKAGE}.{factory}"},
        summary=summary,
        domain=domain,
    )


TARGETS: tuple[Target, ...] = (
    target(
        "_get_json_schema",
        (STATE,),
        {"8d05d871110114c2"},
        "json_schemas:make_get_json_schema",
        "Makes the JSON schema of a graph's state, which AG-UI asks for with every request.",
        "A `TypedDict` or model whose schema follows from classes alone.",
    ),
    target(
        "AsyncCallbackManagerForLLMRun.on_llm_new_token",
        (MANAGER,),
        {"c8d110f6d8269796", "4f9cbbb8dadc688a"},
        "token_events:make_on_llm_new_token",
        "Tells the handlers of a model's run that there is a new token.",
        "Nobody hears it but the handler of `astream_events`, with no event left out, on a loop of "
        "asyncio's own that is read by the same thread.",
        TOKEN_EVENTS,
    ),
    target(
        "make_json_safe",
        (UTILS, AGENT, "ag_ui_langgraph.interrupts", "ag_ui_langgraph"),
        {"4c559a63d06159c0"},
        "json_safe:make_make_json_safe",
        "Makes of an event what JSON has.",
        "All values; from the 41st container within others on upstream's function goes on.",
    ),
    target(
        "LangGraphAgent._capture_task_tool_dispatch",
        (AGENT,),
        {"a4c0be7fe1bef94c"},
        "stream_events:make_capture_task_tool_dispatch",
        "Notes which call of a tool starts a subagent.",
        "Events that say nothing of it: all but starts of chains.",
    ),
    target(
        "LangGraphAgent._capture_subagent_task_meta",
        (AGENT,),
        {"cfd21db4bf302288"},
        "stream_events:make_capture_subagent_task_meta",
        "Notes what a subagent is called.",
        "Events that say nothing of it: all but starts of tools.",
    ),
    target(
        "LangGraphAgent._finish_subagent_on_task_end",
        (AGENT,),
        {"26b704ddefd229c1"},
        "stream_events:make_finish_subagent_on_task_end",
        "Makes the events of a subagent that is done.",
        "Events that say nothing of it: all but ends and errors of tools.",
    ),
    target(
        "reconcile_subagents",
        (AGENT,),
        {"d16093def3fa3871"},
        "stream_events:make_reconcile_subagents",
        "Makes the events of a subagent that begins.",
        "Events of the graph's own nodes.",
        BOUNDARIES,
    ),
    target(
        "LangGraphAgent._handle_single_event",
        (AGENT,),
        {"e55fb39222736ed8"},
        "stream_events:make_handle_single_event",
        "Translates an event of the stream.",
        "A token of a text that has begun, outside of reasoning and of calls of tools.",
        {**TEXTS, **EVENTS, f"{MODELS}:TextMessageContentEvent": {"33672b4d116dc519"}},
    ),
    target(
        "LangGraphAgent._dispatch_event",
        (AGENT,),
        {"6355eae0821bb902"},
        "dispatch:make_dispatch_event",
        "Makes an event ready to be sent.",
        "Exactly the event models of `ag_ui.core`, nothing hidden, no subagent at work.",
        {f"{AGENT}:LangGraphAgent._accumulate_subagent_message": {"d4855ad6f316b046"}, **EVENTS},
    ),
    target(
        "EventEncoder._encode_sse",
        (ENCODER,),
        {"fdd0049452af2972"},
        "event_models:make_encode_sse",
        "Writes an event as one of server-sent events.",
        "Exactly the event models of `ag_ui.core`, of text, numbers and plain values.",
        EVENTS,
    ),
)
