"""A fingerprint of an upstream function or class, the same on every Python.

Two definitions share a fingerprint when their syntax trees are equal after
dropping what cannot change behaviour: docstrings, comments, layout and how a
string literal is spelled. Decorators, defaults and annotations count.

The tree is serialized here rather than by `ast.dump`, whose output, like the
tree's optional fields, differs between Python versions.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from typing import TypeAlias

from fastgraph.adapters.target import ABSENT

Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IGNORED_FIELDS = frozenset({"ctx", "kind", "type_comment"})
_DIGITS = 16


def fingerprint_of(module: ast.Module, qualname: str) -> str:
    """Fingerprint one definition of a parsed module.

    Parameters
    ----------
    module : ast.Module
        The module's syntax tree.
    qualname : str
        The name of a function or class, dotted for one inside a class.

    Returns
    -------
    str
        16 hexadecimal digits, or `ABSENT` if the module has no such definition.
    """
    node = find(module, qualname)
    return ABSENT if node is None else fingerprint(node)


def find(tree: ast.Module, qualname: str) -> Definition | None:
    """Find the definition a name is bound to once the module has run.

    The last definition counts, as it does for overloads. A name that any
    other statement rebinds after that has no single definition: None.
    """
    node: Definition | None = None
    body: list[ast.stmt] = tree.body
    for name in qualname.split("."):
        node = _last_definition(body, name)
        if node is None:
            return None
        body = node.body
    return node


def fingerprint(node: ast.AST) -> str:
    """Fingerprint a syntax tree: 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for piece in _serialize(node):
        digest.update(piece.encode())
    return digest.hexdigest()[:_DIGITS]


def _last_definition(body: list[ast.stmt], name: str) -> Definition | None:
    found: Definition | None = None
    for statement in body:
        if isinstance(statement, _DEFINITIONS):
            if statement.name == name:
                found = statement
        elif found is not None and _rebinds(statement, name):
            found = None
    return found


def _rebinds(statement: ast.stmt, name: str) -> bool:
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            if node.id == name and not isinstance(node.ctx, ast.Load):
                return True
        elif isinstance(node, ast.alias):
            if (node.asname or node.name) == name:
                return True
        elif isinstance(node, _DEFINITIONS) and node.name == name:
            return True
    return False


def _serialize(value: object) -> Iterator[str]:
    if isinstance(value, ast.Constant):
        # Not repr: which characters it escapes depends on the Unicode version.
        yield f"<{type(value.value).__name__} {value.value!a}>"
    elif isinstance(value, ast.AST):
        yield f"({type(value).__name__}"
        for field, content in _fields(value):
            yield f" {field}="
            yield from _serialize(content)
        yield ")"
    elif isinstance(value, list):
        yield "["
        for item in value:
            yield from _serialize(item)
            yield ","
        yield "]"
    else:
        yield ascii(value)


def _fields(node: ast.AST) -> Iterator[tuple[str, object]]:
    """Yield the fields that count, in an order no Python version decides."""
    for field in sorted(node._fields):
        content = getattr(node, field, None)
        if field == "body" and isinstance(node, _DEFINITIONS):
            content = _without_docstring(node.body)
        elif field == "values" and isinstance(node, ast.JoinedStr):
            content = _joined(node)
        elif field == "format_spec" and isinstance(content, ast.JoinedStr) and not _joined(content):
            content = None
        # Newer Pythons add fields, empty where the syntax is not used.
        if field not in _IGNORED_FIELDS and content is not None and content != []:
            yield field, content


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        return body[1:]
    return body


def _joined(node: ast.JoinedStr) -> list[ast.expr]:
    """Return the parts of an f-string with its literal text in one piece each.

    Parsers disagree on where the text between two fields is split, and on
    whether an empty piece is there.
    """
    parts: list[ast.expr] = []
    text = ""
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value)
            continue
        if text:
            parts.append(ast.Constant(text))
            text = ""
        parts.append(part)
    return [*parts, ast.Constant(text)] if text else parts
