"""The table: which of BrainyFlow's functions are replaced, where they are bound, and what by.

BrainyFlow is one module. To find what replaces a function of it, search for its name here.
"""

from __future__ import annotations

from collections.abc import Mapping

from fastgraph.adapters.target import BindingSite, Source, Target, Variant

FRAMEWORK = "brainyflow"
PACKAGE = "fastgraph.adapters.brainyflow"

#: What a replacement relies on, with the fingerprints that it was proven against.
STORES: Mapping[str, str] = {
    "Memory": "6a84a04e6eb60397",
    "_get_from_stores": "c1350f5f8e34cd43",
    "_delete_from_stores": "3fff502aa1558042",
}
NODES: Mapping[str, str] = {
    "BaseNode": "ebf24bba713007a9",
    "Node": "ca164c26689805d9",
    "Flow": "92de7a21c0fd8bd4",
    "ParallelFlow": "b10d3cd652819c5a",
}


def target(
    name: str,
    fingerprint: str,
    factory: str,
    summary: str,
    domain: str,
    relies_on: Mapping[str, str],
) -> Target:
    """Describe the replacement of a method of this release."""
    proven = {name: fingerprint, **relies_on}
    sources = tuple(Source(FRAMEWORK, qualname) for qualname in proven)
    known = {source.label: frozenset({proven[source.qualname]}) for source in sources}
    return Target(
        name=name,
        framework=FRAMEWORK,
        sites=(BindingSite(FRAMEWORK, name),),
        sources=sources,
        variants=(Variant("2.1", known),),
        factories={"compiled": f"{PACKAGE}.{factory}"},
        summary=summary,
        domain=domain,
    )


OWN_STORES = "Exactly `Memory` with stores that are exactly dicts"

TARGETS: tuple[Target, ...] = (
    target(
        "Memory.__getattr__",
        "29fc54159e255c69",
        "memory:make_getattr",
        "Looks a name up in the local store, then in the shared one.",
        f"{OWN_STORES}.",
        STORES,
    ),
    target(
        "Memory.__getitem__",
        "8cf441b140078523",
        "memory:make_getitem",
        "Looks a key up in the local store, then in the shared one.",
        f"{OWN_STORES}.",
        STORES,
    ),
    target(
        "Memory.__setattr__",
        "55072a1a095e0ca0",
        "memory:make_setattr",
        "Sets a name in the shared store and drops it from the local one.",
        f"{OWN_STORES}, names that are not reserved.",
        STORES,
    ),
    target(
        "Memory.__setitem__",
        "697f60f99587315d",
        "memory:make_setitem",
        "Sets a key in the shared store and drops it from the local one.",
        f"{OWN_STORES}, strings that are not reserved.",
        STORES,
    ),
    target(
        "Memory.__delattr__",
        "b7e9d425d548c096",
        "memory:make_delattr",
        "Deletes a name from both stores.",
        f"{OWN_STORES}.",
        STORES,
    ),
    target(
        "Memory.__delitem__",
        "962091b34083eb1b",
        "memory:make_delitem",
        "Deletes a key from both stores.",
        f"{OWN_STORES}, keys that are strings.",
        STORES,
    ),
    target(
        "Memory.__contains__",
        "a312e5110d6c8a8d",
        "memory:make_contains",
        "Tells whether one of the stores has a key.",
        f"{OWN_STORES}.",
        STORES,
    ),
    target(
        "Memory.clone",
        "6f49508a6a808aa7",
        "memory:make_clone",
        "Clones a memory, without a deep copy where all that is local is flat.",
        "Exactly `Memory` with a local store that is exactly a dict.",
        STORES,
    ),
    target(
        "BaseNode.clone",
        "3a0fafdb82d7ba73",
        "node_copy:make_clone",
        "Clones a node with all that can be reached from it, without recursion.",
        "All nodes; one with a `clone` of its own is asked to clone itself.",
        NODES,
    ),
    target(
        "Flow.exec_runner",
        "25a06b6a5f6071f8",
        "flow_run:make_exec_runner",
        "Runs a flow with one clone of its graph, and a copy of each node that may run again.",
        "Flows with upstream's methods, those of `Flow` or `ParallelFlow`. Nodes of upstream's "
        "`Node` whose methods do with `self` nothing but use its attributes are copied by "
        "themselves, if at all; for any other node the graph is cloned.",
        {**NODES, **STORES},
    ),
    target(
        "Flow.run_node",
        "6f2f68caec10e1e0",
        "flow_run:make_run_node",
        "Runs a node and all that it leads to, as the run of a flow does.",
        "As `Flow.exec_runner`.",
        {**NODES, **STORES},
    ),
)
