"""Deliberate mistakes in compiled modules, which the generated programs have to notice.

Each is built in a copy of the checkout, alone, and programs are compared until one differs. A
mistake that none notices says that the programs do not reach what it spoils.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.differential.soak import ROOT, TOGETHER, in_a_process

ADAPTER = "fastgraph/adapters/langgraph"
# With what was built before, or everything would be compiled once more.
COPIED = ("fastgraph", "tools", "build", "setup.py", "pyproject.toml", "README.md", "LICENSE")


@dataclass(frozen=True)
class Mutation:
    """A mistake: the text of a module that is replaced.

    Attributes
    ----------
    name : str
        What goes wrong.
    module : str
        The file, without its ending.
    old, new : str
        What stands there, once, and what stands there instead.
    """

    name: str
    module: str
    old: str
    new: str


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


@contextlib.contextmanager
def checkout(scratch: Path | None) -> Iterator[Path]:
    """A copy of what is built and run."""
    with tempfile.TemporaryDirectory() as directory:
        copy = (scratch or Path(directory)) / "checkout"
        copy.mkdir(parents=True)
        for name in COPIED:
            source = ROOT / name
            if not source.exists():
                continue
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "wheels", "rivals")
                shutil.copytree(source, copy / name, ignore=ignored)
            else:
                shutil.copy2(source, copy)
        yield copy


def built_of(copy: Path, mutation: Mutation) -> set[Path]:
    """A module's source and what was made of it, in the build's own directories, too."""
    stem = mutation.module.rpartition("/")[2]
    found = (copy / "build").rglob(f"{stem}.*") if (copy / "build").exists() else ()
    beside = (copy / mutation.module).parent.glob(f"{stem}.*")
    return {file for file in (*found, *beside) if file.suffix in (".pyx", ".c", ".so", ".o")}


@contextlib.contextmanager
def mutated(copy: Path, mutation: Mutation) -> Iterator[None]:
    """The copy with the mistake compiled in; as it was afterwards."""
    source = copy / f"{mutation.module}.pyx"
    before = {file: (file.read_bytes(), file.stat()) for file in built_of(copy, mutation)}
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
        environment = {**os.environ, "CFLAGS": "-O0 -g0"}
        built = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, check=False
        )
        if built.returncode:
            raise RuntimeError(f"{mutation.name} does not compile:\n{built.stderr[-2000:]}")
        yield
    finally:
        for file in built_of(copy, mutation) - before.keys():
            file.unlink()
        for file, (content, stat) in before.items():
            file.write_bytes(content)
            os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def is_stale(mutation: Mutation) -> bool:
    """Whether the text to replace is not there, or more than once."""
    text = (ROOT / f"{mutation.module}.pyx").read_text(encoding="utf-8")
    return text.count(mutation.old) != 1


def noticed(copy: Path, programs: int) -> tuple[int, str] | None:
    """The seed of the first program found that differs, and how it does."""
    for first in range(0, programs, TOGETHER):
        for result in in_a_process(first, min(TOGETHER, programs - first), root=copy):
            if result["kind"] == "different":
                return result["seed"], result["difference"]
    return None


def run(programs: int, only: str | None, scratch: Path | None) -> int:
    """Try each mutation; prints a line for each."""
    chosen = [each for each in MUTATIONS if only is None or only in f"{each.module}: {each.name}"]
    survived = 0
    with checkout(scratch) as copy:
        already = noticed(copy, programs)
        if already is not None:
            print(f"without any mistake, the program of seed {already[0]} differs {already[1]}")
            return 1
        for mutation in chosen:
            began = time.monotonic()
            module = mutation.module.rpartition("/")[2]
            if is_stale(mutation):
                survived += 1
                print(f"stale     {module}: {mutation.name}", flush=True)
                continue
            with mutated(copy, mutation):
                found = noticed(copy, programs)
            survived += found is None
            verdict = "survived" if found is None else f"caught by seed {found[0]}"
            seconds = time.monotonic() - began
            print(f"{module}: {mutation.name}: {verdict} ({seconds:.0f} s)", flush=True)
            if found is not None:
                print(f"    {found[1][:200]}", flush=True)
    print(f"{len(chosen) - survived} of {len(chosen)} mutations caught")
    return 1 if survived else 0
