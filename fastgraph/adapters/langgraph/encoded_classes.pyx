"""What upstream's encoder makes of the instances of a class, found out once.

`ormsgpack` looks at the type of a value, `_msgpack_default` at what the object has and at what it
is an instance of, in a ladder of some twenty questions. For most classes the answers are the same
for every instance; a `Kind` holds them. It stays valid as long as the version of the type object
does, which changes with whatever is set on the class or on its bases.

Domain: classes whose instances are what their class says, where a look-up finds what the class
has. A class with a `__getattr__` or `__class__` of its own, with other things than functions among
the names that upstream looks for, and a subclass of a class that upstream knows (which may answer
in ways of its own) is `STOCK`: upstream's own ladder is asked, one object at a time. So it is for
an instance that has by itself what its class has not.

Nothing here keeps a class.
"""

from cpython.object cimport PyObject, PyTypeObject

from fastgraph.adapters.langgraph.encoded_models cimport plan_of, put_string, type_version
from fastgraph.kernels.msgpack_writer cimport Writer, put_array

import dataclasses
import datetime
import decimal
import enum
import ipaddress
import pathlib
import re
import sys
import types
import uuid
import zoneinfo
from collections import deque, namedtuple

import ormsgpack
from langgraph.checkpoint.serde import jsonplus
from langgraph.checkpoint.serde.types import SendProtocol
from langgraph.store.base import Item
from langgraph.types import Send

cdef extern from "Python.h":
    PyTypeObject PyMemoryView_Type
    PyTypeObject PyByteArray_Type
    unsigned long Py_TPFLAGS_LIST_SUBCLASS
    unsigned long Py_TPFLAGS_DICT_SUBCLASS
    unsigned long Py_TPFLAGS_LONG_SUBCLASS
    unsigned long Py_TPFLAGS_UNICODE_SUBCLASS
    unsigned long Py_TPFLAGS_HEAPTYPE
    int PyType_HasFeature(PyTypeObject*, unsigned long) noexcept
    void Py_INCREF(object)
    void Py_XDECREF(PyObject*)

cdef extern from *:
    """
    static inline int fastgraph_has_plain_getattr(PyTypeObject *type)
    {
        return type->tp_getattro == PyObject_GenericGetAttr;
    }

    static inline int fastgraph_has_dict(PyTypeObject *type)
    {
    #if PY_VERSION_HEX >= 0x030B0000
        if (PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT))
            return 1;
    #endif
        return type->tp_dictoffset != 0;
    }

    static inline PyObject *fastgraph_heap_name(PyTypeObject *type)
    {
        return ((PyHeapTypeObject *)type)->ht_name;
    }
    """
    bint has_plain_getattr "fastgraph_has_plain_getattr"(PyTypeObject*) noexcept
    bint has_dict "fastgraph_has_dict"(PyTypeObject*) noexcept
    PyObject* heap_name "fastgraph_heap_name"(PyTypeObject*) noexcept

cdef enum:
    SLOTS = 512  # a power of two

#: Upstream's names for the methods that it looks for, in its order.
cdef tuple NAMES = ("model_dump", "get_secret_value", "dict", "_asdict")
cdef dict METHOD_CODES = {
    "model_dump": MODEL_2,
    "get_secret_value": SINGLE,
    "dict": MODEL_1,
    "_asdict": KEYWORDS,
}

cdef object FUNCTION = types.FunctionType
cdef object ENUM_META = enum.EnumMeta
cdef object ENUM_VALUE = enum.Enum.__dict__["value"]
cdef object UUID_ = uuid.UUID
cdef object UUID_HEX = uuid.UUID.__dict__["hex"]
cdef object DELTA_SNAPSHOT = getattr(jsonplus, "_DeltaSnapshot", None)
cdef object FRAGMENT = getattr(ormsgpack, "Fragment", None)
cdef object ASDICT_CODE = namedtuple("_", "a")._asdict.__code__
cdef object TUPLE_ITER = tuple.__iter__
cdef PyTypeObject* DATETIME_TYPE = <PyTypeObject*><PyObject*>datetime.datetime
cdef PyTypeObject* DATE_TYPE = <PyTypeObject*><PyObject*>datetime.date
cdef PyTypeObject* TIME_TYPE = <PyTypeObject*><PyObject*>datetime.time
cdef PyTypeObject* DELTA_TYPE = <PyTypeObject*><PyObject*>datetime.timedelta


cdef struct Seen:
    PyTypeObject* cls
    unsigned int version
    PyObject* kind

cdef Seen[SLOTS] seen
cdef dict kinds = {}


cdef Kind kind_of(PyTypeObject* cls):
    """What is known about a class, found out again if it changed."""
    cdef Seen* slot = &seen[(<size_t>cls >> 4 ^ <size_t>cls >> 13) & (SLOTS - 1)]
    cdef Kind kind
    if slot.cls == cls and slot.version != 0 and slot.version == type_version(cls):
        kind = <Kind>slot.kind
        if not kind.on_heap or heap_name(cls) == <PyObject*>kind.name:
            return kind
    return found_out(cls, slot)


cdef bint writes_slim = False


def write(str codec not None):
    """Write models in full (`exact`), or without what stock fills in (`slim`)."""
    global writes_slim
    if writes_slim != (codec == "slim"):
        writes_slim = codec == "slim"
        forget()


cdef Kind found_out(PyTypeObject* cls, Seen* slot):
    cdef Kind kind = kinds.get(<size_t>cls)
    if (
        kind is None
        or kind.version == 0
        or kind.version != type_version(cls)
        or kind.on_heap and heap_name(cls) != <PyObject*>kind.name
    ):
        kind = resolved(<object><PyObject*>cls)
        if len(kinds) > 4 * SLOTS:  # classes come and go
            forget()
        kinds[<size_t>cls] = kind
    held_by_slot(slot, kind)
    return kind


cdef int held_by_slot(Seen* slot, Kind kind) except -1:
    cdef PyObject* previous = slot.kind
    Py_INCREF(kind)
    slot.cls = kind.cls
    slot.version = kind.version
    slot.kind = <PyObject*>kind
    Py_XDECREF(previous)
    return 0


cpdef int forget() except -1:
    """Forget what is known about classes."""
    cdef int index
    cdef PyObject* kind
    kinds.clear()
    for index in range(SLOTS):
        kind = seen[index].kind
        seen[index].cls = NULL
        seen[index].version = 0
        seen[index].kind = NULL
        Py_XDECREF(kind)
    return 0


cdef Kind resolved(object cls):
    """Find out how upstream writes the instances of a class."""
    cdef Kind kind = Kind.__new__(Kind)
    kind.cls = <PyTypeObject*><PyObject*>cls
    kind.on_heap = PyType_HasFeature(kind.cls, Py_TPFLAGS_HEAPTYPE)
    kind.name = <str>heap_name(kind.cls) if kind.on_heap else None
    kind.header = 3
    getattr(cls, "__init_subclass__", None)  # a look-up gives the class a version
    kind.version = type_version(kind.cls)
    if not resolve_native(kind, cls):
        try:
            resolve_default(kind, cls)
        except Exception:  # a class that does not answer is upstream's to ask
            kind.way = STOCK
    if kind.version != type_version(kind.cls):
        kind.version = 0
    return kind


cdef bint resolve_native(Kind kind, object cls) except -1:
    """What `ormsgpack` writes itself, in the order in which it looks."""
    if type(cls) is ENUM_META:
        return False
    if PyType_HasFeature(kind.cls, Py_TPFLAGS_UNICODE_SUBCLASS):
        kind.way = TEXT
    elif PyType_HasFeature(kind.cls, Py_TPFLAGS_LONG_SUBCLASS):
        kind.way = INTEGER
    elif PyType_HasFeature(kind.cls, Py_TPFLAGS_LIST_SUBCLASS):
        kind.way = SEQUENCE
    elif PyType_HasFeature(kind.cls, Py_TPFLAGS_DICT_SUBCLASS):
        kind.way = MAPPING
    elif cls is ormsgpack.Ext or cls is FRAGMENT:
        kind.way = PACKED
    elif kind.cls == &PyByteArray_Type:
        kind.way = BYTEARRAY
    elif kind.cls == &PyMemoryView_Type:
        kind.way = BUFFER
    else:
        return False
    return True


def held(cls, name):
    """An attribute as a class or its bases have it in their dicts; None if none has."""
    for each in cls.__mro__:
        if name in each.__dict__:
            return each.__dict__[name]
    return None


cdef bint is_regular(object cls) except -1:
    """Whether an instance is what its class says, and a look-up finds what the class has."""
    meta = type(cls)
    return (
        not issubclass(cls, type)
        and held(cls, "__class__") is object.__dict__["__class__"]
        and (
            has_plain_getattr(<PyTypeObject*><PyObject*>cls)
            or held(cls, "__getattribute__") is object.__getattribute__
        )
        and held(meta, "__getattribute__") is type.__getattribute__
        and type(cls.__module__) is str
        and type(cls.__name__) is str
    )


cdef int resolve_default(Kind kind, object cls) except -1:
    """What `_msgpack_default` makes of it, in the order in which that looks."""
    kind.way = STOCK
    if not is_regular(cls):
        return 0
    if DELTA_SNAPSHOT is not None and issubclass(cls, DELTA_SNAPSHOT):
        if cls is DELTA_SNAPSHOT:
            kind.code, kind.way = SNAPSHOT, DELTA
        return 0
    absent = []
    for name in NAMES:
        method = held(cls, name)
        if method is not None:
            if type(method) is FUNCTION:
                resolve_method(kind, cls, name, method, absent)
            return 0
        absent.append(name)
    if not has_plain_getattr(kind.cls):
        return 0
    # Upstream asks each instance whether it is a `Send`, by what it has.
    resolve_instance(kind, cls)
    if kind.way != STOCK and has_dict(kind.cls):
        kind.absent = tuple(absent)
    return 0


cdef bytes head_of(object cls, int length):
    """The array of a body up to its payload: module, name."""
    return head_of_names(cls.__module__, cls.__name__, length)


cdef bytes head_of_names(str module, str name, int length):
    cdef Writer out = Writer()
    put_array(out, length)
    put_string(out, <PyObject*>module)
    put_string(out, <PyObject*>name)
    return out.finish()


cdef int resolve_method(Kind kind, object cls, str name, object method, list absent) except -1:
    """A class with a method that upstream calls."""
    kind.code = METHOD_CODES[name]
    kind.head = head_of(cls, 4 if name == "model_dump" else 3)
    kind.attribute = name
    kind.function = <PyObject*>method
    kind.way = METHOD
    if name == "model_dump":
        kind.plan = plan_of(cls, writes_slim)
        return 0
    if not has_plain_getattr(kind.cls):
        kind.way = STOCK
    elif has_dict(kind.cls):
        kind.absent = tuple(absent) or None
    elif name == "_asdict" and issubclass(cls, tuple) and method.__code__ is ASDICT_CODE:
        fields = held(cls, "_fields")
        if (
            type(fields) is tuple
            and all(type(field) is str for field in fields)
            and len(set(fields)) == len(fields)
            and held(cls, "__iter__") is TUPLE_ITER
        ):
            set_names(kind, fields)
            kind.way = NAMED
    return 0


cdef int set_names(Kind kind, tuple names) except -1:
    cdef Writer out = Writer()
    keys = []
    for name in names:
        name.encode()  # a name with surrogates is nobody's
        put_string(out, <PyObject*>name)
        keys.append(out.finish())
    kind.names = tuple(names)
    kind.keys = tuple(keys)
    return 0


#: What upstream writes as a single text, and as one attribute.
cdef object TEXTS = (
    ipaddress.IPv4Address,
    ipaddress.IPv4Interface,
    ipaddress.IPv4Network,
    ipaddress.IPv6Address,
    ipaddress.IPv6Interface,
    ipaddress.IPv6Network,
)


cdef int resolve_instance(Kind kind, object cls) except -1:
    """What upstream tells by `isinstance`. A subclass of what it knows is its own to write."""
    cdef int code = SINGLE
    cdef Way way = STOCK
    if issubclass(cls, pathlib.Path):
        if cls in (pathlib.PosixPath, pathlib.WindowsPath):
            way, code = ONE, POSITIONS
            kind.attribute = "parts"
    elif cls is re.Pattern:
        kind.way, kind.code, kind.attribute = ONE, POSITIONS, ""
        kind.head = head_of_names("re", "compile", 3)
        return 0
    elif issubclass(cls, uuid.UUID):
        if cls is UUID_ and held(cls, "hex") is UUID_HEX:
            way = UNIQUE
    elif issubclass(cls, decimal.Decimal):
        if cls is decimal.Decimal:
            way = AS_TEXT
    elif issubclass(cls, (set, frozenset, deque)):
        if cls in (set, frozenset, deque):
            way = AS_TUPLE
    elif issubclass(cls, TEXTS):
        if cls in TEXTS:
            way = AS_TEXT
    elif issubclass(cls, datetime.datetime):
        if kind.cls == DATETIME_TYPE:
            way, code = MOMENT, CALL
    elif issubclass(cls, datetime.timedelta):
        if kind.cls == DELTA_TYPE:
            way, code = DURATION, POSITIONS
    elif issubclass(cls, datetime.date):
        if kind.cls == DATE_TYPE:
            way, code = DAY, POSITIONS
    elif issubclass(cls, datetime.time):
        if kind.cls == TIME_TYPE:
            way, code = CLOCK, KEYWORDS
    elif issubclass(cls, datetime.timezone):
        way, code = ONE, POSITIONS
        kind.attribute = "__getinitargs__"
    elif issubclass(cls, zoneinfo.ZoneInfo):
        if cls is zoneinfo.ZoneInfo:
            way = ONE
            kind.attribute = "key"
    elif issubclass(cls, enum.Enum):
        way = ENUM
        kind.simple_value = held(cls, "value") is ENUM_VALUE
    elif cls is Send:
        way, code = SEND, POSITIONS
    elif SendProtocol in cls.__mro__:
        return 0
    else:
        return resolve_structure(kind, cls)
    if way != STOCK:
        kind.head = head_of(cls, 4 if way == MOMENT else 3)
    kind.way, kind.code = way, code
    return 0


cdef int resolve_structure(Kind kind, object cls) except -1:
    """What comes after `Send`, and may be taken for one."""
    cdef int code = KEYWORDS
    cdef Way way = STOCK
    fields = held(cls, "__dataclass_fields__")
    if fields is not None:
        if type(fields) is dict:
            way = FIELDS
            kept = [each for each in fields.values() if each._field_type is dataclasses._FIELD]
            set_names(kind, tuple(field.name for field in kept))
    elif issubclass(cls, Item):
        slots = held(cls, "__slots__")
        if cls is Item and type(slots) is tuple:
            way = FIELDS
            set_names(kind, slots)
    elif is_array(cls):
        if cls is sys.modules["numpy"].ndarray:
            way, code = ARRAY, NUMPY
    elif issubclass(cls, BaseException):
        way, code = FAILURE, -1
    if way == STOCK or is_hashable(cls) and is_like_send(cls):
        return 0
    kind.may_be_send = is_hashable(cls) and has_dict(kind.cls)
    kind.head = head_of(cls, 3)
    kind.way, kind.code = way, code
    return 0


cdef bint is_array(object cls) except -1:
    numpy = sys.modules.get("numpy")
    return numpy is not None and issubclass(cls, numpy.ndarray)


cdef bint is_hashable(object cls) except -1:
    """Whether an instance may be a `Send` to upstream: one that cannot be hashed is none."""
    return held(cls, "__hash__") is not None


cdef bint is_like_send(object cls) except -1:
    """Whether instances have all that a `Send` has."""
    fields = held(cls, "__dataclass_fields__") or {}
    return all(name in fields or held(cls, name) is not None for name in ("node", "arg"))
