"""`should_interrupt`: where a run stops, against upstream's function."""

from __future__ import annotations

from types import MappingProxyType, SimpleNamespace
from typing import Any

from adapter_sides import OURS, STOCK, observe
from hypothesis import given
from hypothesis import strategies as st
from langgraph._internal._constants import INTERRUPT
from langgraph.constants import TAG_HIDDEN

versions = st.one_of(
    *(
        st.dictionaries(st.sampled_from("abc"), version, max_size=3)
        for version in (
            st.integers(0, 2),
            st.sampled_from([0.0, 0.5, 1.5]),
            st.sampled_from(["", "1.1", "2.2"]),
            st.none(),
            st.sampled_from([1, "1"]),  # which cannot be compared
        )
    )
)
task_configs = st.sampled_from([None, {}, {"tags": []}, {"tags": [TAG_HIDDEN]}, {"tags": ["x"]}])


@given(
    current=versions,
    seen=st.dictionaries(st.sampled_from(["n1", INTERRUPT, INTERRUPT]), versions, max_size=2),
    nodes=st.one_of(st.just("*"), st.lists(st.sampled_from(["n1", "n2"]), max_size=2)),
    configs=st.lists(task_configs, max_size=3),
    wrap=st.sampled_from([dict, MappingProxyType]),
)
def test_the_same_tasks_are_interrupted(
    current: Any, seen: Any, nodes: Any, configs: Any, wrap: Any
) -> None:
    def stops(side: Any) -> Any:
        tasks = [SimpleNamespace(name=f"n{i}", config=config) for i, config in enumerate(configs)]
        checkpoint = wrap({"channel_versions": wrap(current), "versions_seen": seen})
        stopped = side.should_interrupt(checkpoint, nodes, iter(tasks))
        return type(stopped).__name__, [tasks.index(task) for task in stopped]

    assert observe(OURS, lambda: stops(OURS)) == observe(STOCK, lambda: stops(STOCK))


def test_a_hidden_task_is_interrupted_by_its_name_only() -> None:
    checkpoint = {"channel_versions": {"a": 2}, "versions_seen": {INTERRUPT: {"a": 1}}}
    tasks = [
        SimpleNamespace(name="n1", config={"tags": [TAG_HIDDEN]}),
        SimpleNamespace(name="n2", config=None),
    ]
    for side in (STOCK, OURS):
        assert side.should_interrupt(checkpoint, "*", tasks) == tasks[1:]
        assert side.should_interrupt(checkpoint, ["n1"], tasks) == tasks[:1]
