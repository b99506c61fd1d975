"""Builds the compiled modules; everything else about the package is in pyproject.toml.

The list below is the only one: a test compares it with the files on disk and with what is loaded.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import ClassVar, NamedTuple

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CCompilerError, ExecError, PlatformError

ROOT = Path(__file__).resolve().parent

#: Module name -> source, relative to this file.
EXTENSIONS = {
    "fastgraph.kernels.indexed_dicts": "fastgraph/kernels/indexed_dicts.pyx",
    "fastgraph.kernels.slots": "fastgraph/kernels/slots.pyx",
    "fastgraph.kernels.record": "fastgraph/kernels/record.pyx",
    "fastgraph.kernels.executor_jobs": "fastgraph/kernels/executor_jobs.pyx",
    "fastgraph.kernels.kept_threads": "fastgraph/kernels/kept_threads.pyx",
    "fastgraph.kernels.tally": "fastgraph/kernels/tally.py",
    "fastgraph.kernels.version_vector": "fastgraph/kernels/version_vector.pyx",
    "fastgraph.kernels.trigger_index": "fastgraph/kernels/trigger_index.pyx",
    "fastgraph.kernels.msgpack_reader": "fastgraph/kernels/msgpack_reader.pyx",
    "fastgraph.kernels.msgpack_writer": "fastgraph/kernels/msgpack_writer.pyx",
    "fastgraph.kernels.json_writer": "fastgraph/kernels/json_writer.pyx",
    "fastgraph.adapters.langgraph.encoded_classes": (
        "fastgraph/adapters/langgraph/encoded_classes.pyx"
    ),
    "fastgraph.adapters.langgraph.encoded_models": (
        "fastgraph/adapters/langgraph/encoded_models.pyx"
    ),
    "fastgraph.adapters.langgraph.encoder": "fastgraph/adapters/langgraph/encoder.pyx",
    "fastgraph.adapters.langgraph.channels": "fastgraph/adapters/langgraph/channels.pyx",
    "fastgraph.adapters.langgraph.checkpoint": "fastgraph/adapters/langgraph/checkpoint.pyx",
    "fastgraph.adapters.langgraph.invocation": "fastgraph/adapters/langgraph/invocation.pyx",
    "fastgraph.adapters.langgraph.loop": "fastgraph/adapters/langgraph/loop.pyx",
    "fastgraph.adapters.langgraph.memory_saver": "fastgraph/adapters/langgraph/memory_saver.pyx",
    "fastgraph.adapters.langgraph.sqlite_saver": "fastgraph/adapters/langgraph/sqlite_saver.pyx",
    "fastgraph.adapters.langgraph.saver_base": "fastgraph/adapters/langgraph/saver_base.pyx",
    "fastgraph.adapters.langgraph.pending": "fastgraph/adapters/langgraph/pending.pyx",
    "fastgraph.adapters.langgraph.task_ids": "fastgraph/adapters/langgraph/task_ids.pyx",
    "fastgraph.adapters.langgraph.thread_calls": ("fastgraph/adapters/langgraph/thread_calls.pyx"),
    "fastgraph.adapters.langgraph.writes": "fastgraph/adapters/langgraph/writes.pyx",
    "fastgraph.adapters.langgraph.callbacks": "fastgraph/adapters/langgraph/callbacks.pyx",
    "fastgraph.adapters.langgraph.core_config": "fastgraph/adapters/langgraph/core_config.pyx",
    "fastgraph.adapters.langgraph.core_managers": "fastgraph/adapters/langgraph/core_managers.pyx",
    "fastgraph.adapters.langgraph.signatures": "fastgraph/adapters/langgraph/signatures.pyx",
    "fastgraph.adapters.langgraph.message_reducer": (
        "fastgraph/adapters/langgraph/message_reducer.pyx"
    ),
    "fastgraph.adapters.langgraph.runnable_sequence": (
        "fastgraph/adapters/langgraph/runnable_sequence.pyx"
    ),
    "fastgraph.adapters.langgraph.chat_model": "fastgraph/adapters/langgraph/chat_model.pyx",
    "fastgraph.adapters.langgraph.tools": "fastgraph/adapters/langgraph/tools.pyx",
    "fastgraph.adapters.langgraph.calls": "fastgraph/adapters/langgraph/calls.pyx",
    "fastgraph.adapters.langgraph.config": "fastgraph/adapters/langgraph/config.pyx",
    "fastgraph.adapters.langgraph.channel_writes": (
        "fastgraph/adapters/langgraph/channel_writes.pyx"
    ),
    "fastgraph.adapters.langgraph.branches": "fastgraph/adapters/langgraph/branches.pyx",
    "fastgraph.adapters.langgraph.executor": "fastgraph/adapters/langgraph/executor.pyx",
    "fastgraph.adapters.langgraph.nodes": "fastgraph/adapters/langgraph/nodes.pyx",
    "fastgraph.adapters.langgraph.turns": "fastgraph/adapters/langgraph/turns.pyx",
    "fastgraph.adapters.langgraph.async_nodes": "fastgraph/adapters/langgraph/async_nodes.pyx",
    "fastgraph.adapters.langgraph.async_retry": "fastgraph/adapters/langgraph/async_retry.pyx",
    "fastgraph.adapters.langgraph.inline_handlers": (
        "fastgraph/adapters/langgraph/inline_handlers.pyx"
    ),
    "fastgraph.adapters.langgraph.async_futures": (
        "fastgraph/adapters/langgraph/async_futures.pyx"
    ),
    "fastgraph.adapters.langgraph.async_tasks": "fastgraph/adapters/langgraph/async_tasks.pyx",
    "fastgraph.adapters.langgraph.outputs": "fastgraph/adapters/langgraph/outputs.pyx",
    "fastgraph.adapters.langgraph.runner": "fastgraph/adapters/langgraph/runner.pyx",
    "fastgraph.adapters.langgraph.async_runner": ("fastgraph/adapters/langgraph/async_runner.pyx"),
    "fastgraph.adapters.langgraph.queues": "fastgraph/adapters/langgraph/queues.pyx",
    "fastgraph.adapters.langgraph.retry": "fastgraph/adapters/langgraph/retry.pyx",
    "fastgraph.adapters.langgraph.runtime": "fastgraph/adapters/langgraph/runtime.pyx",
    "fastgraph.adapters.langgraph.tasks": "fastgraph/adapters/langgraph/tasks.pyx",
    "fastgraph.adapters.langgraph.triggers": "fastgraph/adapters/langgraph/triggers.pyx",
    "fastgraph.adapters.langgraph.reads": "fastgraph/adapters/langgraph/reads.pyx",
    "fastgraph.adapters.langgraph.scratchpad": "fastgraph/adapters/langgraph/scratchpad.pyx",
    "fastgraph.adapters.langgraph.decoded_models": (
        "fastgraph/adapters/langgraph/decoded_models.pyx"
    ),
    "fastgraph.adapters.langgraph.decoder": "fastgraph/adapters/langgraph/decoder.pyx",
    "fastgraph.adapters.langgraph.interrupts": "fastgraph/adapters/langgraph/interrupts.pyx",
    "fastgraph.adapters.ag_ui.json_safe": "fastgraph/adapters/ag_ui/json_safe.pyx",
    "fastgraph.adapters.ag_ui.json_schemas": "fastgraph/adapters/ag_ui/json_schemas.pyx",
    "fastgraph.adapters.ag_ui.event_models": "fastgraph/adapters/ag_ui/event_models.pyx",
    "fastgraph.adapters.ag_ui.message_chunks": "fastgraph/adapters/ag_ui/message_chunks.pyx",
    "fastgraph.adapters.ag_ui.token_events": "fastgraph/adapters/ag_ui/token_events.pyx",
    "fastgraph.adapters.ag_ui.stream_events": "fastgraph/adapters/ag_ui/stream_events.pyx",
    "fastgraph.adapters.ag_ui.dispatch": "fastgraph/adapters/ag_ui/dispatch.pyx",
    "fastgraph.adapters.brainyflow.memory": "fastgraph/adapters/brainyflow/memory.pyx",
    "fastgraph.adapters.brainyflow.node_classes": "fastgraph/adapters/brainyflow/node_classes.pyx",
    "fastgraph.adapters.brainyflow.node_copy": "fastgraph/adapters/brainyflow/node_copy.pyx",
    "fastgraph.adapters.brainyflow.flow_run": "fastgraph/adapters/brainyflow/flow_run.pyx",
}

DIRECTIVES = {
    "language_level": 3,
    "binding": True,
    "embedsignature": False,
    "freethreading_compatible": False,
}


class Build(NamedTuple):
    """What the two compilers are told."""

    flags: list[str]
    link: list[str]
    directives: dict[str, bool]


_SANITIZERS = ["-fsanitize=address,undefined"]

#: For each value of FASTGRAPH_BUILD; all but the first need gcc or clang.
BUILDS = {
    # Most of an unstripped wheel would be debug symbols of generated code.
    "release": Build([] if sys.platform == "win32" else ["-g0"], [], {}),
    # Python's own flags define signed overflow, so that there would be nothing to notice.
    "sanitized": Build(
        flags=[
            *("-O1", "-g1", "-UNDEBUG", "-fno-wrapv", "-fno-omit-frame-pointer"),
            *(*_SANITIZERS, "-fno-sanitize-recover=all"),
        ],
        link=_SANITIZERS,
        directives={},
    ),
    # The directives that are on by default too: some module may turn one off some day.
    "debug": Build(
        flags=["-O1", "-g1", "-UNDEBUG", "-DCYTHON_REFNANNY=1"],
        link=[],
        directives={
            "boundscheck": True,
            "wraparound": True,
            "initializedcheck": True,
            "nonecheck": True,
            "overflowcheck": True,
            "cdivision": False,
        },
    ),
}


def load_settings() -> ModuleType:
    """fastgraph/settings.py by path: the package itself cannot be imported while it is built."""
    spec = importlib.util.spec_from_file_location("_settings", ROOT / "fastgraph" / "settings.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class OptionalBuildExt(build_ext):
    """Builds all of the extensions or, where no compiler works, none: half a set is never used."""

    required = False
    user_options: ClassVar[list[tuple[str, str | None, str | None]]] = [
        *build_ext.user_options,
        ("only=", None, "build only modules whose names begin so, separated by commas"),
    ]

    def initialize_options(self) -> None:
        super().initialize_options()
        self.only = ""

    def run(self) -> None:
        # For tests of one framework alone: what is built so is not complete.
        self.extensions = [
            e for e in self.extensions if e.name.startswith(tuple(self.only.split(",")))
        ]
        try:
            super().run()
        except (CCompilerError, ExecError, PlatformError, OSError) as error:
            if self.required:
                raise
            for built in self.get_outputs():
                Path(built).unlink(missing_ok=True)
            self.extensions = []
            print(
                "fastgraph: the compiled modules were not built "
                f"({type(error).__name__}: {error}); LangGraph will run as it is. Install a C "
                "compiler, then again with pip install --force-reinstall --no-cache-dir.",
                file=sys.stderr,
            )


def extensions(settings: ModuleType) -> list[Extension]:
    if settings.extensions_disabled():
        return []
    from Cython.Build import cythonize

    build = BUILDS[settings.build()]
    modules = [
        Extension(name, [source], extra_compile_args=build.flags, extra_link_args=build.link)
        for name, source in EXTENSIONS.items()
    ]
    directives = {**DIRECTIVES, **build.directives}
    built: list[Extension] = cythonize(modules, compiler_directives=directives, nthreads=0)
    return built


def main() -> None:
    settings = load_settings()
    OptionalBuildExt.required = settings.extensions_required()
    setup(ext_modules=extensions(settings), cmdclass={"build_ext": OptionalBuildExt})


if __name__ == "__main__":
    main()
