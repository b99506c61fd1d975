#!/usr/bin/env python
"""Deliberate mistakes in BrainyFlow's adapter, which the generated flows have to notice."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import mutated_builds
from tools.mutated_builds import Mutation

ADAPTER = "fastgraph/adapters/brainyflow"
#: Programs of one process: a mistake that most of them notice is found by the first.
TOGETHER = 250

MUTATIONS = (
    Mutation(
        "a copy that ran is never copied",
        f"{ADAPTER}/node_copy",
        "    if not loose:\n",
        "    if True:\n",
    ),
    Mutation(
        "a node's copy shares its containers",
        f"{ADAPTER}/node_copy",
        "                copy[key] = copied(value)\n",
        "                copy[key] = value\n",
    ),
    Mutation(
        "a graph's clone shares the containers of the graph",
        f"{ADAPTER}/node_copy",
        "                cloned[key] = container_copy(value, graph)\n",
        "                cloned[key] = value\n",
    ),
    Mutation(
        "a node that a loop comes back to starts anew",
        f"{ADAPTER}/node_copy",
        "            return path.copy\n",
        "            return node\n",
    ),
    Mutation(
        "loops are not seen",
        f"{ADAPTER}/node_copy",
        "                graph.loops = True\n",
        "                pass\n",
    ),
    Mutation(
        "a node that several ways lead to runs as it is",
        f"{ADAPTER}/node_copy",
        "            graph.tree = False\n",
        "            pass\n",
    ),
    Mutation(
        "copying is taken to be noticed by nobody",
        f"{ADAPTER}/node_copy",
        "    if graph.alike and not is_plain(value, DEEPEST):\n        graph.alike = False\n",
        "    pass\n",
    ),
    Mutation(
        "a node that is triggered twice runs as it is",
        f"{ADAPTER}/flow_run",
        "            before.own = branch.own = False\n",
        "            pass\n",
    ),
    Mutation(
        "several nodes have one memory",
        f"{ADAPTER}/flow_run",
        "    if last and store.own and is_flat(store.local):\n",
        "    if store.own:\n",
    ),
    Mutation(
        "what a coroutine waits for first is left out",
        f"{ADAPTER}/flow_run",
        "    waits.coroutine, waits.first = awaitable, value\n",
        "    waits.coroutine, waits.first = awaitable, UNSET\n",
    ),
    Mutation(
        "an error does not say how often was tried",
        f"{ADAPTER}/flow_run",
        "        error.retry_count = 1\n",
        "        pass\n",
    ),
    Mutation(
        "an error of another method says how often exec was tried",
        f"{ADAPTER}/flow_run",
        "    step.tries_once = step.pending is not None\n",
        "    step.tries_once = True\n",
    ),
    Mutation(
        "a node may be visited once more",
        f"{ADAPTER}/flow_run",
        "    assert visits <= most, (\n",
        "    assert visits <= most + 1, (\n",
    ),
    Mutation(
        "a trigger that leads nowhere is not the flow's",
        f"{ADAPTER}/flow_run",
        "    elif len(clone._triggers) > 0:\n",
        "    elif False:\n",
    ),
    Mutation(
        "a node's own memory is not copied",
        f"{ADAPTER}/memory",
        "    own = copied(local)\n",
        "    own = local\n",
    ),
    Mutation(
        "what a trigger hands on is not copied",
        f"{ADAPTER}/memory",
        "        own.update(copied(forked))\n",
        "        own.update(forked)\n",
    ),
    Mutation(
        "a memory leaves nothing in the shared store",
        f"{ADAPTER}/memory",
        "    shared[ORIG_CLASS] = alias\n",
        "    pass\n",
    ),
)


def noticed(copy: Path, programs: int) -> tuple[int, str] | None:
    """The seed of the first program found that differs, and how it does."""
    for first in range(0, programs, TOGETHER):
        count = min(TOGETHER, programs - first)
        command = [sys.executable, "tools/flow_programs.py"]
        command += ["--first", str(first), "--programs", str(count), "--most", "1"]
        environment = {**os.environ, "PYTHONPATH": str(copy)}
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            said = re.match(r"seed (\d+): (.*)", done.stdout)
            if said is None:
                return first, f"the process ended with {done.returncode}: {done.stderr[-3000:]}"
            return int(said[1]), said[2]
    return None


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=1000, help="at most; default: 1000")
    parser.add_argument("--only", help="those whose name contains this")
    options = parser.parse_args()
    return mutated_builds.run(
        mutated_builds.chosen(MUTATIONS, options.only),
        lambda copy: noticed(copy, options.programs),
        alone=True,
        scratch=None,
    )


if __name__ == "__main__":
    sys.exit(main())
