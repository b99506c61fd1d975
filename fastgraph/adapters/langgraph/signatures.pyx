"""What LangChain asks of the same functions at every call: parameters, the one for the config.

Upstream inspects a tool's functions and a model's `_generate` anew each time they are called, and
resolves all their annotations. Here it is done once for a function, and again when something that
the answer was made from is not the same object any more: code, defaults, annotations, and the
globals that annotations name.

Domain: plain functions and methods that wrap nothing and declare no signature, annotations that
can be told to resolve to the same again; models of Pydantic 2 of which no field has a type
variable. On Python 3.14 and later, whose annotations are made when they are asked for, upstream's
own functions answer.
"""

import ast
import builtins
import sys
import typing
from types import FunctionType, MethodType
from weakref import KeyedRef

from langchain_core.runnables import RunnableConfig as _RunnableConfig
from langchain_core.tools import base as _base
from langchain_core.utils.pydantic import get_fields as _get_fields
from pydantic import BaseModel as _BaseModel

from fastgraph.kernels.tally cimport Tally

cdef object RunnableConfig = _RunnableConfig
cdef object BaseModel = _BaseModel
cdef object get_fields = _get_fields
cdef object ForwardRef = typing.ForwardRef
cdef object is_generic = typing.get_origin
cdef object Literal = typing.Literal
cdef object TypeVar = typing.TypeVar
cdef dict builtin_names = builtins.__dict__
cdef object ModelMetaclass = type(_BaseModel)
cdef bint lazy_annotations = sys.version_info >= (3, 14)
#: Of a function's own attributes, those that make `inspect` look elsewhere.
cdef tuple ELSEWHERE = ("__signature__", "__wrapped__", "_partialmethod", "__partialmethod__")

cdef object stock_parameters
cdef object stock_config_param
cdef object stock_annotations
cdef Tally parameters_tally
cdef Tally config_param_tally
cdef Tally annotations_tally

cdef dict functions = {}
cdef dict models = {}


#: So many functions and models are known at most: what they refer to may refer back to them.
cdef Py_ssize_t MANY = 1000


def _forget_function(reference):
    functions.pop(reference.key, None)


def _forget_model(reference):
    models.pop(reference.key, None)


cdef tuple flat(object mapping):
    """The keys and values of a dict, in its order."""
    cdef list items = []
    if mapping is not None:
        for key, value in (<dict>mapping).items():
            items.append(key)
            items.append(value)
    return tuple(items)


cdef bint is_same(object mapping, tuple items) except -1:
    """Whether a dict has the very items that `flat` made of it, in their order."""
    cdef Py_ssize_t index = 0
    if mapping is None:
        return not items
    if 2 * len(<dict>mapping) != len(items):
        return False
    for key, value in (<dict>mapping).items():
        if items[index] is not key or items[index + 1] is not value:
            return False
        index += 2
    return True


# Annotations that resolve to the same as long as the names in them do

cdef bint is_settled(object annotation, Py_ssize_t depth) except -1:
    """Whether an annotation that is no string has nothing in it that is resolved by name."""
    if depth > 20 or isinstance(annotation, (str, ForwardRef)):
        return False
    if annotation is None or annotation is Ellipsis:
        return True
    if is_generic(annotation) is Literal:
        return True
    arguments = getattr(annotation, "__args__", None)
    if type(arguments) is tuple:
        for argument in arguments:
            if not is_settled(argument, depth + 1):
                return False
        return True
    return isinstance(annotation, (type, TypeVar)) or type(annotation).__module__ == "typing"


cdef object resolved(object function, str name):
    """What a name in an annotation of the function stands for; itself if for nothing."""
    cdef dict names = function.__globals__
    if name in names:
        return names[name]
    return builtin_names.get(name, name)


cdef list names_in(str annotation):
    """The names in an expression of names, subscripts and alternatives; None if it is another."""
    cdef list names = []
    try:
        tree = ast.parse(annotation, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names.append(node.id)
        elif isinstance(node, ast.Constant):
            if node.value is not None and node.value is not Ellipsis:
                return None
        elif not isinstance(
            node,
            (ast.Expression, ast.Subscript, ast.BinOp, ast.BitOr, ast.Tuple, ast.List, ast.Load),
        ):
            return None
    return names


cdef tuple settling(object function, tuple annotations):
    """Names and what they stand for, on which the hints rest; None if that cannot be told."""
    cdef list found = []
    cdef Py_ssize_t index
    for index in range(1, len(annotations), 2):
        annotation = annotations[index]
        if type(annotation) is not str:
            if not is_settled(annotation, 0):
                return None
            continue
        names = names_in(annotation)
        if names is None:
            return None
        for name in names:
            value = resolved(function, name)
            if not is_settled(value, 0):
                return None
            found.append(name)
            found.append(value)
    return tuple(found)


# Functions

cdef class Facts:
    """What was found of a function, and what it was found from."""

    cdef object function  # a weak reference
    cdef object code
    cdef object defaults
    cdef tuple keyword_defaults
    cdef tuple annotations
    cdef object parameters
    cdef object bound_parameters
    cdef tuple names
    cdef bint has_config_param
    cdef object config_param

    cdef bint hold(self, object function) except -1:
        """Whether the function is as it was."""
        return (
            function.__code__ is self.code
            and function.__defaults__ is self.defaults
            and is_same(function.__kwdefaults__, self.keyword_defaults)
            and is_same(function.__annotations__, self.annotations)
        )

    cdef bint names_hold(self, object function) except -1:
        """Whether the names in its annotations stand for what they stood for."""
        cdef Py_ssize_t index
        for index in range(0, len(self.names), 2):
            if resolved(function, self.names[index]) is not self.names[index + 1]:
                return False
        return True


cdef bint is_plain(object function) except -1:
    """Whether the signature of a function is made from the function alone."""
    if type(function) is not FunctionType:
        return False
    own = function.__dict__
    if own:
        for name in ELSEWHERE:
            if name in own:
                return False
    return True


cdef Facts facts_of(object function):
    """The facts of a plain function, made anew if it is not as it was."""
    cdef object key = id(function)
    cdef Facts facts = <Facts>functions.get(key)
    if facts is not None and facts.function() is function and facts.hold(function):
        return facts
    facts = Facts.__new__(Facts)
    facts.code = function.__code__
    facts.defaults = function.__defaults__
    facts.keyword_defaults = flat(function.__kwdefaults__)
    facts.annotations = flat(function.__annotations__)
    facts.function = KeyedRef(function, _forget_function, key)
    if len(functions) >= MANY:
        functions.clear()
    functions[key] = facts
    return facts


cdef object parameters_of(object callable):
    """`_signature_parameters(callable)`; None outside the domain."""
    cdef Facts facts
    if lazy_annotations:
        return None
    if type(callable) is MethodType:
        function = callable.__func__
        if not is_plain(function):
            return None
        facts = facts_of(function)
        if facts.bound_parameters is None:
            facts.bound_parameters = stock_parameters(callable)
        return facts.bound_parameters
    if not is_plain(callable):
        return None
    facts = facts_of(callable)
    if facts.parameters is None:
        facts.parameters = stock_parameters(callable)
    return facts.parameters


def _signature_parameters(obj):
    """The parameters of a callable, by name.

    Replaces `langchain_core.utils._signature._signature_parameters`.
    """
    parameters_tally.calls += 1
    parameters = parameters_of(obj)
    if parameters is None:
        parameters_tally.fell_back("no plain function or method")
        return stock_parameters(obj)
    return parameters


def make_signature_parameters(original, Tally tally not None, str variant):
    global stock_parameters, parameters_tally
    stock_parameters, parameters_tally = original, tally
    return _signature_parameters


cdef Facts settled_facts(object function):
    """The facts of a function whose parameter for the config is known to be the same."""
    cdef Facts facts = facts_of(function)
    if facts.has_config_param and facts.names_hold(function):
        return facts
    facts.has_config_param = False
    facts.names = settling(function, facts.annotations)
    if facts.names is None or _base._get_type_hints(function) is None:
        return None  # upstream says so in the log, each time
    facts.config_param = stock_config_param(function)
    facts.has_config_param = True
    return facts


def _get_runnable_config_param(func):
    """The name of the parameter for the config, None if there is none.

    Replaces `langchain_core.tools.base._get_runnable_config_param`.
    """
    cdef Facts facts = None
    config_param_tally.calls += 1
    function = func.__func__ if type(func) is MethodType else func
    if not lazy_annotations and is_plain(function):
        facts = settled_facts(function)
    if facts is None:
        config_param_tally.fell_back("no plain function, or annotations that may change")
        return stock_config_param(func)
    return facts.config_param


def make_get_runnable_config_param(original, Tally tally not None, str variant):
    global stock_config_param, config_param_tally
    stock_config_param, config_param_tally = original, tally
    return _get_runnable_config_param


# Models

cdef class ModelFacts:
    """The annotations of a model's fields, and what they were found from."""

    cdef object model  # a weak reference
    cdef object signature
    cdef object fields
    cdef tuple aliases
    cdef dict annotations

    cdef bint hold(self, object model, object fields) except -1:
        cdef Py_ssize_t index = 0
        if (
            self.fields is not fields
            or model.__signature__ is not self.signature
            or 3 * len(<dict>fields) != len(self.aliases)
        ):
            return False
        for name, field in (<dict>fields).items():
            if (
                self.aliases[index] is not name
                or self.aliases[index + 1] is not field
                or self.aliases[index + 2] is not field.alias
            ):
                return False
            index += 3
        return True


cdef bint has_type_vars(object annotation, Py_ssize_t depth) except -1:
    if depth > 20 or isinstance(annotation, TypeVar):
        return True
    arguments = getattr(annotation, "__args__", None)
    if type(arguments) is tuple:
        for argument in arguments:
            if has_type_vars(argument, depth + 1):
                return True
    return False


cdef ModelFacts model_facts_of(object model):
    """The facts of a model, made anew if it is not as it was; None outside the domain."""
    cdef object key = id(model)
    cdef ModelFacts facts = <ModelFacts>models.get(key)
    cdef list aliases = []
    fields = get_fields(model)
    if type(fields) is not dict or getattr(model, "__signature__", None) is None:
        return None  # not complete yet
    if facts is not None and facts.model() is model and facts.hold(model, fields):
        return facts
    annotations = stock_annotations(model)
    for annotation in annotations.values():
        if has_type_vars(annotation, 0):
            return None
    facts = ModelFacts.__new__(ModelFacts)
    facts.signature = model.__signature__
    facts.fields = fields
    for name, field in fields.items():
        aliases.append(name)
        aliases.append(field)
        aliases.append(field.alias)
    facts.aliases = tuple(aliases)
    facts.annotations = annotations
    facts.model = KeyedRef(model, _forget_model, key)
    if len(models) >= MANY:
        models.clear()
    models[key] = facts
    return facts


def get_all_basemodel_annotations(cls, *, default_to_bound=True):
    """The annotations of a model's fields.

    Replaces `langchain_core.tools.base.get_all_basemodel_annotations`.
    """
    cdef ModelFacts facts = None
    annotations_tally.calls += 1
    if (
        default_to_bound
        and not lazy_annotations
        and type(cls) is ModelMetaclass
        and issubclass(cls, BaseModel)
    ):
        facts = model_facts_of(cls)
    if facts is None:
        annotations_tally.fell_back("no model of Pydantic 2, or one with type variables")
        return stock_annotations(cls, default_to_bound=default_to_bound)
    return facts.annotations.copy()


def make_get_all_basemodel_annotations(original, Tally tally not None, str variant):
    global stock_annotations, annotations_tally
    stock_annotations, annotations_tally = original, tally
    return get_all_basemodel_annotations
