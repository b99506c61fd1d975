"""What the comparison does not look at: each filter lets that through, and nothing more."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler, CallbackManager
from langgraph._internal._queue import AsyncQueue
from langgraph.errors import GraphInterrupt
from langgraph.types import Interrupt

from fastgraph.verify.comparison import difference, first_difference
from fastgraph.verify.describing import Describer, is_user_frame
from tools.differential.build import told_config
from tools.differential.execution import by_handler, waits_for_chunks


def described(*values: Any) -> Any:
    return Describer()(list(values))


def test_random_ids_are_told_apart_but_not_by_value() -> None:
    one, other = str(uuid.uuid4()), str(uuid.uuid4())
    third = str(uuid.uuid4())

    assert described(one, other, one) == described(other, third, other)
    assert described(one, other, one) != described(one, other, other)
    assert described(one.encode(), b"") == described(other.encode(), b"")
    assert described(uuid.UUID(one), one) == described(uuid.UUID(other), other)


def test_ids_made_of_the_clock_are_compared() -> None:
    assert described("1efc7d35-7fd0-6007-8001-1846c17c6279") != described(
        "1efc7d35-7fd0-6007-8002-1846c17c6279"
    )


@pytest.mark.parametrize(
    ("one", "other", "another"),
    [
        ("<object at 0x7f00>", "<object at 0x8a11>", "<thing at 0x7f00>"),
        ("name=Task-12", "name=Task-3", "name=task"),
        ("<Task cb=[done()]>", "<Task cb=[Executor.done()]>", "<Task cd=[done()]>"),
    ],
    ids=["addresses", "numbers of tasks", "callbacks of tasks"],
)
def test_in_texts_only_what_differs_on_stock_is_left_out(
    one: str, other: str, another: str
) -> None:
    assert described(one) == described(other)
    assert described(one) != described(another)


def test_interrupts_of_several_tasks_have_no_order_others_do() -> None:
    one, other = Interrupt("one", id="1"), Interrupt("other", id="2")

    assert described((one, other)) == described((other, one))
    assert described(GraphInterrupt((one, other))) == described(GraphInterrupt((other, one)))
    assert described((one, "x")) != described(("x", one))
    assert described((one, one)) != described((one, other))

    # As `stream_mode="tasks"` shows them.
    first, second = dataclasses.asdict(one), dataclasses.asdict(other)
    assert described([first, second]) == described([second, first])
    assert described([first, first]) != described([first, second])
    assert described([first, {"value": 1}]) != described([{"value": 1}, first])
    assert described([{"id": 1}, {"id": 2}]) != described([{"id": 2}, {"id": 1}])


def noted(*notes: str) -> Exception:
    error = TypeError("not serializable")
    error.__notes__ = list(notes)  # type: ignore[attr-defined]
    return error


def test_the_place_of_what_cannot_be_stored_is_no_difference_other_notes_are() -> None:
    assert described(noted("mine", 'at channel "x" -> [0] (lock)')) == described(noted("mine"))
    assert described(noted("at the value -> ['x'] (lock)")) == described(noted())
    assert described(noted("at home")) != described(noted())


class One(BaseCallbackHandler):
    pass


class Other(BaseCallbackHandler):
    pass


def test_handlers_have_no_order_but_what_each_hears_has() -> None:
    assert described(CallbackManager([One(), Other()])) == described(
        CallbackManager([Other(), One()])
    )
    assert described(CallbackManager([One()])) != described(CallbackManager([Other()]))
    assert by_handler([("a", 1), ("b", 1), ("a", 2)]) == by_handler([("b", 1), ("a", 1), ("a", 2)])
    assert by_handler([("a", 1), ("a", 2)]) != by_handler([("a", 2), ("a", 1)])


def test_of_the_engines_own_values_in_a_config_the_keys_are_compared() -> None:
    one = {"tags": [], "configurable": {"__pregel_read": print, "mine": 1}}
    other = {"tags": [], "configurable": {"__pregel_read": repr, "mine": 1}}

    assert told_config(one) == told_config(other)
    assert told_config(one) != told_config({**one, "configurable": {"mine": 1}})
    assert told_config(one) != told_config({**one, "tags": ["x"]})


def test_frames_are_compared_where_they_are_of_the_program() -> None:
    import langgraph.errors

    import fastgraph

    assert is_user_frame(__file__)
    for file in (langgraph.errors.__file__, fastgraph.__file__, uuid.__file__, "fastgraph/x.pyx"):
        assert not is_user_frame(str(file))


def test_an_error_whose_context_leads_back_to_it_is_described() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one

    assert "seen above" in repr(described(one))


def test_types_and_order_are_compared() -> None:
    for one, other in [((1,), [1]), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), (1, "1"), (b"1", "1")]:
        assert described(one) != described(other)


def test_the_first_difference_is_told_with_both_sides() -> None:
    one = {"seen": [1, {"x": (1, 2)}], "noted": []}
    other = {"seen": [1, {"x": (1, 3)}], "noted": [1]}

    assert first_difference(one, one) is None
    assert first_difference(one, other) == "in seen[1]['x'][1]: 2 and 3"
    assert difference([1], [1, 2]) == ": 1 and 2 items, beginning with 2"


def test_of_the_tasks_left_only_the_one_that_waits_for_chunks_is_not_cancelled() -> None:
    async def told() -> list[bool]:
        waiting = asyncio.ensure_future(AsyncQueue().wait())
        other = asyncio.ensure_future(asyncio.sleep(10))
        await asyncio.sleep(0)
        found = [waits_for_chunks(task) for task in (waiting, other)]
        for task in (waiting, other):
            task.cancel()
        await asyncio.wait([waiting, other])
        return found

    assert asyncio.run(told()) == [True, False]
