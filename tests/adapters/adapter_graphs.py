"""Graphs that use the library the way applications do, each driven to its end.

A scenario takes a driver and a saver and returns everything its user would see.
"""

import operator
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

from adapter_channels import LoudLastValue, heard
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import RunnableLambda
from langgraph.cache.memory import InMemoryCache
from langgraph.channels import EphemeralValue, LastValue, Topic
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.managed import IsLastStep, RemainingSteps
from langgraph.pregel import NodeBuilder, Pregel
from langgraph.runtime import Runtime
from langgraph.types import CachePolicy, Command, RetryPolicy, Send, interrupt

try:
    from langgraph.types import Overwrite
except ImportError:  # before LangGraph 1.1
    Overwrite = list
try:
    from langgraph.channels.delta import DeltaChannel
except ImportError:  # before LangGraph 1.2
    DeltaChannel = None

Scenario = Callable[[Any, Any], Any]

SCENARIOS: list[Scenario] = []

# One task at a time, so that chunks come in the same order.
CONFIG: dict[str, Any] = {"configurable": {"thread_id": "1"}, "max_concurrency": 1}
# Streaming from within a task takes a second thread, and so does, in some releases, saving a delta
# channel: graphs that do have to be chains.
WITHIN_TASKS: dict[str, Any] = {**CONFIG, "max_concurrency": None}
MODES = ["values", "updates", "tasks", "checkpoints", "debug"]


def scenario(function: Scenario) -> Scenario:
    SCENARIOS.append(function)
    return function


class Count(TypedDict):
    n: int
    seen: Annotated[list[str], operator.add]


def noting(name: str) -> Callable[[Any], Any]:
    """A node that notes that it ran."""

    def node(state: Any) -> Any:
        return {"seen": [name]}

    return node


def adding(state: Count) -> Any:
    return {"n": state["n"] + 1, "seen": [f"n={state['n']}"]}


@scenario
def loop_with_a_conditional_edge(drive: Any, saver: Any) -> Any:
    graph = (
        StateGraph(Count)
        .add_node("add", adding)
        .add_edge(START, "add")
        .add_conditional_edges("add", lambda state: "add" if state["n"] < 6 else END)
        .compile(checkpointer=saver)
    )
    chunks = drive.stream(graph, {"n": 0, "seen": []}, CONFIG, stream_mode=MODES)
    again = drive.invoke(graph, {"n": 4}, CONFIG)
    return chunks, again, drive.history(graph, CONFIG)


@scenario
def chain_without_a_saver(drive: Any, saver: Any) -> Any:
    names = [f"node{i}" for i in range(8)]
    builder = StateGraph(Count)
    builder.add_sequence([(name, noting(name)) for name in names])
    graph = builder.add_edge(START, names[0]).compile()
    return drive.stream(graph, {"n": 0}, {}, stream_mode=["values", "updates", "tasks"])


@scenario
def branches_that_join(drive: Any, saver: Any) -> Any:
    builder = StateGraph(Count)
    for name in ("split", "left", "right", "further", "join"):
        builder.add_node(name, noting(name))
    builder.add_edge(START, "split").add_edge("split", "left").add_edge("split", "right")
    builder.add_edge("right", "further").add_edge(["left", "further"], "join")
    graph = builder.compile(checkpointer=saver)
    return drive.stream(graph, {"n": 0}, CONFIG, stream_mode=MODES), drive.history(graph, CONFIG)


@scenario
def deferred_nodes(drive: Any, saver: Any) -> Any:
    builder = StateGraph(Count)
    for name in ("first", "short", "long", "longer"):
        builder.add_node(name, noting(name))
    builder.add_node("last", noting("last"), defer=True)
    builder.add_node("join", noting("join"), defer=True)
    builder.add_edge(START, "first").add_edge("first", "short").add_edge("first", "long")
    builder.add_edge("long", "longer").add_edge("short", "last").add_edge("longer", "last")
    builder.add_edge(["short", "longer"], "join")
    graph = builder.compile(checkpointer=saver)
    return drive.stream(graph, {"n": 0}, CONFIG, stream_mode=MODES), drive.history(graph, CONFIG)


@scenario
def sends_to_many_tasks(drive: Any, saver: Any) -> Any:
    def fan_out(state: Count) -> list[Send]:
        return [Send("work", {"n": i}) for i in range(12)]

    def work(state: Count) -> Any:
        return {"seen": [f"worked on {state['n']}"]}

    builder = StateGraph(Count).add_node("plan", noting("plan")).add_node("work", work)
    builder.add_node("reduce", noting("reduce")).add_edge(START, "plan")
    builder.add_conditional_edges("plan", fan_out, ["work"]).add_edge("work", "reduce")
    graph = builder.compile(checkpointer=saver)
    return drive.stream(graph, {"n": 0}, CONFIG, stream_mode=MODES), drive.history(graph, CONFIG)


def asking(state: Count) -> Any:
    first = interrupt({"question": "first"})
    second = interrupt({"question": "second", "after": first})
    return {"seen": [f"{first} and {second}"]}


@scenario
def nested_subgraphs_with_interrupts(drive: Any, saver: Any) -> Any:
    inner = StateGraph(Count).add_node("ask", asking).add_node("add", adding)
    inner.add_edge(START, "add").add_edge("add", "ask")
    middle = StateGraph(Count).add_node("inner", inner.compile()).add_edge(START, "inner")
    outer = StateGraph(Count).add_node("before", noting("before"))
    outer.add_node("middle", middle.compile()).add_node("after", noting("after"))
    outer.add_edge(START, "before").add_edge("before", "middle").add_edge("middle", "after")
    graph = outer.compile(checkpointer=saver)
    seen = [drive.stream(graph, {"n": 0}, WITHIN_TASKS, stream_mode=MODES, subgraphs=True)]
    seen.append(drive.state(graph, CONFIG, subgraphs=True))
    for answer in ("one", "two"):
        resume = Command(resume=answer)
        seen.append(drive.stream(graph, resume, WITHIN_TASKS, stream_mode=MODES, subgraphs=True))
    return seen, drive.history(graph, CONFIG)


@scenario
def functional_api(drive: Any, saver: Any) -> Any:
    @task
    def double(number: int) -> int:
        return number * 2

    @task
    def confirm(number: int) -> Any:
        return interrupt(f"is {number} right?")

    @entrypoint(checkpointer=saver)
    def work(number: int, *, previous: Any = None) -> Any:
        doubled = [double(i).result() for i in range(number)]
        answer = confirm(sum(doubled)).result()
        value = {"doubled": doubled, "answer": answer, "previous": previous}
        return entrypoint.final(value=value, save=number)

    seen = []
    for number in (3, 4):
        seen.append(drive.stream(work, number, WITHIN_TASKS, stream_mode=MODES))
        seen.append(drive.stream(work, Command(resume="yes"), WITHIN_TASKS, stream_mode=MODES))
    return seen, drive.history(work, CONFIG)


@scenario
def cached_calls(drive: Any, saver: Any) -> Any:
    @task(cache_policy=CachePolicy())
    def double(number: int) -> int:
        return 2 * number

    @entrypoint(checkpointer=saver, cache=InMemoryCache())
    def work(number: int) -> Any:
        return [double(i).result() for i in [*range(number), *range(number)]]

    return [drive.invoke(work, number, WITHIN_TASKS) for number in (2, 3)]


@scenario
def static_interrupts(drive: Any, saver: Any) -> Any:
    builder = StateGraph(Count)
    builder.add_sequence([(name, noting(name)) for name in ("one", "two", "three")])
    graph = builder.add_edge(START, "one").compile(
        checkpointer=saver, interrupt_before=["two"], interrupt_after=["two"]
    )
    seen = [drive.stream(graph, {"n": 0}, CONFIG, stream_mode=MODES)]
    for _ in range(3):
        seen.append(drive.state(graph, CONFIG))
        seen.append(drive.stream(graph, None, CONFIG, stream_mode=MODES))
    everywhere = drive.stream(
        graph, {"n": 5}, CONFIG, stream_mode=MODES, interrupt_before="*", interrupt_after="*"
    )
    return seen, everywhere, drive.history(graph, CONFIG)


@scenario
def answers_by_interrupt_id(drive: Any, saver: Any) -> Any:
    builder = StateGraph(Count).add_node("left", asking).add_node("right", asking)
    builder.add_edge(START, "left").add_edge(START, "right")
    graph = builder.compile(checkpointer=saver)
    seen = [drive.stream(graph, {"n": 0}, CONFIG, stream_mode=MODES)]
    for turn in range(2):
        interrupts = drive.state(graph, CONFIG).interrupts
        answers = {waiting.id: f"{turn}:{i}" for i, waiting in enumerate(interrupts)}
        seen.append(drive.stream(graph, Command(resume=answers), CONFIG, stream_mode=MODES))
    return seen, drive.history(graph, CONFIG)


@scenario
def commands(drive: Any, saver: Any) -> Any:
    def choose(state: Count) -> Command[Any]:
        if state["n"] < 3:
            return Command(goto="choose", update={"n": state["n"] + 1, "seen": ["again"]})
        return Command(goto=["left", Send("right", {"n": 9})], update={"seen": ["on"]})

    def leave(state: Count) -> Command[Any]:
        return Command(graph=Command.PARENT, goto="after", update={"seen": ["left the subgraph"]})

    inner = StateGraph(Count).add_node("leave", leave).add_edge(START, "leave").compile()
    builder = StateGraph(Count).add_node("choose", choose, destinations=("left", "right"))
    builder.add_node("left", noting("left")).add_node("right", noting("right"))
    builder.add_node("inner", inner, destinations=("after",)).add_node("after", noting("after"))
    builder.add_edge(START, "choose").add_edge("left", "inner")
    graph = builder.compile(checkpointer=saver)
    seen = drive.stream(graph, {"n": 0}, CONFIG, stream_mode=MODES)
    jump = drive.stream(
        graph, Command(goto="right", update={"seen": ["jumped"]}), CONFIG, stream_mode=MODES
    )
    return seen, jump, drive.history(graph, CONFIG)


@scenario
def managed_values(drive: Any, saver: Any) -> Any:
    class State(TypedDict):
        left: Annotated[list[Any], operator.add]
        steps: RemainingSteps
        last: IsLastStep

    def count(state: State) -> Any:
        return {"left": [(state["steps"], state["last"])]}

    builder = StateGraph(State).add_node("count", count).add_edge(START, "count")
    builder.add_conditional_edges("count", lambda state: END if state["last"] else "count")
    graph = builder.compile(checkpointer=saver)
    config = {**CONFIG, "recursion_limit": 5}
    return drive.stream(graph, {"left": []}, config, stream_mode=MODES)


@scenario
def private_state(drive: Any, saver: Any) -> Any:
    class Input(TypedDict):
        question: str

    class Output(TypedDict):
        answer: str

    class Private(TypedDict):
        draft: str

    def drafting(state: Input) -> Private:
        return {"draft": state["question"].upper()}

    def answering(state: Private) -> Output:
        return {"answer": state["draft"] + "!"}

    class Everything(Input, Output):
        pass

    builder = StateGraph(Everything, input_schema=Input, output_schema=Output)
    builder.add_node("draft", drafting).add_node("answer", answering)
    builder.add_edge(START, "draft").add_edge("draft", "answer")
    graph = builder.compile(checkpointer=saver)
    seen = drive.stream(graph, {"question": "why"}, CONFIG, stream_mode=MODES)
    return seen, drive.history(graph, CONFIG)


def raw_graph(saver: Any, **options: Any) -> Pregel[Any]:
    return Pregel(
        nodes={
            "one": NodeBuilder().subscribe_only("in").do(str.upper).write_to("mid", "all"),
            "two": NodeBuilder().subscribe_to("mid").do(repr).write_to("out", "all"),
            "three": NodeBuilder().subscribe_only("all").do(len).write_to("count"),
        },
        channels={
            "in": EphemeralValue(str),
            "mid": Topic(str),
            "all": Topic(str, accumulate=True),
            "count": LoudLastValue(int),
            "out": LastValue(str),
        },
        input_channels="in",
        output_channels=["out", "count"],
        checkpointer=saver,
        **options,
    )


@scenario
def raw_pregel_with_topics_and_a_channel_of_the_users(drive: Any, saver: Any) -> Any:
    graph = raw_graph(saver)
    heard.clear()
    seen = [drive.stream(graph, word, CONFIG, stream_mode=MODES) for word in ("a", "b")]
    return seen, list(heard), drive.history(graph, CONFIG)


@scenario
def messages(drive: Any, saver: Any) -> Any:
    class Chat(TypedDict):
        messages: Annotated[list[AnyMessage], add_messages]

    def reply(state: Chat) -> Any:
        count = len(state["messages"])
        get_stream_writer()({"replying": count})
        return {"messages": [AIMessage(f"reply {count}", id=f"ai{count}")]}

    builder = StateGraph(Chat).add_node("reply", reply).add_edge(START, "reply")
    graph = builder.compile(checkpointer=saver)
    seen = []
    for turn in range(3):
        message = HumanMessage(f"hello {turn}", id=f"human{turn}")
        modes = [*MODES, "messages", "custom"]
        seen.append(drive.stream(graph, {"messages": [message]}, WITHIN_TASKS, stream_mode=modes))
    return seen, drive.history(graph, CONFIG)


@scenario
def updates_and_time_travel(drive: Any, saver: Any) -> Any:
    builder = StateGraph(Count)
    builder.add_sequence([("one", adding), ("two", adding), ("three", noting("three"))])
    graph = builder.add_edge(START, "one").compile(checkpointer=saver)
    seen: list[Any] = [drive.invoke(graph, {"n": 0}, CONFIG)]
    past = drive.history(graph, CONFIG)
    for snapshot in past[1:4]:
        config = {**CONFIG, **snapshot.config}
        seen.append(drive.stream(graph, None, config, stream_mode=MODES))
    forked = drive.update(graph, past[2].config, {"n": 40, "seen": ["forked"]}, as_node="one")
    seen.append(drive.state(graph, forked))
    seen.append(drive.stream(graph, None, {**CONFIG, **forked}, stream_mode=MODES))
    seen.append(drive.update(graph, CONFIG, None, as_node=END))
    seen.append(drive.update(graph, CONFIG, {"n": 7}, as_node="__input__"))
    seen.append(drive.update(graph, CONFIG, {"seen": ["as three"]}, as_node="three"))
    seen.append(drive.update(graph, CONFIG, None, as_node="__copy__"))
    return seen, drive.history(graph, CONFIG)


@scenario
def failing_nodes_and_reducers(drive: Any, saver: Any) -> Any:
    def reducing(left: list[str], right: list[str]) -> list[str]:
        if right == ["bomb"]:
            raise ValueError("no bombs")
        return left + right

    class State(TypedDict):
        n: int
        seen: Annotated[list[str], reducing]

    def failing(state: State) -> Any:
        if state["n"] == 1:
            raise LookupError("not this one")
        return {"seen": ["bomb" if state["n"] == 2 else "fine"]}

    builder = StateGraph(State).add_node("other", lambda state: {"seen": ["other"]})
    # One after the other: what a failure leaves of a task beside it is a race, on stock, too.
    builder.add_node("failing", failing).add_edge(START, "other").add_edge("other", "failing")
    graph = builder.compile(checkpointer=saver)
    seen = []
    for number in (0, 1, 2, 3):
        seen.append(drive.stream(graph, {"n": number}, CONFIG, stream_mode=MODES))
        seen.append(drive.state(graph, CONFIG))
    seen.append(drive.stream(graph, None, CONFIG, stream_mode=MODES))
    seen.append(drive.stream(graph, {"unknown": 1}, CONFIG, stream_mode=MODES))
    return seen, drive.history(graph, CONFIG)


@scenario
def a_node_tried_again(drive: Any, saver: Any) -> Any:
    def flaky(state: Count, runtime: Runtime) -> Any:
        if runtime.execution_info.node_attempt == 1:
            raise LookupError("not at once")
        return {"n": state["n"] + runtime.execution_info.node_attempt}

    policy = RetryPolicy(initial_interval=0.001, jitter=False, retry_on=LookupError)
    builder = StateGraph(Count).add_node("flaky", flaky, retry_policy=policy)
    graph = builder.add_edge(START, "flaky").compile(checkpointer=saver)
    return drive.stream(graph, {"n": 0}, CONFIG, stream_mode=MODES), drive.history(graph, CONFIG)


@scenario
def concurrent_writes_and_overwrites(drive: Any, saver: Any) -> Any:
    def writing(number: int) -> Callable[[Any], Any]:
        return lambda state: {"n": number} if state["n"] else {"seen": [str(number)]}

    builder = StateGraph(Count).add_node("one", writing(1)).add_node("two", writing(2))
    builder.add_node("reset", lambda state: {"seen": Overwrite(["reset"])})
    builder.add_edge(START, "one").add_edge(START, "two").add_edge(["one", "two"], "reset")
    graph = builder.compile(checkpointer=saver)
    seen = [drive.stream(graph, {"n": n}, CONFIG, stream_mode=MODES) for n in (0, 1, 0)]
    return seen, drive.history(graph, CONFIG)


@scenario
def durability_of_every_kind(drive: Any, saver: Any) -> Any:
    builder = StateGraph(Count)
    builder.add_sequence([("one", adding), ("ask", asking), ("two", adding)])
    graph = builder.add_edge(START, "one").compile(checkpointer=saver)
    seen = []
    for durability in ("exit", "async", "sync"):
        config = {**CONFIG, "configurable": {"thread_id": durability}}
        for given in ({"n": 0}, Command(resume="one"), Command(resume="two")):
            seen.append(
                drive.stream(graph, given, config, stream_mode=MODES, durability=durability)
            )
        seen.append(drive.history(graph, config))
    return seen


class Listener(BaseCallbackHandler):
    """Hears when a node starts, and what it is told about it."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def on_chain_start(self, serialized: Any, inputs: Any, **known: Any) -> None:
        self.heard.append((known["name"], sorted(known["tags"]), known["metadata"], inputs))

    def on_chain_error(self, error: BaseException, **known: Any) -> None:
        self.heard.append((type(error).__name__, sorted(known["tags"])))


@scenario
def tags_metadata_and_callbacks(drive: Any, saver: Any) -> Any:
    bound, given = Listener(), Listener()
    described = RunnableLambda(noting("one")).with_config(
        tags=["of the runnable"], metadata={"versions": {"one": 1}}
    )
    builder = StateGraph(Count).add_node("one", described, metadata={"of": "the node"})
    builder.add_node("two", asking).add_edge(START, "one").add_edge("one", "two")
    graph = builder.compile(checkpointer=saver, name="graph").with_config(
        tags=["bound"], metadata={"versions": {"two": 2}, "bound": 1}, callbacks=[bound]
    )
    config = {
        **CONFIG,
        "tags": ["given"],
        "metadata": {"versions": {"three": 3}, "given": 1},
        "callbacks": [given],
        "run_name": "run",
    }
    seen = drive.stream(graph, {"n": 0}, config, stream_mode=MODES)
    return seen, bound.heard, given.heard, drive.history(graph, CONFIG)


@scenario
def a_deleted_thread(drive: Any, saver: Any) -> Any:
    builder = StateGraph(Count).add_node("add", adding).add_edge(START, "add")
    graph = builder.compile(checkpointer=saver)
    before = drive.invoke(graph, {"n": 0, "seen": []}, CONFIG), drive.history(graph, CONFIG)
    saver.delete_thread(CONFIG["configurable"]["thread_id"])
    return before, drive.history(graph, CONFIG)


@scenario
def a_batch_in_a_node(drive: Any, saver: Any) -> Any:
    double = RunnableLambda(lambda number: number * 2)

    def node(state: Count) -> Any:
        return {"n": sum(double.batch([1, 2, 3], {"max_concurrency": 1}))}

    builder = StateGraph(Count).add_node("node", node).add_edge(START, "node")
    return drive.invoke(builder.compile(checkpointer=saver), {"n": 0}, CONFIG)


@scenario
def drawing(drive: Any, saver: Any) -> Any:
    builder = StateGraph(Count)
    for name in ("split", "left", "right", "join"):
        builder.add_node(name, noting(name), defer=name == "join")
    builder.add_edge(START, "split").add_conditional_edges("split", noting("x"), ["left", "right"])
    builder.add_edge(["left", "right"], "join")
    return builder.compile().get_graph().to_json()


if DeltaChannel is not None:

    @scenario
    def delta_channels_with_snapshots(drive: Any, saver: Any) -> Any:
        def folded(left: list[str], rights: Any) -> list[str]:
            return [*left, *(item for right in rights for item in right)]

        class State(TypedDict):
            n: int
            seen: Annotated[list[str], DeltaChannel(folded, snapshot_frequency=2)]

        def growing(state: State) -> Any:
            return {"n": state["n"] + 1, "seen": [f"n={state['n']}"]}

        builder = StateGraph(State).add_node("add", growing).add_edge(START, "add")
        builder.add_conditional_edges("add", lambda state: "add" if state["n"] < 5 else END)
        graph = builder.compile(checkpointer=saver)
        seen = drive.stream(graph, {"n": 0, "seen": ["start"]}, WITHIN_TASKS, stream_mode=MODES)
        past = drive.history(graph, CONFIG)
        forked = drive.update(graph, past[3].config, {"seen": ["forked"]}, as_node="add")
        again = drive.stream(graph, None, {**WITHIN_TASKS, **forked}, stream_mode=MODES)
        return seen, again, drive.history(graph, CONFIG)
