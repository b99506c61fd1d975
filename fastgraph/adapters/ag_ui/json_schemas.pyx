"""The JSON schemas of a graph's state, made once for each class of state.

AG-UI asks a graph for the schemas of its input and output with every request, only to list their
properties; upstream has Pydantic make them anew from the annotations of the state.

Domain: states that are a `TypedDict` or a model of Pydantic, of which the schema follows from
classes alone. Each of these is looked at again at every call: annotations, what their names stand
for, and whether Pydantic has rebuilt a model. A class that has a say in its schema through code of
its own, a default that is no plain value, a field with a description in an annotation, or anything
else that cannot be told to give the same again, is left to upstream.

A state's schema lives no longer than the class: what it was made from is referred to weakly.
"""

import ast
import builtins
import dataclasses
import enum
import sys
import types
import typing
from weakref import KeyedRef, ref

from langgraph.graph import state as _state
from pydantic import BaseModel as _BaseModel
from pydantic import TypeAdapter as _TypeAdapter
from pydantic.fields import FieldInfo as _FieldInfo

from fastgraph.kernels.tally cimport Tally

cdef object BaseModel = _BaseModel
cdef object TypeAdapter = _TypeAdapter
cdef object FieldInfo = _FieldInfo
cdef object ForwardRef = typing.ForwardRef
cdef object ModelMetaclass = type(_BaseModel)
cdef object model_json_schema = _BaseModel.model_json_schema.__func__
cdef object is_typeddict = _state.is_typeddict
cdef object Enum = enum.Enum
cdef object is_dataclass = dataclasses.is_dataclass
cdef dict builtin_names = builtins.__dict__
cdef bint lazy_annotations = sys.version_info >= (3, 14)

#: Packages whose classes and functions give the same schema each time.
cdef frozenset KNOWN = frozenset(
    ("builtins", "typing", "typing_extensions", "collections", "datetime", "decimal", "uuid")
)
cdef frozenset PACKAGES = frozenset(("pydantic", "pydantic_core", "langchain_core", "langgraph"))
#: Settings of a model through which code of the user's names or extends a schema.
cdef tuple SETTINGS = (
    "json_schema_extra", "model_title_generator", "field_title_generator", "schema_generator"
)
#: What a `Field` in an annotation may say that has no warning and no code of the user's.
cdef frozenset SAYS = frozenset(("annotation", "description", "title", "discriminator"))
#: A tree of this depth is none that somebody wrote.
cdef int DEEPEST = 200

cdef object stock_schema
cdef Tally schema_tally

cdef dict schemas = {}


class CannotTell(Exception):
    """Something may give another schema the next time."""


def _forget(reference):
    schemas.pop(reference.key, None)


# What a schema was made from, in checks that are made again at each call

cdef class Model:
    """A class of Pydantic's, and that it was not rebuilt."""

    cdef object model  # a weak reference
    cdef object signature  # one to what each build makes anew
    cdef object name
    cdef object text

    cdef bint holds(self) except -1:
        model = self.model()
        return (
            model is not None
            and self.signature() is model.__dict__.get("__signature__")
            and model.__name__ is self.name
            and model.__doc__ is self.text
        )


cdef class Annotated:
    """A class with annotations, and what these are."""

    cdef object kind  # a weak reference
    cdef tuple names
    cdef tuple annotations  # weak references, or what lives for ever
    cdef object name
    cdef object text

    cdef bint holds(self) except -1:
        cdef Py_ssize_t index = 0
        kind = self.kind()
        if kind is None or kind.__name__ is not self.name or kind.__doc__ is not self.text:
            return False
        own = kind.__annotations__
        if type(own) is not dict or len(<dict>own) != len(self.names):
            return False
        for name, annotation in (<dict>own).items():
            if self.names[index] is not name or not is_still(self.annotations[index], annotation):
                return False
            index += 1
        return True


cdef class Name:
    """A name in an annotation, and what it stands for."""

    cdef str module
    cdef str name
    cdef object value

    cdef bint holds(self) except -1:
        return is_still(self.value, resolved(self.module, self.name))


cdef object held(object value):
    """A way to tell an annotation again that does not keep it alive."""
    if value is None or type(value) in (str, int, bool):
        return value
    if isinstance(value, types.UnionType):
        return (types.UnionType, *[held(argument) for argument in value.__args__])
    try:
        return ref(value)
    except TypeError:
        raise CannotTell from None


cdef bint is_still(object reference, object value) except -1:
    """Whether a value is the one that is `held`."""
    cdef Py_ssize_t index
    if type(reference) is tuple:
        if not isinstance(value, types.UnionType):
            return False
        arguments = value.__args__
        if len(arguments) != len(<tuple>reference) - 1:
            return False
        for index in range(len(arguments)):
            if not is_still((<tuple>reference)[index + 1], arguments[index]):
                return False
        return True
    if isinstance(reference, ref):
        return reference() is value
    return reference is value or (type(reference) is type(value) and reference == value)


cdef object resolved(str module, str name):
    """What a name stands for in a module; None if for nothing."""
    names = getattr(sys.modules.get(module), "__dict__", builtin_names)
    if name in names:
        return names[name]
    return builtin_names.get(name)


cdef class Grounds:
    """Everything that a schema was made from."""

    cdef list checks
    cdef set seen

    def __cinit__(self):
        self.checks = []
        self.seen = set()

    cdef bint hold(self) except -1:
        for check in self.checks:
            if type(check) is Model:
                if not (<Model>check).holds():
                    return False
            elif type(check) is Annotated:
                if not (<Annotated>check).holds():
                    return False
            elif not (<Name>check).holds():
                return False
        return True

    cdef int add_class(self, object kind) except -1:
        """A class that a schema is made from."""
        if kind in self.seen:
            return 0
        self.seen.add(kind)
        package = (kind.__module__ or "").partition(".")[0]
        if package in KNOWN or package in PACKAGES:
            return 0
        if issubclass(kind, BaseModel):
            self.add_model(kind)
        elif is_typeddict(kind) or is_dataclass(kind):
            self.add_annotated(kind)
        elif not issubclass(kind, Enum):
            raise CannotTell
        return 0

    cdef int add_model(self, object model) except -1:
        cdef Model made = Model.__new__(Model)
        if type(model) is not ModelMetaclass:
            raise CannotTell
        for setting in SETTINGS:
            if callable(model.model_config.get(setting)):
                raise CannotTell
        made.model = ref(model)
        made.signature = ref(model.__dict__["__signature__"])
        made.name, made.text = model.__name__, model.__doc__
        self.checks.append(made)
        return 0

    cdef int add_annotated(self, object kind) except -1:
        cdef Annotated made = Annotated.__new__(Annotated)
        if (
            hasattr(kind, "__get_pydantic_core_schema__")
            or hasattr(kind, "__get_pydantic_json_schema__")
            or hasattr(kind, "__pydantic_config__")
        ):
            raise CannotTell
        annotations = kind.__annotations__
        made.kind = ref(kind)
        made.name, made.text = kind.__name__, kind.__doc__
        made.names = tuple(annotations)
        made.annotations = tuple([held(annotation) for annotation in annotations.values()])
        self.checks.append(made)
        for annotation in annotations.values():
            self.add_annotation(annotation, kind.__module__, 0)
        return 0

    cdef int add_annotation(self, object annotation, str module, int depth) except -1:
        """What an annotation is made of."""
        if depth > DEEPEST:
            raise CannotTell
        if annotation is None or annotation is Ellipsis or annotation is typing.Any:
            return 0
        if isinstance(annotation, ForwardRef):
            self.add_names(
                annotation.__forward_arg__,
                getattr(annotation, "__forward_module__", None) or module,
                depth,
            )
            return 0
        if type(annotation) is str:
            self.add_names(annotation, module, depth)
            return 0
        if hasattr(annotation, "__metadata__"):
            for metadata in annotation.__metadata__:
                if not is_passive(metadata):
                    raise CannotTell
            return self.add_annotation(annotation.__origin__, module, depth + 1)
        origin = typing.get_origin(annotation)
        if origin is typing.Literal:
            return 0
        if origin is not None:
            for argument in typing.get_args(annotation):
                self.add_annotation(argument, module, depth + 1)
            if isinstance(origin, type):
                self.add_class(origin)
            return 0
        if isinstance(annotation, type):
            self.add_class(annotation)
        elif type(annotation).__module__ not in ("typing", "typing_extensions"):
            raise CannotTell
        return 0

    cdef int add_names(self, str text, object module, int depth) except -1:
        """The names in an annotation that is text, and what they stand for."""
        cdef Name made
        if type(module) is not str:
            module = getattr(module, "__name__", "")
        try:
            tree = ast.parse(text, mode="eval")
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            raise CannotTell from None
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                raise CannotTell
            if not isinstance(node, ast.Name):
                continue
            value = resolved(module, node.id)
            if value is None:
                raise CannotTell
            made = Name.__new__(Name)
            made.module, made.name = module, node.id
            if isinstance(value, types.FunctionType):
                made.value = ref(value)
            else:
                made.value = held(value)
                if not isinstance(value, type) or not issubclass(value, typing.Generic):
                    self.add_annotation(value, module, depth + 1)
            self.checks.append(made)
        return 0

    cdef int add_core(self, object core, int depth) except -1:
        """What Pydantic's own schema of a class is made of."""
        if depth > DEEPEST:
            raise CannotTell
        if type(core) is dict:
            if "default" in core and not is_plain(core["default"]):
                raise CannotTell
            for key, value in (<dict>core).items():
                if key == "cls" and isinstance(value, type):
                    self.add_class(value)
                elif key == "metadata":
                    self.add_metadata(value)
                elif key != "default":
                    self.add_core(value, depth + 1)
        elif type(core) is list or type(core) is tuple:
            for value in core:
                self.add_core(value, depth + 1)
        return 0

    cdef int add_metadata(self, object metadata) except -1:
        """What changes the JSON schema of a part: functions of Pydantic's and of LangChain's."""
        if type(metadata) is not dict:
            return 0
        for value in (<dict>metadata).values():
            for hook in (value if type(value) is list else [value]):
                if callable(hook):
                    function = getattr(hook, "__func__", getattr(hook, "func", hook))
                    function = getattr(function, "__func__", function)
                    package = (getattr(function, "__module__", None) or "").partition(".")[0]
                    if package not in PACKAGES:
                        raise CannotTell
        return 0


cdef bint is_passive(object metadata) except -1:
    """Whether what an annotation carries says the same each time, and warns of nothing."""
    if isinstance(metadata, FieldInfo):
        return SAYS.issuperset(metadata._attributes_set)
    if type(metadata).__module__.partition(".")[0] in PACKAGES:
        return True
    return not (
        hasattr(metadata, "__get_pydantic_core_schema__")
        or hasattr(metadata, "__get_pydantic_json_schema__")
    )


cdef bint is_plain(object value) except -1:
    """Whether a default is the same for ever, and JSON."""
    if value is None or type(value) in (bool, int, float, str):
        return True
    return type(value) in (tuple, list, dict) and not value


# The schemas

cdef class Schema:
    cdef object kind  # a weak reference
    cdef Grounds grounds  # None: upstream is always asked
    cdef dict schema


cdef object copied(object value):
    if type(value) is dict:
        return {key: copied(item) for key, item in (<dict>value).items()}
    if type(value) is list:
        return [copied(item) for item in <list>value]
    return value


cdef bint is_tree(object value, set seen) except -1:
    """Whether a JSON value has no part twice, and nothing but plain parts."""
    cdef object key
    if type(value) is dict or type(value) is list:
        key = id(value)
        if key in seen:
            return False
        seen.add(key)
        for item in ((<dict>value).values() if type(value) is dict else value):
            if not is_tree(item, seen):
                return False
        return True
    return value is None or type(value) in (bool, int, float, str)


cdef Grounds grounds_of(object kind):
    """What the schema of a state is made from; None outside the domain."""
    cdef Grounds grounds = Grounds()
    try:
        if issubclass(kind, BaseModel):
            if getattr(kind.model_json_schema, "__func__", None) is not model_json_schema:
                return None
        grounds.add_class(kind)
        adapter = kind if issubclass(kind, BaseModel) else TypeAdapter(kind)
        grounds.add_core(
            adapter.__pydantic_core_schema__ if adapter is kind else adapter.core_schema, 0
        )
    except CannotTell:
        return None
    grounds.seen.clear()
    return grounds


cdef dict known_schema(object kind):
    """The schema of a state that is as it was; None if it is not known."""
    cdef Schema known = <Schema>schemas.get(id(kind))
    if known is None or known.grounds is None or known.kind() is not kind:
        return None
    if not known.grounds.hold():
        return None
    return known.schema


cdef int remember(object kind, object schema) except -1:
    """Keep the schema of a state if it can be told to be made the same again."""
    cdef Schema made = <Schema>schemas.get(id(kind))
    cdef Grounds grounds = None
    if made is not None and made.kind() is kind and made.grounds is None:
        return 0  # refused before
    if type(schema) is dict and is_tree(schema, set()):
        grounds = grounds_of(kind)
    made = Schema.__new__(Schema)
    made.kind = KeyedRef(kind, _forget, id(kind))
    made.grounds = grounds
    made.schema = copied(schema) if grounds is not None else None
    schemas[id(kind)] = made
    return 0


def _get_json_schema(typ, schemas, channels, name):
    """The JSON schema of a graph's state.

    Replaces `langgraph.graph.state._get_json_schema`.
    """
    schema_tally.calls += 1
    if lazy_annotations or not isinstance(typ, type):
        schema_tally.fell_back("no class")
        return stock_schema(typ, schemas, channels, name)
    known = known_schema(typ)
    if known is not None:
        return copied(known)
    schema = stock_schema(typ, schemas, channels, name)
    if issubclass(typ, BaseModel) or is_typeddict(typ):
        remember(typ, schema)
    schema_tally.fell_back("not known, or not by its classes alone")
    return schema


def make_get_json_schema(original, Tally tally not None, str variant):
    global stock_schema, schema_tally
    stock_schema, schema_tally = original, tally
    return _get_json_schema
