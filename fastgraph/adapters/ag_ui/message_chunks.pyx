"""The chunks of text that a model streams, as LangChain's messages hold them.

Domain: exactly `AIMessageChunk`, of text, without tool calls, usage or fields beyond its own, its
metadata scalars. What Pydantic dumps such a chunk as is what it holds. That is tried with a chunk
of each sort when the class is first met, and again when anything was set on it or on its bases.
"""

from cpython.dict cimport PyDict_Next
from cpython.object cimport PyObject

from langchain_core.messages import AIMessageChunk as _AIMessageChunk
from pydantic import BaseModel as _BaseModel

cdef extern from *:
    """
    #define fastgraph_type_version(type) (((PyTypeObject *)(type))->tp_version_tag)
    """
    unsigned int type_version "fastgraph_type_version"(object) noexcept

cdef extern from "Python.h":
    object PyObject_GenericGetDict(object, void*)
    object PyObject_GenericGetAttr(object, object)
    PyObject* PyDict_GetItemWithError(object mapping, object key) except? NULL

cdef object AIMessageChunk = _AIMessageChunk
cdef object model_dump = _BaseModel.model_dump
cdef unsigned int known_version = 0
cdef bint known_plain = False

cdef dict NOTHING = {
    "content": "", "additional_kwargs": {}, "response_metadata": {}, "type": "AIMessageChunk",
    "name": None, "id": None, "tool_calls": [], "invalid_tool_calls": [], "usage_metadata": None,
    "tool_call_chunks": [], "chunk_position": None,
}
cdef tuple TRIED = (
    {},
    {"content": "text", "name": "name", "id": "id", "chunk_position": "last"},
    {
        "additional_kwargs": {"a": 1, "b": None, "c": "c", "d": True, "e": 0.5},
        "response_metadata": {"f": "f", "g": 2, "h": False, "i": 1e300},
    },
)


cdef enum:
    TEXT = 1
    TEXT_OR_NONE
    KIND
    LAST
    EMPTY
    SCALARS
    NONE

cdef dict FIELDS = {
    "content": TEXT, "additional_kwargs": SCALARS, "response_metadata": SCALARS, "type": KIND,
    "name": TEXT_OR_NONE, "id": TEXT_OR_NONE, "tool_calls": EMPTY, "invalid_tool_calls": EMPTY,
    "usage_metadata": NONE, "tool_call_chunks": EMPTY, "chunk_position": LAST,
}


cdef bint is_as_it_holds() except -1:
    """Whether the class dumps what its chunks hold, and has no say in how they are looked at."""
    for name in ("__dataclass_fields__", "__bool__", "__len__"):
        if hasattr(AIMessageChunk, name):
            return False
    if AIMessageChunk.model_dump is not model_dump:
        return False
    if AIMessageChunk.__getattribute__ is not object.__getattribute__:
        return False
    if set(AIMessageChunk.model_fields) != FIELDS.keys():
        return False
    for changes in TRIED:
        held = NOTHING | changes
        chunk = AIMessageChunk.model_construct(**held)
        try:
            dumped = AIMessageChunk.__pydantic_serializer__.to_python(chunk, warnings="error")
        except Exception:
            return False
        if list(dumped.items()) != list(chunk.__dict__.items()) or dumped != held:
            return False
    return True


cdef bint is_known() except -1:
    """Whether the class is as it was when its chunks were tried."""
    global known_version, known_plain
    if known_version == 0 or type_version(AIMessageChunk) != known_version:
        known_version = 0
        known_plain = is_as_it_holds()
        known_version = type_version(AIMessageChunk)
    return known_plain


cdef bint is_scalars(object value) noexcept:
    cdef Py_ssize_t position = 0
    cdef PyObject* key
    cdef PyObject* item
    if type(value) is not dict:
        return False
    while PyDict_Next(value, &position, &key, &item):
        kind = type(<object>item)
        if type(<object>key) is not str:
            return False
        if not (
            kind is str or kind is int or kind is bool or kind is float or <object>item is None
        ):
            return False
    return True


cdef bint fits(int kind, object value) except -1:
    """Whether a field holds what it may."""
    if kind == TEXT:
        return type(value) is str
    if kind == TEXT_OR_NONE:
        return value is None or type(value) is str
    if kind == EMPTY:
        return type(value) is list and not (<list>value)
    if kind == SCALARS:
        return is_scalars(value)
    if kind == NONE:
        return value is None
    if kind == LAST:
        return value is None or type(value) is str and value == "last"
    return type(value) is str and value == "AIMessageChunk"


cdef dict text_chunk(object value):
    """What a chunk of text holds, by field; None outside the domain."""
    cdef Py_ssize_t position = 0
    cdef PyObject* key
    cdef PyObject* item
    cdef PyObject* kind
    if type(value) is not AIMessageChunk or not is_known():
        return None
    extra = PyObject_GenericGetAttr(value, "__pydantic_extra__")
    if extra is not None and (type(extra) is not dict or extra):
        return None
    own = PyObject_GenericGetDict(value, NULL)
    if type(own) is not dict or len(<dict>own) != len(FIELDS):
        return None
    while PyDict_Next(own, &position, &key, &item):
        if type(<object>key) is not str:
            return None
        kind = PyDict_GetItemWithError(FIELDS, <object>key)
        if kind is NULL or not fits(<object>kind, <object>item):
            return None
    return <dict>own
