"""`_scratchpad`: counters and resume values of a task, against upstream's function."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from adapter_channels import heard
from adapter_shapes import Token, shape
from adapter_sides import OURS, STOCK, observe
from hypothesis import given
from hypothesis import strategies as st
from langgraph._internal import _constants as constants
from langgraph.pregel import _algo

TASK = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"
NAMESPACE = "parent:1|node:" + TASK

interrupt_id = getattr(_algo, "_interrupt_id", None)
# Releases differ in what the resume map is keyed by: the task's namespace or the interrupt's id.
KEYS = [interrupt_id(NAMESPACE, i) for i in range(3)] if interrupt_id else [NAMESPACE]


class Answers(list):
    """A saver may hand back its own kind of list."""


answers = st.one_of(
    st.integers(0, 2).map([Token(number) for number in range(3)].__getitem__),
    st.none(),
    st.lists(st.integers(0, 2), max_size=2),
    st.lists(st.integers(0, 2), max_size=2).map(Answers),
)
writes = st.lists(
    st.tuples(
        st.sampled_from([TASK, OTHER, constants.NULL_TASK_ID]),
        st.sampled_from([constants.RESUME, constants.RESUME, constants.INTERRUPT, "channel"]),
        answers,
    ),
    max_size=5,
)
resume_maps = st.one_of(
    st.none(), st.dictionaries(st.sampled_from([*KEYS, "unknown"]), answers, max_size=3)
)


class Parent:
    """The scratchpad of an enclosing task."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def get_null_resume(self, consume: bool = False) -> Any:
        heard.append(("parent", consume))
        return self.answer


@given(
    pending=writes,
    resume_map=resume_maps,
    parent=st.one_of(st.none(), st.builds(Parent, answers)),
    listed=st.sampled_from([list, list, list, tuple]),
    consume=st.lists(st.booleans(), max_size=3),
)
def test_the_same_answers_are_found_and_used_up(
    pending: list[Any], resume_map: Any, parent: Any, listed: Any, consume: list[bool]
) -> None:
    seen = []
    for side in (STOCK, OURS):
        own = listed(copy.deepcopy(pending))

        def use(own: Any = own, side: Any = side) -> Any:
            pad = side._scratchpad(parent, own, TASK, NAMESPACE, copy.copy(resume_map), 3, 9)
            kept = [i for i, write in enumerate(own) if write[2] is pad.resume]
            before = shape(pad.resume)
            pad.resume.append("next answer")
            taken = [pad.get_null_resume(flag) for flag in consume]
            counted = [pad.call_counter() for _ in range(3)]
            counted += [pad.interrupt_counter(), pad.subgraph_counter(), pad.subgraph_counter()]
            return pad, kept, before, taken, counted, own

        seen.append(observe(side, use))
    assert seen[1] == seen[0]


@pytest.mark.parametrize("side", [STOCK, OURS], ids=["stock", "ours"])
def test_a_stored_list_of_answers_is_added_to_in_place(side: Any) -> None:
    stored: list[Any] = ["first"]
    pending = [(TASK, constants.RESUME, stored)]
    pad = side._scratchpad(None, pending, TASK, NAMESPACE, {KEYS[0]: "second"}, 0, 1)
    assert pad.resume is stored
    assert stored == ["first", "second"]


@pytest.mark.parametrize("side", [STOCK, OURS], ids=["stock", "ours"])
def test_an_answer_for_anybody_goes_to_one_task_only(side: Any) -> None:
    pending = [(constants.NULL_TASK_ID, constants.RESUME, "answer")]
    pads = [side._scratchpad(None, pending, task, NAMESPACE, None, 0, 1) for task in (TASK, OTHER)]
    assert pads[0].get_null_resume() == "answer"
    assert pads[0].get_null_resume(consume=True) == "answer"
    assert pads[1].get_null_resume(True) is None
    assert pending == []


@pytest.mark.parametrize("side", [STOCK, OURS], ids=["stock", "ours"])
def test_a_deep_copy_uses_up_the_same_answer(side: Any) -> None:
    """A config may be copied deeply, scratchpad and all; upstream's closure is not."""
    pending = [(constants.NULL_TASK_ID, constants.RESUME, "answer")]
    pad = side._scratchpad(None, pending, TASK, NAMESPACE, None, 0, 1)
    take = copy.deepcopy(pad.get_null_resume)
    assert take(True) == "answer"
    assert pad.get_null_resume(True) is None


def test_threads_of_a_task_never_count_the_same_number_twice() -> None:
    pad = OURS._scratchpad(None, [], TASK, NAMESPACE, None, 0, 1)
    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(lambda _: pad.call_counter(), range(4000)))
    assert sorted(counted) == list(range(4000))
