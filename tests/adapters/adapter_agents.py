"""Agents with tools of every kind, whose models, tools and handlers write down what they see."""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable
from typing import Annotated, Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.tools import BaseTool, InjectedToolCallId, StructuredTool, ToolException, tool
from langgraph.config import get_config
from langgraph.prebuilt import InjectedState, InjectedStore, ToolNode, create_react_agent
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command

LONG = {"recursion_limit": 100}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def with_named_ids(text: str) -> str:
    """Ids by the order in which they turn up."""
    known: dict[str, str] = {}
    return UUID.sub(lambda found: known.setdefault(found[0], f"id{len(known)}"), text)


class Writer(BaseCallbackHandler):
    """Writes down every event with all that it was given."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def note(self, event: str, *args: Any, **more: Any) -> None:
        more["run_id"] = str(more.get("run_id"))
        more["parent_run_id"] = str(more.get("parent_run_id"))
        self.log.append(f"{event} {args!r} {sorted(more.items())!r}")


def _noting(event: str) -> Callable[..., None]:
    def on_event(self: Writer, *args: Any, **more: Any) -> None:
        self.note(event, *args, **more)

    return on_event


for _kind in ("chain", "tool"):
    for _end in ("start", "end", "error"):
        setattr(Writer, f"on_{_kind}_{_end}", _noting(f"on_{_kind}_{_end}"))
for _event in ("on_chat_model_start", "on_llm_end", "on_llm_error", "on_llm_new_token"):
    setattr(Writer, _event, _noting(_event))


class Model(BaseChatModel):
    """Answers with what it was made with, one after the other."""

    answers: list[Any]
    log: list[str]
    at: int = 0
    temperature: float = 0.5

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **more: Any) -> Any:
        return self

    def with_structured_output(self, schema: Any, **more: Any) -> Any:
        return RunnableLambda(lambda messages: {"said": len(messages)})

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **more: Any
    ) -> ChatResult:
        own = {**vars(run_manager), "run_id": str(run_manager.run_id)}
        own["parent_run_id"] = str(run_manager.parent_run_id)
        own["handlers"] = own["inheritable_handlers"] = len(run_manager.handlers)
        self.log.append(f"model {messages!r} {own!r}")
        answer = self.answers[self.at]
        self.at += 1
        if isinstance(answer, Exception):
            raise answer
        return ChatResult(
            generations=[ChatGeneration(message=answer)], llm_output={"tokens": self.at}
        )


class Unmanaged(Model):
    """Its `_generate` asks for no run manager, and it streams."""

    def _generate(self, messages: list[BaseMessage], stop: Any = None, **more: Any) -> ChatResult:
        self.log.append(f"model {len(messages)}")
        self.at += 1
        return ChatResult(generations=[ChatGeneration(message=self.answers[self.at - 1])])


def tools_that_note(log: list[str]) -> list[BaseTool]:
    """Tools of every kind; what they are given goes into the log."""

    def note(*seen: Any) -> str:
        config = get_config()
        log.append(f"{seen!r} {sorted(config)} {sorted(config['metadata'].items())!r}")
        return f"{seen[0]} done"

    @tool
    def plain(word: str, times: int = 2) -> str:
        """Say a word."""
        return note("plain", word, times)

    @tool
    def nothing() -> dict[str, int]:
        """Take nothing."""
        note("nothing")
        return {"is": 1}

    def configured(word: str, settings: RunnableConfig) -> str:
        """Take the config."""
        return note("configured", word, sorted(settings), type(settings["callbacks"]))

    def told(word: str, callbacks: Any = None) -> str:
        """Take the callbacks."""
        return note("told", word, type(callbacks), sorted(vars(callbacks)))

    @tool
    def stateful(
        word: str,
        state: Annotated[dict[str, Any], InjectedState],
        messages: Annotated[list[Any], InjectedState("messages")],
    ) -> str:
        """Take the state."""
        return note("stateful", word, sorted(state), len(messages))

    @tool
    def stored(word: str, store: Annotated[Any, InjectedStore()]) -> str:
        """Take the store."""
        store.put(("words",), word, {"n": 1})
        return note("stored", word, type(store))

    @tool
    def commanding(call_id: Annotated[str, InjectedToolCallId]) -> Command[Any]:
        """Return a command."""
        note("commanding", call_id)
        return Command(update={"messages": [ToolMessage("commanded", tool_call_id=call_id)]})

    @tool(response_format="content_and_artifact")
    def pair(word: str) -> Any:
        """Return two things, or one."""
        note("pair", word)
        return (word, {"artifact": word}) if word != "one" else word

    @tool
    def failing(word: str) -> str:
        """Fail."""
        note("failing", word)
        raise ValueError(word)

    @tool
    def sorry(word: str) -> str:
        """Fail in a way that the tool handles."""
        raise ToolException(f"sorry for {word}")

    sorry.handle_tool_error = True

    @tool
    def lenient(number: int) -> str:
        """Take a number; it handles other things."""
        return note("lenient", number)

    lenient.handle_validation_error = "no number"

    @functools.wraps(note)
    def around(*args: Any) -> str:
        return note(*args)

    @tool
    async def patient(word: str) -> str:
        """Wait."""
        return note("patient", word)

    wrapped = StructuredTool.from_function(
        functools.wraps(configured)(lambda word, settings: configured(word, settings)),
        name="wrapped",
        description="Wrap.",
    )
    given = [tool(configured), tool(told), plain, nothing, stateful, stored, commanding, pair]
    return [*given, failing, sorry, lenient, patient, wrapped]


def calls(*named: tuple[str, dict[str, Any]]) -> AIMessage:
    """An answer that calls tools."""
    return AIMessage(
        "calling",
        id=f"calls {named[0][0]}",
        tool_calls=[
            ToolCall(name=name, args=args, id=f"call {index} of {name}")
            for index, (name, args) in enumerate(named)
        ],
    )


def agent_with(answers: list[Any], log: list[str], cls: Any = Model, **options: Any) -> Any:
    errors = options.pop("handle_tool_errors", True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated, and what most people run
        return create_react_agent(
            cls(answers=answers, log=log, tags=["of the model"], metadata={"model": "m"}),
            ToolNode(tools_that_note(log), handle_tool_errors=errors),
            store=InMemoryStore(),
            **options,
        )


def asked() -> dict[str, Any]:
    return {"messages": [HumanMessage("?", id="first")]}
