"""The table: which of LangGraph's functions are replaced, where they are bound, and what by.

To find what replaces an upstream function, search for its name here. A replacement is put in
place only where the installed sources are ones that it was proven against; those are listed as
fingerprints (see `fastgraph.patching.fingerprint`), and `tools/fingerprints.py` tells which
releases have which.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from fastgraph.adapters.target import ABSENT, BindingSite, Source, Target, Variant

#: Source label -> the fingerprints of it that a replacement was proven against.
Proven: TypeAlias = Mapping[str, set[str]]

FRAMEWORK = "langgraph"

ALGO = "langgraph.pregel._algo"
CHECKPOINT = "langgraph.pregel._checkpoint"
LOOP = "langgraph.pregel._loop"
MAIN = "langgraph.pregel.main"
DRAW = "langgraph.pregel._draw"

#: The channels whose methods are reproduced; any other is used through its own methods.
CHANNELS: Proven = {
    "langgraph.channels.base:BaseChannel": {"28c0e5aca948cb86"},
    "langgraph.channels.last_value:LastValue": {"b1968c162dfc0735"},
    "langgraph.channels.last_value:LastValueAfterFinish": {"531d24c02a569d3b"},
    "langgraph.channels.ephemeral_value:EphemeralValue": {"2b0afd3c288dc161"},
    "langgraph.channels.any_value:AnyValue": {"467d352a0c12b881"},
    "langgraph.channels.untracked_value:UntrackedValue": {"408b8cd57f0e6229"},
    "langgraph.channels.topic:Topic": {"4118dc44e70006cf"},
    "langgraph.channels.named_barrier_value:NamedBarrierValue": {"88631285ae029572"},
    "langgraph.channels.named_barrier_value:NamedBarrierValueAfterFinish": {"11ae4920a0f9db4c"},
    "langgraph.channels.binop:BinaryOperatorAggregate": {
        "638c2a4026b5857f",
        "3fe16764723990e6",
        "dbab80dcf536f754",
        "389fdbf549b34d2b",
    },
    "langgraph.channels.delta:DeltaChannel": {
        ABSENT,
        "a9fc684ce355ffea",
        "22d806563527bdb2",
        "3cf4edea7f1891ae",
    },
}

NULL_VERSION: Proven = {f"{ALGO}:checkpoint_null_version": {"6997a276f337eddf"}}
TRIGGERS: Proven = {f"{ALGO}:_triggers": {"b715de73e93bb1ce"}}
SCRATCHPAD: Proven = {
    "langgraph._internal._scratchpad:PregelScratchpad": {"405c10d7cfce535a"},
    f"{ALGO}:LazyAtomicCounter": {"a1398d80246e4e8d"},
}
READS: Proven = {
    "langgraph.pregel._io:read_channel": {"824c51056130d9a2"},
    "langgraph.pregel._io:read_channels": {"845965f6f5a55a0a"},
}


def sites(name: str, *modules: str) -> tuple[BindingSite, ...]:
    """The same name in each of `modules`; the first is where the function is defined."""
    return tuple(BindingSite(module, name) for module in modules)


def sources(*proven: Proven) -> tuple[Source, ...]:
    return tuple(Source(*label.split(":")) for table in proven for label in table)


def variant(key: str, *proven: Proven) -> Variant:
    return Variant(key, {label: frozenset(s) for table in proven for label, s in table.items()})


def replaced_by(factory: str) -> Mapping[str, str]:
    return {"compiled": f"fastgraph.adapters.langgraph.{factory}"}


def uniform(
    name: str, known: set[str], modules: tuple[str, ...], factory: str, summary: str, domain: str,
    relies_on: tuple[Proven, ...] = (),
) -> Target:
    """A target whose known sources all behave the same."""
    own: Proven = {f"{modules[0]}:{name}": known}
    return Target(
        name=name,
        framework=FRAMEWORK,
        sites=sites(name, *modules),
        sources=sources(own, *relies_on),
        variants=(variant("", own, *relies_on),),
        factories=replaced_by(factory),
        summary=summary,
        domain=domain,
    )


APPLY_WRITES = Target(
    name="apply_writes",
    framework=FRAMEWORK,
    sites=sites("apply_writes", ALGO, LOOP, MAIN, DRAW),
    sources=sources({f"{ALGO}:apply_writes": set()}, CHANNELS),
    variants=(
        variant("whole path", {f"{ALGO}:apply_writes": {"f5f413108eb0bdee"}}, CHANNELS),
        variant(
            "path[:3]",
            {f"{ALGO}:apply_writes": {"f4c6cbe29b66341f", "e6addc93797f3b5f"}},
            CHANNELS,
        ),
    ),
    factories=replaced_by("writes:make_apply_writes"),
    summary="Applies the writes of a superstep's tasks to the channels and bumps their versions, "
    "without asking the channels that cannot have changed.",
    domain="Checkpoint and channels in plain dicts, writes to channels of the graph; channels of "
    "exact built-in types natively, any other through its own methods.",
)

SCRATCHPAD_TARGET = Target(
    name="_scratchpad",
    framework=FRAMEWORK,
    sites=sites("_scratchpad", ALGO, MAIN),
    sources=sources({f"{ALGO}:_scratchpad": set()}, SCRATCHPAD),
    variants=(
        variant("id per interrupt", {f"{ALGO}:_scratchpad": {"6b46673887576540"}}, SCRATCHPAD),
        variant("id per task", {f"{ALGO}:_scratchpad": {"324ecb8133fe9820"}}, SCRATCHPAD),
    ),
    factories=replaced_by("scratchpad:make_scratchpad"),
    summary="Makes the scratchpad of a task, with one look through the pending writes.",
    domain="Pending writes in a list.",
)

TARGETS: tuple[Target, ...] = (
    APPLY_WRITES,
    uniform(
        "prepare_next_tasks",
        {"89ebc1854563b290"},
        (ALGO, LOOP, MAIN, DRAW),
        "triggers:make_prepare_next_tasks",
        "Finds the nodes that run in the next superstep from the channels that changed.",
        "Checkpoint, nodes and channels in plain dicts; each task is prepared by upstream.",
        (CHANNELS, TRIGGERS, NULL_VERSION),
    ),
    uniform(
        "_triggers",
        {"b715de73e93bb1ce"},
        (ALGO,),
        "triggers:make_triggers",
        "Whether a node has a trigger that it has not seen.",
        "All calls; channels of other than exact built-in types through their own methods.",
        (CHANNELS,),
    ),
    SCRATCHPAD_TARGET,
    uniform(
        "_proc_input",
        {"1ddb36dce459b4a8"},
        (ALGO,),
        "reads:make_proc_input",
        "Reads the channels that make up a node's input.",
        "Nodes that read a list of channels or one channel.",
        (CHANNELS,),
    ),
    uniform(
        "local_read",
        {"86e9dbda151e4b50"},
        (ALGO, MAIN),
        "reads:make_local_read",
        "Reads the state as a task sees it, copying only the channels that its writes change.",
        "Channels in a plain dict; for a fresh read, none whose copy runs somebody's code (a "
        "user-defined channel, a DeltaChannel, a reducer over a class of the user's).",
        (CHANNELS, READS),
    ),
    uniform(
        "should_interrupt",
        {"c85cc5a8ecd7af73"},
        (ALGO, LOOP),
        "interrupts:make_should_interrupt",
        "Decides whether to stop before or after a superstep.",
        "Checkpoint and versions in plain dicts.",
    ),
    uniform(
        "channels_from_checkpoint",
        {"1dee15697d02816d", "42cb1f287eb4d7a4", "660bdaf3cb2c537f", "0d2ff33e2792a0c3"},
        (CHECKPOINT, LOOP, MAIN, DRAW),
        "channels:make_channels_from_checkpoint",
        "Lets upstream make a run's channels and keeps book of them for the run.",
        "All calls.",
    ),
    uniform(
        "achannels_from_checkpoint",
        {"2109fb07685d1c73", "c346d814a8b4be0d", "e8b3750e2d974026"},
        (CHECKPOINT, LOOP, MAIN),
        "channels:make_achannels_from_checkpoint",
        "The same for async runs.",
        "All calls; the function exists from LangGraph 1.2 on.",
    ),
    uniform(
        "create_checkpoint",
        {"162ded169deaa27b", "bb57e207c3fa5e42", "f2e96802eae3a4c2", "8555c403e4ebac8a"},
        (CHECKPOINT, LOOP, MAIN),
        "checkpoint:make_create_checkpoint",
        "Lets upstream create the checkpoint and keeps the highest channel version known.",
        "All calls.",
    ),
)
