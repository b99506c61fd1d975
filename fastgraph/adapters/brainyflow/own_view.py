"""Whether a method can see more of a node's graph than the node's own attributes.

A node that is copied by itself differs from one in a clone of the whole graph in its `successors`
alone. A method cannot tell if it does nothing with `self` but load, store and delete attributes by
name, none of which leads to `successors` or to `self`, and calls methods of which the same is true.

This reads byte code, of which each Python has its own. What is not known is taken for a look
around: then the node is run in a clone of its graph, as upstream does it.
"""

from __future__ import annotations

import dis
import inspect
import sys
from collections.abc import Iterator
from types import CodeType, FunctionType

#: The Python whose byte code this reads, the only one that BrainyFlow's releases run on so far.
KNOWN_PYTHON: tuple[int, int] = (3, 13)
#: What gives a method its frame's variables, by the name of a global or of an attribute.
_FRAMES = frozenset({"locals", "vars", "eval", "_getframe", "currentframe"})
_LOADS = frozenset({"LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW"})
_ATTRIBUTES = frozenset({"LOAD_ATTR", "STORE_ATTR", "DELETE_ATTR"})
_MISSING = object()


class LooksAroundError(Exception):
    """A method may see more than its own node."""


def relied_on(cls: type, methods: tuple[str, ...]) -> dict[str, object]:
    """Check methods of a class, with all that they call on `self`.

    Parameters
    ----------
    cls : type
        The class of the node.
    methods : tuple of str
        The methods to begin with.

    Returns
    -------
    dict of str to object
        What each name that they use on `self` is on the class, None if nothing.

    Raises
    ------
    LooksAroundError
        If a method is not known to keep to its own node.
    """
    if sys.version_info[:2] != KNOWN_PYTHON:
        raise LooksAroundError("the byte code of this Python is not known")
    found: dict[str, object] = {}
    seen: set[FunctionType] = set()
    waiting = [function for name in methods for function in _functions(cls, name, found)]
    while waiting:
        function = waiting.pop()
        if function in seen:
            continue
        seen.add(function)
        for name, after, called, stored in _uses(function):
            waiting += _used(cls, name, after, called, stored, found)
    return found


def _used(
    cls: type,
    name: str,
    after: type | None,
    called: bool,
    stored: bool,
    found: dict[str, object],
) -> Iterator[FunctionType]:
    if name == "successors":
        raise LooksAroundError(name)
    if after is not None:
        function = _looked_up(cls, name, after)
        if not isinstance(function, FunctionType):
            raise LooksAroundError(f"super().{name}")
        yield function
        return
    functions = list(_functions(cls, name, found))
    # A bound method that is not called at once takes its node elsewhere.
    if functions and (stored or not called):
        raise LooksAroundError(f"self.{name}")
    yield from functions


def _functions(cls: type, name: str, found: dict[str, object]) -> Iterator[FunctionType]:
    """Give the function a name on the class is, if it is any."""
    held = _looked_up(cls, name)
    found[name] = None if held is _MISSING else held
    if isinstance(held, FunctionType):
        yield held
    elif isinstance(held, (staticmethod, classmethod)) or held is _MISSING:
        return
    elif hasattr(type(held), "__get__"):
        raise LooksAroundError(f"{name} is a descriptor")


def _looked_up(cls: type, name: str, after: type | None = None) -> object:
    mro = cls.__mro__
    for base in mro if after is None else mro[mro.index(after) + 1 :]:
        if name in vars(base):
            return vars(base)[name]
    return _MISSING


def _uses(function: FunctionType) -> Iterator[tuple[str, type | None, bool, bool]]:
    """Give the attributes of `self` that a function uses.

    Each as its name, the class after which `super()` looks for it, whether it
    is called at once and whether it is stored or deleted.
    """
    code = function.__code__
    if not code.co_argcount or _FRAMES & set(code.co_names):
        raise LooksAroundError(f"{code.co_name} has no self or looks at frames")
    if any(each.opname == "LOAD_GLOBAL" and each.argval == "exec" for each in _instructions(code)):
        raise LooksAroundError(f"{code.co_name} calls exec")
    own = code.co_varnames[0]
    if own in code.co_cellvars:
        raise LooksAroundError(f"a function in {code.co_name} keeps self")
    instructions = _instructions(code)
    for index, instruction in enumerate(instructions):
        if not _touches(instruction, own):
            continue
        if not _pushes(instruction, own):
            raise LooksAroundError(f"{instruction.opname} {own}")
        following = instructions[index + 1]
        if following.opname == "COPY" and following.arg == 1:
            # What an augmented assignment to an attribute begins with.
            following = instructions[index + 2]
            if following.opname != "LOAD_ATTR" or following.arg is None or following.arg & 1:
                raise LooksAroundError(f"{own} is copied")
        if following.opname in _ATTRIBUTES:
            stored = following.opname != "LOAD_ATTR"
            called = not stored and bool(following.arg is not None and following.arg & 1)
            yield str(following.argval), None, called, stored
        elif following.opname == "LOAD_SUPER_ATTR" and following.arg is not None:
            # Called at once, without arguments to `super` and with the one that everybody knows.
            if following.arg & 3 != 1 or "super" in function.__globals__:
                raise LooksAroundError(f"super().{following.argval}")
            yield str(following.argval), _class_of(function), True, False
        else:
            raise LooksAroundError(f"{following.opname} of {own}")


def _instructions(code: CodeType) -> list[dis.Instruction]:
    return [each for each in dis.get_instructions(code) if each.opname != "EXTENDED_ARG"]


def _touches(instruction: dis.Instruction, own: str) -> bool:
    names = instruction.argval
    mentioned = names == own or (isinstance(names, tuple) and own in names)
    # Elsewhere the same word names an attribute or a global, or is a constant.
    return mentioned and "FAST" in instruction.opname


def _pushes(instruction: dis.Instruction, own: str) -> bool:
    """Tell whether all that an instruction does with `self` is to push it, at the end."""
    if instruction.opname in _LOADS:
        return True
    if instruction.opname in {"LOAD_FAST_LOAD_FAST", "STORE_FAST_LOAD_FAST"}:
        first, second = instruction.argval
        return bool(second == own and first != own)
    return False


def _class_of(function: FunctionType) -> type:
    code: CodeType = function.__code__
    if "__class__" in code.co_freevars and function.__closure__ is not None:
        cell = function.__closure__[code.co_freevars.index("__class__")]
        held = cell.cell_contents
        if isinstance(held, type):
            return held
    raise LooksAroundError("super() of an unknown class")


def is_async(held: object) -> bool:
    """Tell whether this is a plain async function."""
    return isinstance(held, FunctionType) and inspect.iscoroutinefunction(held)
