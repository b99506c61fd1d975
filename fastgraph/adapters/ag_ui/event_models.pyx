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

from fastgraph.kernels.json_writer cimport put_json, put_json_text
from fastgraph.kernels.msgpack_writer cimport Writer, put_byte, put_raw
from fastgraph.kernels.tally cimport Tally

cdef extern from "Python.h":
    str PyUnicode_DecodeUTF8(const char* text, Py_ssize_t size, const char* errors)
    PyObject* PyDict_GetItemWithError(object mapping, object key) except? NULL

cdef object EventType = _events.EventType
cdef object BaseEvent = _events.BaseEvent
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
