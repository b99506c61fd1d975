"""Carries out a program's script on whatever engine is in place, and keeps all that can be seen."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Iterator
from typing import Any
from unittest import mock

from langgraph.checkpoint.serde import jsonplus
from langgraph.types import Command

from fastgraph.verify.describing import is_user_frame
from fastgraph.verify.hearing import hearing
from fastgraph.verify.stillness import stillness
from fastgraph.verify.stored import stored
from tools.differential import channels, savers
from tools.differential.build import RunControl, World, built
from tools.differential.program import Action, Program
from tools.differential.virtual_time import StuckError, VirtualTime

THREAD = "thread"
#: What a serializer has warned of once in this process.
WARNED = (
    "_warned_unregistered_types",
    "_warned_blocked_types",
    "_warned_unreconstructable_types",
)
# What only the waiting for it in a test would do.
NEVER = (SystemExit, KeyboardInterrupt, Exception, asyncio.CancelledError)


class Script:
    """The actions of a program on one thread."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.program = world.program
        self.graph = built(world)
        self.seen: list[Any] = []

    # What the methods of a graph are given

    def config(self, action: Action, place: dict[str, Any] | None = None) -> dict[str, Any]:
        program = self.program
        configurable = {"thread_id": THREAD, "mine": 1}
        config: dict[str, Any] = {
            "configurable": {**configurable, **(place or {})},
            "recursion_limit": program.limit,
        }
        if program.handlers:
            config["callbacks"] = self.world.handlers()
            config["tags"] = ["own"]
            config["metadata"] = {"of": "the program"}
        if action.concurrency is not None:
            config["max_concurrency"] = action.concurrency
        return config

    def given(self, action: Action, state: Any) -> Any:
        if action.kind == "run":
            return channels.values(action.given)
        if action.kind == "resume":
            return Command(resume=action.given)
        if action.kind == "resume by id":
            asked = [each.id for each in getattr(state, "interrupts", ())]
            return Command(resume={id: (action.given, n) for n, id in enumerate(sorted(asked))})
        if action.kind == "goto":
            return Command(goto=action.given)
        return None

    def options(self, action: Action) -> dict[str, Any]:
        options: dict[str, Any] = {"version": action.version}
        if action.durability and self.program.saver != "none":
            options["durability"] = action.durability
        if action.before:
            options["interrupt_before"] = list(action.before)
        if action.after:
            options["interrupt_after"] = list(action.after)
        if self.program.context:
            options["context"] = {"user": "someone"}
        if RunControl is not None:
            self.world.control = options["control"] = RunControl()
        if action.modes:
            one = len(action.modes) == 1
            options["stream_mode"] = action.modes[0] if one else list(action.modes)
            options["subgraphs"] = action.subgraphs
        return options

    def keep(self, action: Action, ended: Any, chunks: list[Any] | None = None) -> None:
        describe = self.world.describe
        entry = [action.kind, describe(ended)]
        if chunks is not None:
            entry.append(chunks)
        self.seen.append(entry)

    @contextlib.contextmanager
    def caught(self, action: Action, chunks: list[Any]) -> Iterator[list[Any]]:
        """Keep how an action ended, if with an error."""
        ended: list[Any] = []
        try:
            yield ended
        except StuckError:
            raise
        except NEVER as error:
            ended.append(error)
        self.keep(action, ended[-1] if ended else None, chunks)
        if ended and isinstance(ended[-1], BaseException):
            ended[-1].__traceback__ = None  # or it keeps alive what the run made

    def drains(self, action: Action, count: int) -> None:
        if count == action.drain_at and self.world.control is not None:
            self.world.control.request_drain("by the consumer")

    # What is done

    def sync(self, action: Action) -> None:
        graph, config = self.graph, self.config(action)
        self.world.rest()
        chunks: list[Any] = []
        with self.caught(action, chunks) as ended:
            if action.kind == "state":
                ended.append(graph.get_state(config, subgraphs=action.subgraphs))
            elif action.kind == "history":
                chunks += map(self.world.describe, graph.get_state_history(config))
            elif action.kind in ("update", "fork"):
                config = self.config(action, self.place(graph.get_state_history(config), action))
                values = channels.values(action.given)
                ended.append(graph.update_state(config, values, as_node=action.as_node))
            else:
                if action.kind == "travel":
                    config = self.config(
                        action, self.place(graph.get_state_history(config), action)
                    )
                state = graph.get_state(config) if action.kind == "resume by id" else None
                given, options = self.given(action, state), self.options(action)
                if not action.modes:
                    ended.append(graph.invoke(given, config, **options))
                    return
                # Described at the end: a thread may add notes to an error while it is streamed.
                kept: list[Any] = []
                try:
                    for count, chunk in enumerate(graph.stream(given, config, **options), 1):
                        kept.append(chunk)
                        self.drains(action, count)
                        if count == action.stop_after:
                            break
                finally:
                    chunks += map(self.world.describe, kept)

    @staticmethod
    def place(states: Any, action: Action) -> dict[str, Any]:
        """Where an earlier checkpoint is."""
        if not action.back:
            return {}
        configs = [state.config["configurable"] for state in states]
        return dict(configs[min(action.back, len(configs) - 1)]) if configs else {}

    async def arun(self, action: Action) -> None:
        graph, config = self.graph, self.config(action)
        self.world.rest()
        chunks: list[Any] = []
        with self.caught(action, chunks) as ended:
            if action.kind == "state":
                ended.append(await graph.aget_state(config, subgraphs=action.subgraphs))
            elif action.kind == "history":
                chunks += [self.world.describe(s) async for s in graph.aget_state_history(config)]
            elif action.kind in ("update", "fork"):
                states = [state async for state in graph.aget_state_history(config)]
                config = self.config(action, self.place(states, action))
                values = channels.values(action.given)
                ended.append(await graph.aupdate_state(config, values, as_node=action.as_node))
            else:
                if action.kind == "travel":
                    states = [state async for state in graph.aget_state_history(config)]
                    config = self.config(action, self.place(states, action))
                state = await graph.aget_state(config) if action.kind == "resume by id" else None
                given, options = self.given(action, state), self.options(action)
                if action.modes:
                    run = self.drain(graph.astream(given, config, **options), action, chunks)
                else:
                    run = graph.ainvoke(given, config, **options)
                ended.append(await self.cancelling(run, action))

    async def drain(self, stream: Any, action: Action, chunks: list[Any]) -> None:
        async with contextlib.aclosing(stream):
            async for chunk in stream:
                chunks.append((self.world.turn(), self.world.describe(chunk)))
                self.drains(action, len(chunks))
                if len(chunks) == action.stop_after:
                    break

    async def cancelling(self, run: Any, action: Action) -> Any:
        """Await a run, or cancel it in some turn of the event loop."""
        if action.cancel_at is None:
            return await run
        task = asyncio.ensure_future(run)
        for turn in range(action.cancel_at):
            if task.done():
                break
            if self.world.used_threads():
                # How many turns a thread takes is chance, on stock, too: before it begins, or later
                # by the clock.
                if action.cancel_at % 3:
                    await asyncio.wait([task], timeout=(action.cancel_at - turn) / 10)
                break
            await asyncio.sleep(0)
        self.world.faults += not task.done()
        self.world.note("cancelling", task.done(), task.cancel())
        return await task


def _cancelled(loop: Any) -> None:
    """End what is left of a run, which may try to end the process, and may begin something else."""
    cancelled: set[Any] = set()
    for _ in range(20):
        left = {task for task in asyncio.all_tasks(loop) if not waits_for_chunks(task)}
        if not left:
            return
        for task in left - cancelled:
            task.cancel()
        cancelled |= left
        # A loop that was stopped by an error may stop once more.
        with contextlib.suppress(KeyboardInterrupt, SystemExit, StuckError, RuntimeError):
            loop.run_until_complete(asyncio.wait(left, timeout=60))


def _carried_out(world: World) -> list[Any]:
    script = Script(world)
    if not world.program.is_async:
        for action in world.program.script:
            script.sync(action)
        return script.seen
    virtual = VirtualTime(world.program.ticks)
    world.turn = lambda: virtual.turn
    world.used_threads = lambda: virtual.used_threads
    # As timeouts ask for the time of day, too.
    with mock.patch.object(time, "monotonic", virtual.loop.time):
        try:
            asyncio.set_event_loop(virtual.loop)
            _actions(world, script, virtual)
        finally:
            asyncio.set_event_loop(None)
            virtual.loop.close()
    return script.seen


def left_of_the_user(loop: Any) -> list[str]:
    """The coroutines of the program that are still running; the engine's own are its own."""
    running = [task.get_coro() for task in asyncio.all_tasks(loop)]
    return sorted(
        each.__qualname__
        for each in running
        if is_user_frame(getattr(getattr(each, "cr_code", None), "co_filename", ""))
    )


def waits_for_chunks(task: Any) -> bool:
    """Whether it is LangGraph's task that waits for chunks, which is a future when patched.

    Cancelled by whoever cancels all tasks, it is through before the run that would cancel it.
    """
    return task.get_coro().__qualname__ == "AsyncQueue.wait"


def _actions(world: World, script: Script, virtual: VirtualTime) -> None:
    loop = virtual.loop
    for action in world.program.script:
        try:
            loop.run_until_complete(script.arun(action))
        except (KeyboardInterrupt, SystemExit, StuckError) as error:
            script.seen.append(["left the event loop", world.describe(error)])
            break
        script.seen.append(["turn", virtual.turn, loop.time()])
        world.note("left", left_of_the_user(loop))
    virtual.stop_ticking()
    _cancelled(loop)
    with contextlib.suppress(RuntimeError):
        loop.run_until_complete(loop.shutdown_asyncgens())


def by_handler(events: list[Any]) -> dict[str, list[Any]]:
    """What each handler heard: LangChain keeps them in a set, so which hears first is chance."""
    heard: dict[str, list[Any]] = {}
    for label, *event in events:
        heard.setdefault(label, []).append(event)
    return dict(sorted(heard.items()))


def counts(world: World) -> dict[str, int]:
    """How much was done: actions, runs of nodes and routes, and faults met on the way."""
    return {
        "actions": len(world.program.script),
        "steps": world.counts["all"],
        "faults": world.faults,
    }


def observed(program: Program) -> dict[str, Any]:
    """Everything that can be seen of a program that is run now."""
    seen: list[Any] = []
    described: list[Any] = []

    def hear(*what: Any) -> None:
        world.faults += what[0] == "failure"
        described.append(world.describe.items(what))

    with savers.made(program.saver, hear, program.fails_at) as saver:
        world = World(program, saver)
        clock = mock.patch.object(time, "time", return_value=1.5e9)
        _forget_warnings()
        with _collected(), stillness(), clock, hearing(world.describe) as heard:
            seen = _carried_out(world)
            gc.collect()  # while somebody listens
        kept = world.describe([stored(saver), pending(saver)]) if saver is not None else None
    return {
        "seen": seen,
        "noted": world.noted,
        "events": by_handler(world.events),
        "saver": described if program.is_async else sorted(map(repr, described)),
        "stored": kept,
        "counts": counts(world),
        **heard,
    }


def pending(saver: Any) -> list[Any]:
    """What was written beside each checkpoint, in the order that a saver gives it in."""
    return [
        (each.config["configurable"]["checkpoint_id"], each.pending_writes)
        for each in saver.list({"configurable": {"thread_id": THREAD}})
    ]


def _forget_warnings() -> None:
    """Let a serializer warn again of what it warned of in the run before."""
    for name in WARNED:
        getattr(jsonplus, name, set()).clear()


@contextlib.contextmanager
def _collected() -> Iterator[None]:
    """What is freed late is freed at the end of a run, not in the midst of it or of the next.

    What is there before is left out of collections from now on, which makes them quick; whoever
    runs programs calls `gc.unfreeze` in the end.
    """
    gc.disable()
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        gc.enable()
