"""Looking at the modules upstream left in this process."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import CellType, FunctionType, ModuleType


class StaysStock(Exception):  # noqa: N818 - an answer, not an error
    """Why a target is not replaced, in one line."""


class NothingToReplace(StaysStock):
    """This installation does without the function, which not every one has to have."""


class Modules:
    """Modules imported ahead of a decision, with what went wrong remembered.

    Importing is kept apart from deciding because it must not happen under the
    switch's lock: another thread may hold an import lock and wait for ours.

    Parameters
    ----------
    optional : iterable of str
        Packages that the framework does without. Nobody calls what does not
        import, so there it is taken for absent.
    """

    def __init__(self, optional: Iterable[str] = ()) -> None:
        self._optional = tuple(f"{package}." for package in optional)
        self._found: dict[str, ModuleType | None] = {}
        self._failures: dict[str, str] = {}

    def load(self, names: Iterable[str]) -> None:
        """Import modules; none of the failures is raised here."""
        for name in names:
            if name not in self._found:
                self._found[name] = self._import(name)

    def has(self, name: str) -> bool:
        """Tell whether a module was imported."""
        return self._found.get(name) is not None

    def get(self, name: str) -> ModuleType | None:
        """Return a loaded module, None if the installation has no such module.

        Raises
        ------
        StaysStock
            If it exists and does not import.
        """
        if name in self._failures and not self._is_optional(name):
            raise StaysStock(self._failures[name])
        return self._found.get(name)

    def why_left_out(self, name: str) -> str | None:
        """Say why a module of an optional package is not there, None if it is or has to be."""
        if self.has(name) or not self._is_optional(name):
            return None
        return self._failures.get(name, f"{name} is not installed")

    def _is_optional(self, name: str) -> bool:
        return f"{name}.".startswith(self._optional)

    def _import(self, name: str) -> ModuleType | None:
        try:
            return importlib.import_module(name)
        except Exception as error:
            if not _is_absence(error, name):
                self._failures[name] = f"{name} does not import ({one_line(error)})"
            return None


def _is_absence(error: Exception, name: str) -> bool:
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return False
    return f"{name}.".startswith(f"{error.name}.")


def one_line(error: Exception) -> str:
    """Describe an exception by its type and the first line it says."""
    first, *_ = [*str(error).splitlines(), ""]
    return f"{type(error).__name__}: {first}"


@dataclass(frozen=True)
class Place:
    """Where an attribute was found.

    Attributes
    ----------
    owner : object
        The module or class that was asked.
    name : str
        The last part of the attribute.
    held : object
        What is stored there, a staticmethod or classmethod not unwrapped.
    own : bool
        Whether the owner itself stores it, rather than inheriting it.
    """

    owner: object
    name: str
    held: object
    own: bool

    @property
    def function(self) -> object:
        """What is called in the end."""
        return function_of(self.held)

    @property
    def holder(self) -> str:
        """The name of what is called, for a human."""
        return name_of(self.function)


def look(module: ModuleType | None, attribute: str) -> Place | None:
    """Find a possibly dotted attribute without triggering descriptors."""
    owner: object = module
    *path, name = attribute.split(".")
    for step in path:
        owner = getattr(owner, step, None)
    for index, holder in enumerate(_holders(owner)):
        if name in holder.__dict__:
            return Place(owner, name, holder.__dict__[name], own=index == 0)
    if isinstance(owner, ModuleType) and hasattr(owner, name):  # a module's __getattr__
        return Place(owner, name, getattr(owner, name), own=False)
    return None


def _holders(owner: object) -> tuple[ModuleType | type, ...]:
    if isinstance(owner, type):
        return owner.__mro__
    return (owner,) if isinstance(owner, ModuleType) else ()


def function_of(held: object) -> object:
    """Unwrap a staticmethod or classmethod."""
    return held.__func__ if isinstance(held, (staticmethod, classmethod)) else held


def dressed_like(held: object, function: object) -> object:
    """Wrap a function the way the object it replaces was wrapped."""
    if isinstance(held, staticmethod):
        return staticmethod(function)  # type: ignore[arg-type]
    if isinstance(held, classmethod):
        return classmethod(function)  # type: ignore[arg-type]
    return function


def is_upstreams(thing: object, module: ModuleType, qualname: str) -> bool:
    """Tell whether this is the plain function that module's file defines."""
    return (
        isinstance(thing, FunctionType)
        and thing.__qualname__ == qualname
        and _is_from(thing, module)
    )


def name_of(thing: object) -> str:
    """Name an object for a human, as truthfully as possible.

    A wrapper made by `functools.wraps` borrows the name of what it wraps, so
    for functions the code is asked instead.
    """
    if isinstance(thing, FunctionType):
        code = thing.__code__
        return f"{thing.__globals__.get('__name__')}.{getattr(code, 'co_qualname', code.co_name)}"
    qualname = getattr(thing, "__qualname__", None)
    if isinstance(qualname, str):
        return f"{getattr(thing, '__module__', None)}.{qualname}"
    return f"an instance of {type(thing).__module__}.{type(thing).__qualname__}"


def source_intruder(
    module: ModuleType, qualname: str, is_ours: Callable[[object], bool]
) -> str | None:
    """Name whoever replaced a function, a class or one of its methods; None if nobody did."""
    place = look(module, qualname)
    if place is None:
        return None
    thing = unwrapped(place.held)
    if is_ours(thing):
        return None
    if isinstance(thing, type):
        if (thing.__module__, thing.__qualname__) != (module.__name__, qualname):
            return name_of(thing)
        return _method_intruder(thing, module, is_ours)
    if is_upstreams(thing, module, qualname) or _is_decorated(thing, module, qualname):
        return None
    return name_of(thing)


def _is_decorated(thing: object, module: ModuleType, qualname: str) -> bool:
    """Tell whether a decorator of the module itself was put around the function."""
    if not isinstance(thing, FunctionType) or not _is_from(thing, module):
        return False
    inner = [cell.cell_contents for cell in thing.__closure__ or () if cell != CellType()]
    return any(is_upstreams(function, module, qualname) for function in inner)


def _method_intruder(
    cls: type, module: ModuleType, is_ours: Callable[[object], bool]
) -> str | None:
    for held in vars(cls).values():
        method = unwrapped(held)
        if not isinstance(method, FunctionType) or _is_from(method, module):
            continue
        if not (_is_generated(method, module) or is_ours(method)):
            return name_of(method)
    return None


def unwrapped(held: object) -> object:
    """Unwrap what the standard library's decorators put around a function."""
    thing = held.fget if isinstance(held, property) else function_of(held)
    while hasattr(thing, "__wrapped__") and _is_stdlib(_module_name(thing)):
        thing = thing.__wrapped__
    return thing


def _is_from(function: FunctionType, module: ModuleType) -> bool:
    file, filename = module.__file__, function.__code__.co_filename
    if file is None:
        return False
    return filename == file or os.path.realpath(filename) == os.path.realpath(file)


def _is_generated(method: FunctionType, module: ModuleType) -> bool:
    """Tell whether a class statement grew this method by itself, as a dataclass does."""
    name = _module_name(method)
    if name == module.__name__:
        return method.__code__.co_filename.startswith("<")
    return name.startswith("namedtuple_") or _is_stdlib(name)


def _module_name(thing: object) -> str:
    if isinstance(thing, FunctionType):
        return str(thing.__globals__.get("__name__", ""))
    return type(thing).__module__


def _is_stdlib(module_name: str) -> bool:
    return module_name.partition(".")[0] in sys.stdlib_module_names
