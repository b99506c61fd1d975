"""The graph, input and config that a command is given: found, read and checked."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

from langgraph.graph import StateGraph
from langgraph.pregel import Pregel

from fastgraph.cli.engine import one_line
from fastgraph.cli.parser import CommandError

Graph: TypeAlias = Pregel[Any, Any, Any, Any]


def load_graph(spec: str) -> Graph:
    """Import a graph.

    Parameters
    ----------
    spec
        ``module:graph`` or ``path/to/file.py:graph``; the attribute may have dots. It may be a
        compiled graph, a builder, or a function without arguments that returns one of them.

    Returns
    -------
    Graph
        The compiled graph.

    Raises
    ------
    CommandError
        If there is no such module or attribute, or if it is no graph.
    """
    where, _, attribute = spec.rpartition(":")
    if not where or not attribute:
        raise CommandError(f"expected module:graph or path/to/file.py:graph, not {spec!r}")
    module = _load_file(where) if where.endswith(".py") else _load_module(where)
    found: Any = module
    for name in attribute.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise CommandError(
                f"{where} has no attribute {attribute!r}{_instead(module, attribute)}"
            ) from None
    return _as_graph(found, spec)


def _load_module(name: str) -> ModuleType:
    _add_to_path(os.getcwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise CommandError(f"there is no module {name!r}") from None
        raise CommandError(_failed(name, error)) from error
    except (Exception, SystemExit) as error:
        raise CommandError(_failed(name, error)) from error


def _load_file(path: str) -> ModuleType:
    if not os.path.isfile(path):
        raise CommandError(f"there is no file {path!r}")
    # Under the name and from the directory with which the program itself would import it.
    _add_to_path(os.path.dirname(os.path.abspath(path)))
    name = Path(path).stem
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise CommandError(_failed(path, error)) from error
    return module


def _add_to_path(directory: str) -> None:
    if directory not in sys.path:
        sys.path.insert(0, directory)


def _failed(what: str, error: BaseException) -> str:
    return f"importing {what} failed: {described(error)}"


def described(error: BaseException) -> str:
    """Say on one line what an error is, at most some hundred characters of it."""
    text = one_line(error)
    if len(text) > 300:
        text = f"{text[:300]}..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _instead(module: ModuleType, attribute: str) -> str:
    graphs = [name for name, value in vars(module).items() if isinstance(value, Pregel)]
    close = difflib.get_close_matches(attribute, [*vars(module)], n=1)
    if graphs:
        return f"; its graphs: {', '.join(graphs)}"
    return f"; did you mean {close[0]!r}?" if close else ""


def _as_graph(found: Any, spec: str) -> Graph:
    if inspect.isroutine(found):
        if needed := _needed(found):
            raise CommandError(
                f"{spec} is a function of {needed}, not a compiled graph, nor a function without "
                "arguments that returns one"
            )
        try:
            found = found()
        except Exception as error:
            raise CommandError(f"{spec}() failed: {described(error)}") from error
        if inspect.iscoroutine(found):
            found.close()
            raise CommandError(f"{spec} is an async function, not a compiled graph")
    if isinstance(found, StateGraph):
        try:
            found = found.compile()
        except Exception as error:
            raise CommandError(f"compiling {spec} failed: {described(error)}") from error
    if not isinstance(found, Pregel):
        raise CommandError(f"{spec} is of type {type(found).__name__}, not a compiled graph")
    return found


def _needed(function: Callable[..., Any]) -> str:
    """Name the arguments without which a function cannot be called."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # of some in C nothing is known
        return ""
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return ", ".join(
        each.name
        for each in parameters
        if each.default is inspect.Parameter.empty and each.kind not in several
    )


def read_input(path: str | None) -> str:
    """Read the input, as JSON text that has been parsed once.

    Raises
    ------
    CommandError
        If there is no such file, or no JSON in it.
    """
    if path is None:
        return "{}"
    text = _read(path)
    _parsed(path, text)
    return text


def read_config(path: str | None) -> dict[str, Any]:
    """Read the config.

    Raises
    ------
    CommandError
        If there is no such file, no JSON in it, or no object in the JSON.
    """
    if path is None:
        return {}
    config = _parsed(path, _read(path))
    if not isinstance(config, dict) or not isinstance(config.get("configurable", {}), dict):
        raise CommandError(
            f"{path} is not a config: an object, also in 'configurable', is expected"
        )
    return config


def _read(path: str) -> str:
    try:
        if path == "-":
            return sys.stdin.read()
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is not UTF-8: {error.reason}") from None


def _parsed(path: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{path} is not JSON: {error}") from None
