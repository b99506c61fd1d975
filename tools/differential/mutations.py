"""Deliberate mistakes in LangGraph's adapter, which the generated programs have to notice."""

from __future__ import annotations

from pathlib import Path

from tools import mutated_builds
from tools.differential.soak import ROOT, TOGETHER, in_a_process
from tools.mutated_builds import Mutation

__all__ = ["MUTATIONS", "ROOT", "run"]

ADAPTER = "fastgraph/adapters/langgraph"

MUTATIONS = (
    Mutation(
        "a version is not bumped",
        f"{ADAPTER}/writes",
        "    vector.put(name, version)\n    if available",
        "    if available",
    ),
    Mutation(
        "an update makes nothing available",
        f"{ADAPTER}/writes",
        "        updated.add(name)\n    return 0",
        "        pass\n    return 0",
    ),
    Mutation(
        "a node does not remember what it saw",
        f"{ADAPTER}/writes",
        "        seen.update(fresh)",
        "        pass",
    ),
    Mutation(
        "what was read is not consumed",
        f"{ADAPTER}/writes",
        "    if not heard:\n        return 0",
        "    return 0",
    ),
    Mutation(
        "channels are not told that nothing was written",
        f"{ADAPTER}/writes",
        "        if available(kind, channel) and name not in updated:",
        "        if False:",
    ),
    Mutation(
        "channels are not told that the run ends",
        f"{ADAPTER}/writes",
        "        if channel.finish() and version is not None:",
        "        if False:",
    ),
    Mutation(
        "the first of several equal values wins",
        f"{ADAPTER}/writes",
        "hold(kind, channel, values[len(values) - 1])",
        "hold(kind, channel, values[0])",
    ),
    Mutation(
        "a write is dropped",
        f"{ADAPTER}/pending",
        "    for channel, value in writes:\n        pending.append((task_id, channel, value))",
        "    for channel, value in list(writes)[1:]:\n"
        "        pending.append((task_id, channel, value))",
    ),
    Mutation(
        "writes are not saved",
        f"{ADAPTER}/pending",
        "        save(loop, task_id, writes, tasks)\n    if",
        "        pass\n    if",
    ),
    Mutation(
        "an answer for no task in particular is not found",
        f"{ADAPTER}/scratchpad",
        "if for_any is None and write[0] == NULL_TASK_ID:",
        "if False:",
    ),
    Mutation(
        "the second answer is the first",
        f"{ADAPTER}/scratchpad",
        "next_id = interrupt_id(namespace, len(resume))",
        "next_id = interrupt_id(namespace, 0)",
    ),
    Mutation(
        "a breakpoint stops again where it stopped",
        f"{ADAPTER}/interrupts",
        "    if not updated_since_interrupt(checkpoint):\n        return []",
        "    pass",
    ),
    Mutation(
        "updated channels are not sorted",
        f"{ADAPTER}/checkpoint",
        "None if updated_channels is None else sorted(updated_channels)",
        "None if updated_channels is None else sorted(updated_channels)[::-1]",
    ),
    Mutation(
        "a checkpoint has the values of the one before",
        f"{ADAPTER}/checkpoint",
        "        values = stored_values(channels, versions)\n",
        '        values = checkpoint["channel_values"]\n',
    ),
    Mutation(
        "the state of a conditional edge lacks what its node returned",
        f"{ADAPTER}/branches",
        "            return {**value, **state}",
        "            return state",
    ),
    Mutation(
        "a Send of a conditional edge is dropped",
        f"{ADAPTER}/branches",
        "                writes.append((TASKS, destination))",
        "                pass",
    ),
    Mutation(
        "an update with None is skipped",
        f"{ADAPTER}/channel_writes",
        "                if key in keys:\n",
        "                if key in keys and update is not None:\n",
    ),
    Mutation(
        "updates of one task come in another order",
        f"{ADAPTER}/outputs",
        "        return [{channel: value} for channel, value in every]",
        "        return [{channel: value} for channel, value in every[::-1]]",
    ),
    Mutation(
        "chunks lack their namespace",
        f"{ADAPTER}/queues",
        "(namespace, mode, payload) if with_namespace else (mode, payload)",
        "(mode, payload)",
    ),
    Mutation(
        "tags are not merged",
        f"{ADAPTER}/config",
        '            config["tags"] = [*self.tags, *tags] if self.tags else tags',
        '            config["tags"] = tags',
    ),
    Mutation(
        "a write is stored again",
        f"{ADAPTER}/memory_saver",
        "            if before and inner_key in before:\n                number += 1\n"
        "                continue\n",
        "            pass\n",
    ),
    Mutation(
        "writes are loaded in the order they were stored",
        f"{ADAPTER}/memory_saver",
        "    keyed.sort()\n",
        "    pass\n",
    ),
    Mutation(
        "a task has another id",
        f"{ADAPTER}/tasks",
        'f"{node_ns}{superstep.step}{name}{PUSH}{index}"',
        'f"{node_ns}{superstep.step}{name}{PUSH}{index}."',
    ),
    Mutation(
        "triggers are not sorted",
        f"{ADAPTER}/tasks",
        "    triggers = tuple(sorted(node.triggers))\n    parent_ns",
        "    triggers = tuple(sorted(node.triggers)[::-1])\n    parent_ns",
    ),
    Mutation(
        "a node's own retry policy is not used",
        f"{ADAPTER}/tasks",
        "            node.retry_policy or superstep.retry_policy,",
        "            superstep.retry_policy or node.retry_policy,",
    ),
    Mutation(
        "nodes start in another order",
        f"{ADAPTER}/triggers",
        "        return index.updated_nodes(updated)",
        "        return index.updated_nodes(updated)[::-1]",
    ),
    Mutation(
        "an attempt does not know when the first one began",
        f"{ADAPTER}/runtime",
        "    info_started.set(info, started)\n",
        "",
    ),
    Mutation(
        "what a task returned before is called again",
        f"{ADAPTER}/calls",
        "        if channel == RETURN:\n            returned = value",
        "        if channel == RETURN:\n            returned = None",
    ),
    Mutation(
        "the highest version is the last",
        "fastgraph/kernels/version_vector",
        "                if later(candidate, highest):",
        "                if True:",
    ),
)


def noticed(copy: Path, programs: int) -> tuple[int, str] | None:
    """The seed of the first program found that differs, and how it does."""
    for first in range(0, programs, TOGETHER):
        for result in in_a_process(first, min(TOGETHER, programs - first), root=copy):
            if result["kind"] == "different":
                return result["seed"], result["difference"]
    return None


def run(programs: int, only: str | None, scratch: Path | None) -> int:
    """Try each mutation; prints a line for each."""
    return mutated_builds.run(
        mutated_builds.chosen(MUTATIONS, only),
        lambda copy: noticed(copy, programs),
        alone=False,
        scratch=scratch,
    )
