"""What is seen of an agent: events, bytes, turns of the loop, logs, warnings."""

from __future__ import annotations

import asyncio
import logging
import re
import warnings
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import ag_ui_agents
from ag_ui.encoder import EventEncoder

#: Made anew in each run: ids of runs, tasks and checkpoints, of interrupts, and addresses.
_FRESH = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b|0x[0-9a-f]{6,}"
)


#: What these log, they log once in a process, or of the loop itself.
_ONCE = ("asyncio", "langgraph.checkpoint.serde.jsonplus")


@dataclass
class Seen:
    """Everything there was to see, ids numbered by their first appearance."""

    lines: list[str] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, what: object) -> None:
        named = _FRESH.sub(self._name, str(what))
        self.lines.append(f"{kind}: {named}")

    def _name(self, found: re.Match[str]) -> str:
        return self.ids.setdefault(found[0], f"<{len(self.ids)}>")


class _Handler(logging.Handler):
    def __init__(self, seen: Seen) -> None:
        super().__init__()
        self.seen = seen

    def emit(self, record: logging.LogRecord) -> None:
        if record.name in _ONCE:
            return
        self.seen.add("log", f"{record.name} {record.levelname} {record.getMessage()}")


class _Threads(ThreadPoolExecutor):
    """Tells of what is called in a thread, after which turns of the loop are chance."""

    def __init__(self, seen: Seen) -> None:
        super().__init__(1)
        self.seen = seen

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.seen.add("thread", fn)
        return super().submit(fn, *args, **kwargs)


async def _tick(turns: list[int]) -> None:
    while True:
        turns[0] += 1
        await asyncio.sleep(0)


async def _answer(seed: int, seen: Seen, with_turns: bool) -> None:
    agent, requests = ag_ui_agents.agent(seed)
    encoder = EventEncoder(accept="text/event-stream")
    turns = [0]
    asyncio.get_running_loop().set_default_executor(_Threads(seen))
    ticking = asyncio.create_task(_tick(turns))
    try:
        for request in requests:
            try:
                async for event in agent.clone().run(request):
                    seen.add("bytes", encoder.encode(event))
                    seen.add("event", f"{type(event).__name__} {sorted(event.model_fields_set)}")
                    if with_turns:
                        seen.add("turn", turns[0])
            except Exception as error:
                seen.add("raised", f"{type(error).__name__} {error}")
    finally:
        ticking.cancel()


def seen_of(seed: int, *, with_turns: bool = False) -> list[str]:
    """Let an agent answer its requests."""
    seen = Seen()
    handler = _Handler(seen)
    logger = logging.getLogger()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            asyncio.run(_answer(seed, seen, with_turns))
        for warning in warned:
            place: Any = f"{warning.filename}:{warning.lineno}"
            seen.add("warning", f"{warning.category.__name__} {warning.message} {place}")
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
    return seen.lines
