"""AG-UI's events as the models of Pydantic that they are, and their JSON.

Upstream writes an event through a serializer in Python that each model wraps around its own, which
makes a dict of the event, then another without what has no value, then JSON. Here the fields are
written as they stand.

Domain: exactly the event models of `ag_ui.core` with their fields alone, each of what it is
declared as: text, a whole number, one of a few texts, or anything of plain values; other fields
only where they have no value. What else there is, upstream writes, or refuses.
"""

import typing

from ag_ui.core import events as _events
from cpython.object cimport PyObject
from pydantic import BaseModel as _BaseModel

from fastgraph.kernels.json_writer cimport put_json, put_json_text
from fastgraph.kernels.msgpack_writer cimport Writer, put_byte, put_raw
from fastgraph.kernels.tally cimport Tally

cdef extern from "Python.h":
    str PyUnicode_DecodeUTF8(const char* text, Py_ssize_t size, const char* errors)
    PyObject* PyDict_GetItemWithError(object mapping, object key) except? NULL
    int PyObject_GenericSetAttr(object, object, object) except -1

cdef extern from *:
    """
    #define fastgraph_type_version(type) (((PyTypeObject *)(type))->tp_version_tag)
    """
    unsigned int type_version "fastgraph_type_version"(object) noexcept

cdef object EventType = _events.EventType
cdef object BaseEvent = _events.BaseEvent
cdef object BaseModel = _BaseModel
cdef object stock_encode
cdef Tally encode_tally

cdef enum:
    TYPE
    TEXT
    NUMBER
    CHOICE
    ANYTHING
    NOTHING

cdef dict models = {}


cdef class Field:
    """A field of an event model, and how it is written."""


cdef int kind_of(Field field, object annotation) except -1:
    """How a field declared as this is written; sets what else that takes."""
    if annotation is typing.Any:
        return ANYTHING
    if annotation is str:
        return TEXT
    if annotation is int:
        return NUMBER
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Literal:
        if len(arguments) == 1 and isinstance(arguments[0], EventType):
            field.expected = arguments[0]
            field.text = b'"%s"' % arguments[0].value.encode()
            return TYPE
        if all(type(argument) is str for argument in arguments):
            field.expected = frozenset(arguments)
            return CHOICE
    if (
        typing.get_origin(annotation) is typing.Union
        and len(arguments) == 2
        and arguments[1] is type(None)
    ):
        return kind_of(field, arguments[0])
    return NOTHING


cdef Field described(str name, object info):
    cdef Field field = Field.__new__(Field)
    field.name = name
    field.head = b'"%s":' % (info.serialization_alias or info.alias or name).encode()
    field.kind = kind_of(field, info.annotation)
    field.omitted = not info.is_required() and info.default is None
    return field


cdef list fields_of(object kind):
    """The fields of a model in their order; None if it is not one of AG-UI's event models."""
    cdef PyObject* known = PyDict_GetItemWithError(models, kind)
    if known is not NULL:
        return <object>known
    if (
        not isinstance(kind, type)
        or not issubclass(kind, BaseEvent)
        or kind is not getattr(_events, kind.__name__, None)
    ):
        return None
    models[kind] = made = [described(name, info) for name, info in kind.model_fields.items()]
    return made


cdef int set_field(object event, dict own, str name, object value) except -1:
    """`event.name = value` of a model that validates no assignment."""
    own[name] = value
    event.__pydantic_fields_set__.add(name)
    return 0


# New events

cdef class Maker:
    """Whether events of a class are made of what their fields are given, as the class was tried."""

    cdef unsigned int version
    cdef bint is_plain


cdef dict makers = {}


cdef object made(object kind, list fields, dict given):
    """`kind(**given)` of texts where texts are declared, as Pydantic makes it without a look."""
    cdef Field field
    cdef dict own = {}
    for field in fields:
        own[field.name] = given.get(field.name)
    event = kind.__new__(kind)
    PyObject_GenericSetAttr(event, "__dict__", own)
    PyObject_GenericSetAttr(event, "__pydantic_fields_set__", set(given))
    PyObject_GenericSetAttr(event, "__pydantic_extra__", {})
    PyObject_GenericSetAttr(event, "__pydantic_private__", None)
    return event


cdef bint is_made_alike(object kind, list fields, dict given) except -1:
    """Whether an event of Pydantic's is the same as one made without it."""
    ours = made(kind, fields, given)
    theirs = kind(**given)
    for name in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__"):
        if getattr(ours, name) != getattr(theirs, name):
            return False
    return (
        list(ours.__dict__) == list(theirs.__dict__)
        and all(theirs.__dict__[name] is value for name, value in given.items())
        and theirs.__pydantic_private__ is None
        and kind.__init__ is BaseModel.__init__
        and kind.__new__ is object.__new__
        and kind.__setattr__ is BaseModel.__setattr__
        and kind.__pydantic_post_init__ is None
        and not kind.__private_attributes__
    )


cdef object new_event(object kind, dict given):
    """`kind(**given)` of one of AG-UI's event models; None outside the domain.

    The values of fields that are declared as text are exactly that, the type is the one expected.
    """
    cdef Maker maker
    cdef list fields = fields_of(kind)
    if fields is None:
        return None
    maker = <Maker>makers.get(kind)
    if maker is None:
        makers[kind] = maker = Maker.__new__(Maker)
    if maker.version == 0 or maker.version != type_version(kind):
        try:
            maker.is_plain = is_made_alike(kind, fields, given)
        except Exception:
            return None
        maker.version = type_version(kind)
    return made(kind, fields, given) if maker.is_plain else None


# Their text

cdef bint put_value(Writer out, Field field, object value) except -1:
    """The value of a field; False outside the domain."""
    if field.kind == ANYTHING:
        return put_json(out, value, 1)
    if value is None:
        # One without a default to be left out by was set against its declaration.
        return False
    if field.kind == TYPE:
        if value is not field.expected:
            return False
        put_raw(out, <const char*>field.text, len(field.text))
        return True
    if field.kind == TEXT:
        return type(value) is str and put_json_text(out, value)
    if field.kind == CHOICE:
        return type(value) is str and value in field.expected and put_json_text(out, value)
    if field.kind == NUMBER:
        return type(value) is int and put_json(out, value, 1)
    return False


cdef bint put_event(Writer out, list fields, dict own) except -1:
    """An event by its fields; False outside the domain."""
    cdef Field field
    cdef Py_ssize_t index = 0
    cdef Py_ssize_t count = len(fields)
    cdef bint first = True
    if len(own) != count:
        return False
    put_byte(out, c"{")
    for name, value in own.items():
        field = <Field>fields[index]
        index += 1
        if name is not field.name and name != field.name:
            return False
        if value is None and field.omitted:
            continue
        if not first:
            put_byte(out, c",")
        first = False
        put_raw(out, <const char*>field.head, len(field.head))
        if not put_value(out, field, value):
            return False
    put_byte(out, c"}")
    return True


cdef str encoded(object event):
    """`EventEncoder._encode_sse(event)`; None outside the domain."""
    cdef Writer out
    cdef list fields = fields_of(type(event))
    if fields is None or event.__pydantic_extra__:
        return None
    out = Writer.__new__(Writer)
    put_raw(out, b"data: ", 6)
    if not put_event(out, fields, event.__dict__):
        return None
    put_raw(out, b"\n\n", 2)
    return PyUnicode_DecodeUTF8(<const char*>out.data, out.size, NULL)


def _encode_sse(self, event):
    """Write an event as one of server-sent events.

    Replaces `ag_ui.encoder.encoder.EventEncoder._encode_sse`.
    """
    encode_tally.calls += 1
    text = encoded(event)
    if text is None:
        encode_tally.fell_back("no plain event")
        return stock_encode(self, event)
    return text


def make_encode_sse(original, Tally tally not None, str variant):
    global stock_encode, encode_tally
    stock_encode, encode_tally = original, tally
    return _encode_sse
