"""The checkpoint encoder: the bytes that upstream writes, without its ladder for each value.

Upstream hands a value to `ormsgpack`, which writes the native types itself and asks
`_msgpack_default` about anything else. That makes an extension out of the object, whose body is
encoded by a call of its own, with a count of open containers of its own. Here the body is written
where it belongs, and what an object is, is found out once per class
(`encoded_classes`).

An error inside of an extension never gets out of upstream's encoder: whatever was raised, the
outermost object that `_msgpack_default` was asked about "is not msgpack serializable". So it is
here. Where the value is that failed is noted on the error (`value_path`).

No encoded value is kept, and nothing is read twice. Containers are walked under the GIL; where
code of a user's may run meanwhile, containers and values are held, and sizes looked at again.
"""

cimport cython
from cpython.datetime cimport (
    date_day,
    date_month,
    date_year,
    datetime_day,
    datetime_hour,
    datetime_microsecond,
    datetime_minute,
    datetime_month,
    datetime_second,
    datetime_tzinfo,
    datetime_year,
    import_datetime,
    time_fold,
    time_hour,
    time_microsecond,
    time_minute,
    time_second,
    time_tzinfo,
    timedelta_days,
    timedelta_microseconds,
    timedelta_seconds,
)
from cpython.object cimport PyObject, PyTypeObject
from libc.string cimport memcpy

from fastgraph.adapters.langgraph.encoded_classes cimport (
    ARRAY,
    AS_TEXT,
    AS_TUPLE,
    BUFFER,
    BYTEARRAY,
    DAY,
    DELTA,
    DURATION,
    ENUM,
    FAILURE,
    FIELDS,
    INTEGER,
    MAPPING,
    METHOD,
    MODEL_2,
    MOMENT,
    NAMED,
    ONE,
    SEND,
    SEQUENCE,
    STOCK,
    TEXT,
    UNIQUE,
    Kind,
    Way,
    kind_of,
)
from fastgraph.adapters.langgraph.encoded_models cimport (
    Leaves,
    Py_TYPE,
    PyUnicode_GET_LENGTH,
    ascii_of,
    is_compact_ascii,
    put_string,
)
from fastgraph.kernels.msgpack_writer cimport (
    Writer,
    put_array,
    put_blob,
    put_byte,
    put_double,
    put_map,
    put_raw,
    put_signed,
    put_text,
    put_unsigned,
    reserve,
)
from fastgraph.kernels.slots cimport Slot
from fastgraph.kernels.tally cimport Tally

import datetime
import decimal
import enum
import uuid

import ormsgpack
from langgraph.checkpoint.serde import jsonplus
from langgraph.types import Send

from fastgraph.adapters.langgraph import value_path

import_datetime()

cdef extern from *:
    """
    #if defined(__GNUC__)
    #pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    #endif

    /* Changes with whatever is set in a dict. 0: it cannot be told. */
    static inline unsigned long long fastgraph_dict_version(PyObject *dict)
    {
    #if PY_VERSION_HEX < 0x030E0000
        return ((PyDictObject *)dict)->ma_version_tag;
    #else
        return 0;
    #endif
    }

    /* Upstream goes through two Python functions and one C function for each extension. */
    static inline int fastgraph_enter(int level)
    {
    #if PY_VERSION_HEX < 0x030C0000
        if (Py_EnterRecursiveCall(" while encoding"))
            return -1;
        if (Py_EnterRecursiveCall(" while encoding")) {
            Py_LeaveRecursiveCall();
            return -1;
        }
        if (Py_EnterRecursiveCall(" while encoding")) {
            Py_LeaveRecursiveCall();
            Py_LeaveRecursiveCall();
            return -1;
        }
        return 0;
    #else
        if (PyThreadState_Get()->py_recursion_remaining <= 2 * level) {
            PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded");
            return -1;
        }
        return 0;
    #endif
    }

    static inline void fastgraph_leave(void)
    {
    #if PY_VERSION_HEX < 0x030C0000
        Py_LeaveRecursiveCall();
        Py_LeaveRecursiveCall();
        Py_LeaveRecursiveCall();
    #endif
    }

    /* An integer as 16 bytes, the first one the highest; 0 if it is none of these. */
    static inline int fastgraph_bytes16(PyObject *value, unsigned char *to)
    {
        int failed;
        if (!PyLong_CheckExact(value))
            return 0;
    #if PY_VERSION_HEX < 0x030D0000
        failed = _PyLong_AsByteArray((PyLongObject *)value, to, 16, 0, 0);
    #else
        failed = _PyLong_AsByteArray((PyLongObject *)value, to, 16, 0, 0, 1);
    #endif
        if (failed)
            PyErr_Clear();
        return !failed;
    }

    #if defined(_WIN32)
    #define FASTGRAPH_STACK 400000
    #else
    #define FASTGRAPH_STACK 4000000
    #endif
    """
    unsigned long long dict_version "fastgraph_dict_version"(PyObject*) noexcept
    int enter "fastgraph_enter"(int level) except -1
    void leave "fastgraph_leave"() noexcept
    int bytes16 "fastgraph_bytes16"(PyObject* value, unsigned char* to) noexcept
    Py_ssize_t STACK "FASTGRAPH_STACK"

cdef extern from "Python.h":
    ctypedef struct Py_buffer:
        void* buf
        Py_ssize_t len
    PyTypeObject PyUnicode_Type
    PyTypeObject PyBytes_Type
    PyTypeObject PyLong_Type
    PyTypeObject PyBool_Type
    PyTypeObject PyFloat_Type
    PyTypeObject PyList_Type
    PyTypeObject PyDict_Type
    PyTypeObject PyTuple_Type
    PyTypeObject PyMemoryView_Type
    PyObject* Py_None
    PyObject* Py_True
    unsigned long Py_TPFLAGS_LONG_SUBCLASS
    unsigned long Py_TPFLAGS_UNICODE_SUBCLASS
    int PyBUF_CONTIG_RO
    int PyType_HasFeature(PyTypeObject*, unsigned long) noexcept
    Py_ssize_t PyDict_GET_SIZE(PyObject*) noexcept
    int PyDict_Next(PyObject*, Py_ssize_t*, PyObject**, PyObject**) noexcept
    PyObject* PyList_GET_ITEM(PyObject*, Py_ssize_t) noexcept
    Py_ssize_t PyList_GET_SIZE(PyObject*) noexcept
    PyObject* PyTuple_GET_ITEM(PyObject*, Py_ssize_t) noexcept
    Py_ssize_t PyTuple_GET_SIZE(PyObject*) noexcept
    double PyFloat_AS_DOUBLE(PyObject*) noexcept
    char* PyBytes_AS_STRING(PyObject*) noexcept
    Py_ssize_t PyBytes_GET_SIZE(PyObject*) noexcept
    char* PyByteArray_AS_STRING(PyObject*) noexcept
    Py_ssize_t PyByteArray_GET_SIZE(PyObject*) noexcept
    long long PyLong_AsLongLongAndOverflow(PyObject*, int*) noexcept
    unsigned long long PyLong_AsUnsignedLongLong(PyObject*) noexcept
    const char* PyUnicode_AsUTF8AndSize(PyObject*, Py_ssize_t*) noexcept
    PyObject* PyErr_Occurred() noexcept
    void PyErr_Clear() noexcept
    int PyObject_GetBuffer(object, Py_buffer*, int) noexcept
    void PyBuffer_Release(Py_buffer*) noexcept
    bint PyMethod_Check(object) noexcept
    PyObject* PyMethod_GET_FUNCTION(object) noexcept

cdef extern from *:
    """
    static inline const char *fastgraph_type_name(PyTypeObject *type)
    {
        return type->tp_name;
    }
    """
    const char* type_name "fastgraph_type_name"(PyTypeObject*) noexcept

cdef enum:
    # How many containers `ormsgpack` has open at most, in one call.
    DEEPEST = 255

cdef object ENUM_META = enum.EnumMeta
cdef object NOTHING = object()
cdef object UTC = datetime.timezone.utc
cdef Slot UUID_INT = Slot(uuid.UUID, "int")
cdef object DELTA_SNAPSHOT = getattr(jsonplus, "_DeltaSnapshot", None)
cdef Slot SEND_NODE = Slot(Send, "node")
cdef Slot SEND_ARG = Slot(Send, "arg")
# A checkpoint package that has no snapshots knows of no timeouts either.
cdef Slot SEND_TIMEOUT = (
    Slot(Send, "timeout") if "timeout" in Send.__dict__ and DELTA_SNAPSHOT is not None else None
)
cdef PyTypeObject* DATETIME_TYPE = <PyTypeObject*><PyObject*>datetime.datetime
cdef PyTypeObject* DATE_TYPE = <PyTypeObject*><PyObject*>datetime.date
cdef PyTypeObject* TIME_TYPE = <PyTypeObject*><PyObject*>datetime.time
cdef PyTypeObject* DELTA_TYPE = <PyTypeObject*><PyObject*>datetime.timedelta
cdef PyTypeObject* ZONE_TYPE = <PyTypeObject*><PyObject*>datetime.timezone
cdef PyTypeObject* UUID_TYPE = <PyTypeObject*><PyObject*>uuid.UUID
cdef PyTypeObject* DECIMAL_TYPE = <PyTypeObject*><PyObject*>decimal.Decimal

cdef object packb = ormsgpack.packb
cdef int OPTION = jsonplus._option


cdef struct Frame:
    # A container under way, for the path to a value that fails.
    Frame* outer
    int step
    Py_ssize_t index
    PyObject* container  # held by the function whose frame it is

cdef enum:
    ITEM
    KEY
    ATTRIBUTE
    FIELD


@cython.final
cdef class Encoding(Leaves):
    """One call."""

    cdef Writer out
    cdef Frame* top
    cdef char* base
    cdef int level
    cdef list path  # to what failed, the innermost step first
    cdef object failed  # the name of the outermost class that failed
    cdef object innermost  # what it was that failed, by name

    cdef int put_leaf(self, Writer out, PyObject* value) except -1:
        """What pydantic hands on as it is, of exactly these classes, without anybody's code."""
        cdef PyTypeObject* cls = Py_TYPE(value)
        cdef Kind kind
        if cls == DATETIME_TYPE:
            zone = datetime_tzinfo(<object>value)
            if zone is not None and Py_TYPE(<PyObject*>zone) != ZONE_TYPE:
                return 0
        elif cls != UUID_TYPE and cls != DATE_TYPE and cls != DELTA_TYPE and cls != DECIMAL_TYPE:
            return 0
        kind = kind_of(cls)
        if kind.way == STOCK:
            return 0
        put_default(self, out, kind, value, 0)
        return 1


# The walk.

cdef int fail(Encoding e, object message) except -1:
    """Raise what `ormsgpack` raises, after noting where."""
    note_path(e)
    raise TypeError(message)


cdef int note_path(Encoding e) except -1:
    """Keep the way to what fails, while the containers that lead to it are still held."""
    cdef Frame* frame = e.top
    cdef Py_ssize_t position
    cdef PyObject* key
    cdef PyObject* value
    if e.path is not None:
        return 0
    e.path = []
    while frame != NULL:
        if frame.step == KEY:
            position = frame.index
            if PyDict_Next(frame.container, &position, &key, &value):
                e.path.append((KEY, <object>key))
        elif frame.step == FIELD:
            e.path.append((FIELD, None))
        elif frame.step == ATTRIBUTE:
            e.path.append((ATTRIBUTE, (<tuple>frame.container)[frame.index]))
        else:
            e.path.append((ITEM, frame.index))
        frame = frame.outer
    return 0


cdef inline int put_value(Encoding e, Writer out, PyObject* value, int depth) except -1:
    """Any value, within `depth` containers of its call."""
    cdef PyTypeObject* cls = Py_TYPE(value)
    if cls == &PyUnicode_Type:
        if is_compact_ascii(value):
            return put_text(out, ascii_of(value), PyUnicode_GET_LENGTH(value))
        return put_string(out, value)
    if cls == &PyLong_Type:
        return put_integer(e, out, value)
    if value == Py_None:
        return put_byte(out, 0xC0)
    if cls == &PyBool_Type:
        return put_byte(out, 0xC3 if value == Py_True else 0xC2)
    if cls == &PyDict_Type:
        return put_dict(e, out, value, depth)
    if cls == &PyList_Type:
        return put_list(e, out, value, depth)
    if cls == &PyFloat_Type:
        return put_double(out, PyFloat_AS_DOUBLE(value))
    return put_other(e, out, value, depth)


cdef int put_integer(Encoding e, Writer out, PyObject* value) except -1:
    cdef int overflow = 0
    cdef long long small = PyLong_AsLongLongAndOverflow(value, &overflow)
    cdef unsigned long long large
    if overflow == 0:
        return put_signed(out, small)
    if overflow > 0:
        large = PyLong_AsUnsignedLongLong(value)
        if PyErr_Occurred() == NULL:
            return put_unsigned(out, large)
        PyErr_Clear()
    return fail(e, "Integer exceeds 64-bit range")


cdef int put_list(Encoding e, Writer out, PyObject* value, int depth) except -1:
    """A list or an instance of a subclass, by its own memory."""
    cdef Frame frame
    cdef Py_ssize_t length
    cdef object _held = <object>value
    open_container(e, &frame, ITEM, value, depth)
    length = PyList_GET_SIZE(value)
    put_array(out, length)
    frame.index = 0
    while frame.index < length:
        if frame.index >= PyList_GET_SIZE(value):
            fail(e, "list changed size while it was encoded")
        put_value(e, out, PyList_GET_ITEM(value, frame.index), depth + 1)
        frame.index += 1
    e.top = frame.outer
    return 0


cdef int put_tuple(Encoding e, Writer out, PyObject* value, int depth) except -1:
    cdef Frame frame
    cdef Py_ssize_t length = PyTuple_GET_SIZE(value)
    cdef object _held = <object>value
    open_container(e, &frame, ITEM, value, depth)
    put_array(out, length)
    frame.index = 0
    while frame.index < length:
        put_value(e, out, PyTuple_GET_ITEM(value, frame.index), depth + 1)
        frame.index += 1
    e.top = frame.outer
    return 0


cdef int put_dict(Encoding e, Writer out, PyObject* value, int depth) except -1:
    """A dict or an instance of a subclass, by its own memory.

    One that grows or shrinks meanwhile is walked as `PyDict_Next` walks it, which upstream does.
    """
    cdef Frame frame
    cdef Py_ssize_t position = 0
    cdef PyObject* key
    cdef PyObject* item
    cdef object _held = <object>value
    open_container(e, &frame, KEY, value, depth)
    put_map(out, PyDict_GET_SIZE(value))
    frame.index = 0
    while PyDict_Next(value, &position, &key, &item):
        if Py_TYPE(key) == &PyUnicode_Type:
            if is_compact_ascii(key):
                put_text(out, ascii_of(key), PyUnicode_GET_LENGTH(key))
            else:
                put_unicode_key(e, out, key)
            put_value(e, out, item, depth + 1)
        else:
            put_entry(e, out, <object>key, <object>item, depth + 1)
        frame.index = position
    e.top = frame.outer
    return 0


cdef inline int open_container(
    Encoding e, Frame* frame, int step, PyObject* container, int depth
) except -1:
    if depth == DEEPEST:
        fail(e, "Recursion limit reached")
    if e.base - <char*>frame > STACK:
        raise RecursionError("too deep to be encoded")
    frame.outer = e.top
    frame.step = step
    frame.index = 0
    frame.container = container
    e.top = frame
    return 0


cdef int put_unicode_key(Encoding e, Writer out, PyObject* key) except -1:
    cdef Py_ssize_t length = 0
    cdef const char* utf8 = PyUnicode_AsUTF8AndSize(key, &length)
    if utf8 == NULL:
        PyErr_Clear()
        return fail(e, "string contains surrogates")
    return put_text(out, utf8, length)


cdef int put_entry(Encoding e, Writer out, object key, object value, int depth) except -1:
    """An entry whose key is no plain string; the key may be one that asks others."""
    put_key(e, out, key, depth)
    return put_value(e, out, <PyObject*>value, depth)


cdef int put_key(Encoding e, Writer out, object key, int depth) except -1:
    """A key as `ormsgpack` writes it, in the order in which it looks."""
    cdef PyObject* value = <PyObject*>key
    cdef PyTypeObject* cls = Py_TYPE(value)
    if cls == &PyUnicode_Type:
        return put_string(out, value)
    if cls == &PyBytes_Type:
        return put_blob(out, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
    if cls == &PyLong_Type:
        return put_integer(e, out, value)
    if cls == &PyBool_Type:
        return put_byte(out, 0xC3 if value == Py_True else 0xC2)
    if value == Py_None:
        return put_byte(out, 0xC0)
    if cls == &PyFloat_Type:
        return put_double(out, PyFloat_AS_DOUBLE(value))
    if cls == DATETIME_TYPE or cls == DATE_TYPE or cls == TIME_TYPE or cls == UUID_TYPE:
        return put_packed_key(e, out, key)
    if cls == &PyTuple_Type:
        return put_tuple_key(e, out, key, depth)
    if type(type(key)) is ENUM_META:
        return put_key(e, out, value_of_key(e, key), depth)
    if PyType_HasFeature(cls, Py_TPFLAGS_UNICODE_SUBCLASS):
        return put_string(out, value)
    if PyType_HasFeature(cls, Py_TPFLAGS_LONG_SUBCLASS):
        return put_integer(e, out, value)
    if cls == &PyMemoryView_Type:
        return put_buffer(e, out, key)
    return fail(e, "Dict key must a type serializable with OPT_NON_STR_KEYS")


cdef int put_tuple_key(Encoding e, Writer out, tuple key, int depth) except -1:
    if depth == DEEPEST:
        fail(e, "Recursion limit reached")
    put_array(out, len(key))
    for each in key:
        put_key(e, out, each, depth + 1)
    return 0


cdef object value_of_key(Encoding e, object key):
    try:
        return key.value
    except BaseException as error:
        message = str(error)
    fail(e, message)


cdef int put_packed_key(Encoding e, Writer out, object key) except -1:
    """A key that `ormsgpack` makes a text of: its own doing, with a nil for the value."""
    cdef bytes packed
    message = None
    try:
        packed = packb({key: None}, None, OPTION)
    except TypeError as error:
        message = str(error)
    if message is not None:
        fail(e, message)
    return put_raw(out, PyBytes_AS_STRING(<PyObject*>packed) + 1, len(packed) - 2)


cdef int put_buffer(Encoding e, Writer out, object value) except -1:
    """The memory of a contiguous buffer."""
    cdef Py_buffer buffer
    if PyObject_GetBuffer(value, &buffer, PyBUF_CONTIG_RO) == -1:
        PyErr_Clear()
        return fail(e, "Failed to get buffer from memoryview")
    try:
        return put_blob(out, buffer.buf, buffer.len)
    finally:
        PyBuffer_Release(&buffer)


cdef int put_other(Encoding e, Writer out, PyObject* value, int depth) except -1:
    """What is none of the types that are common."""
    cdef PyTypeObject* cls = Py_TYPE(value)
    cdef Kind kind
    if cls == &PyTuple_Type:
        return put_tuple(e, out, value, depth)
    if cls == &PyBytes_Type:
        return put_blob(out, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
    kind = kind_of(cls)
    if kind.way >= STOCK:
        return put_default(e, out, kind, value, depth)
    if kind.way == TEXT:
        return put_string(out, value)
    if kind.way == INTEGER:
        return put_integer(e, out, value)
    if kind.way == SEQUENCE:
        return put_list(e, out, value, depth)
    if kind.way == MAPPING:
        return put_dict(e, out, value, depth)
    if kind.way == BYTEARRAY:
        return put_blob(out, PyByteArray_AS_STRING(value), PyByteArray_GET_SIZE(value))
    if kind.way == BUFFER:
        return put_buffer(e, out, <object>value)
    return put_packed(e, out, <object>value)


cdef int put_packed(Encoding e, Writer out, object value) except -1:
    """What is `ormsgpack`'s own."""
    cdef bytes packed
    message = None
    try:
        packed = packb(value)
    except TypeError as error:
        message = str(error)
    if message is not None:
        fail(e, message)
    return put_raw(out, PyBytes_AS_STRING(<PyObject*>packed), len(packed))


# What upstream makes something of.

cdef int put_default(Encoding e, Writer out, Kind kind, PyObject* value, int depth) except -1:
    """An object that `ormsgpack` asks `_msgpack_default` about."""
    cdef object subject = <object>value
    cdef int level = e.level
    cdef Frame* top = e.top
    try:
        put_extension(e, out, kind, subject, depth)
    except BaseException as error:
        if e.path is None:
            e.top = top  # the frames within this one are gone
            note_path(e)
            path, name = value_path.within(error)
            e.path[:0] = path
            e.innermost = name or class_name(subject)
        if level == 0:
            e.failed = type_name(Py_TYPE(value)).decode("utf-8", "replace")
        raise
    return 0


cdef str class_name(object value):
    return type_name(Py_TYPE(<PyObject*>value)).decode("utf-8", "replace").rpartition(".")[2]


cdef int put_extension(Encoding e, Writer out, Kind kind, object value, int depth) except -1:
    cdef Py_ssize_t start = out.size
    cdef int header = kind.header
    cdef Way way = kind.way
    e.level += 1
    enter(e.level)
    try:
        if way == STOCK or kind.absent is not None and is_stocks(kind, value):
            put_stock(e, out, value, depth)
        elif way == FAILURE:
            text = repr(value)
            put_value(e, out, <PyObject*>text, depth)
        else:
            if way == ARRAY:
                header = 6  # what is moved otherwise is small
            reserve(out, header)
            out.size += header
            if put_body(e, out, kind, value):
                out.close_ext(start, header, kind.code)
                kind.header = header_of(out, start)
            else:
                out.size = start
                put_stock(e, out, value, depth)
    finally:
        leave()
    e.level -= 1
    return 0


cdef inline int header_of(Writer out, Py_ssize_t start) noexcept:
    """What the head of the extension took that begins there."""
    cdef unsigned char marker = out.data[start]
    return 3 if marker == 0xC7 else 4 if marker == 0xC8 else 6 if marker == 0xC9 else 2


cdef bint is_stocks(Kind kind, object value) except -1:
    """Whether an instance has by itself what upstream looks for, which its class has not."""
    for name in kind.absent:
        if getattr(value, <str>name, None) is not None:
            return True
    return kind.may_be_send and has(value, "node") and has(value, "arg")


cdef bint has(object value, str name) except -1:
    return getattr(value, name, NOTHING) is not NOTHING


cdef int put_stock(Encoding e, Writer out, object value, int depth) except -1:
    """What upstream's own ladder makes of an object."""
    made = stock_default(value)
    return put_value(e, out, <PyObject*>made, depth)


cdef bint put_body(Encoding e, Writer out, Kind kind, object value) except -1:
    """The body of an extension; False, with nobody asked, if upstream's ladder has to look."""
    cdef Way way = kind.way
    if way == METHOD:
        return put_called(e, out, kind, value)
    if way == DELTA:
        if not value:
            return False
        put_value(e, out, PyTuple_GET_ITEM(<PyObject*>value, 0), 0)
        return True
    if way == SEND:
        return put_send(e, out, kind, value)
    if way == ARRAY:
        return put_array_of_numpy(e, out, value)
    put_raw(out, PyBytes_AS_STRING(<PyObject*>kind.head), len(kind.head))
    if way == UNIQUE:
        put_unique(out, value)
    elif way == MOMENT:
        put_moment(e, out, value)
    elif way == FIELDS:
        put_fields(e, out, kind, value)
    elif way == NAMED:
        put_named(e, out, kind, value)
    elif way == AS_TEXT:
        text = str(value)
        put_value(e, out, <PyObject*>text, 1)
    elif way == AS_TUPLE:
        items = tuple(value)
        put_tuple(e, out, <PyObject*>items, 1)
    elif way == ENUM:
        held_value = value._value_ if kind.simple_value else value.value
        put_value(e, out, <PyObject*>held_value, 1)
    elif way == ONE:
        one = part_of(kind, value)
        put_value(e, out, <PyObject*>one, 1)
    elif way == DURATION:
        put_array(out, 3)
        put_signed(out, timedelta_days(value))
        put_signed(out, timedelta_seconds(value))
        put_signed(out, timedelta_microseconds(value))
    elif way == DAY:
        put_array(out, 3)
        put_signed(out, date_year(value))
        put_signed(out, date_month(value))
        put_signed(out, date_day(value))
    else:
        put_clock(e, out, value)
    return True


cdef object part_of(Kind kind, object value):
    """The part of an object that upstream writes of it."""
    if kind.attribute == "parts":
        return value.parts
    if kind.attribute == "key":
        return value.key
    if kind.attribute == "":
        return (value.pattern, value.flags)
    return value.__getinitargs__()


cdef int put_unique(Writer out, object value) except -1:
    """`UUID.hex`."""
    cdef unsigned char[16] number
    cdef char[32] digits
    cdef int index
    cdef const char* hexadecimal = "0123456789abcdef"
    whole = UUID_INT.get(value)
    if not bytes16(<PyObject*>whole, number):
        text = value.hex
        return put_string(out, <PyObject*>text)
    for index in range(16):
        digits[2 * index] = hexadecimal[number[index] >> 4]
        digits[2 * index + 1] = hexadecimal[number[index] & 15]
    return put_text(out, digits, 32)


cdef inline void two(char* to, int value) noexcept:
    to[0] = <char>(48 + value // 10)
    to[1] = <char>(48 + value % 10)


cdef int put_moment(Encoding e, Writer out, object value) except -1:
    """`datetime.isoformat()`, and the method that reads it."""
    cdef char[32] text
    cdef int length = 19
    cdef int number
    zone = datetime_tzinfo(value)
    if zone is not None and zone is not UTC:
        iso = value.isoformat()
        put_value(e, out, <PyObject*>iso, 1)
        return put_text(out, "fromisoformat", 13)
    number = datetime_year(value)
    two(text, number // 100)
    two(text + 2, number % 100)
    text[4] = text[7] = 45
    two(text + 5, datetime_month(value))
    two(text + 8, datetime_day(value))
    text[10] = 84
    two(text + 11, datetime_hour(value))
    text[13] = text[16] = 58
    two(text + 14, datetime_minute(value))
    two(text + 17, datetime_second(value))
    number = datetime_microsecond(value)
    if number:
        text[19] = 46
        two(text + 20, number // 10000)
        two(text + 22, number // 100 % 100)
        two(text + 24, number % 100)
        length = 26
    if zone is not None:
        memcpy(text + length, b"+00:00", 6)
        length += 6
    put_text(out, text, length)
    return put_text(out, "fromisoformat", 13)


cdef int put_clock(Encoding e, Writer out, object value) except -1:
    put_map(out, 6)
    put_text(out, "hour", 4)
    put_signed(out, time_hour(value))
    put_text(out, "minute", 6)
    put_signed(out, time_minute(value))
    put_text(out, "second", 6)
    put_signed(out, time_second(value))
    put_text(out, "microsecond", 11)
    put_signed(out, time_microsecond(value))
    put_text(out, "tzinfo", 6)
    zone = time_tzinfo(value)
    put_value(e, out, <PyObject*>zone, 2)
    put_text(out, "fold", 4)
    return put_signed(out, time_fold(value))


cdef int put_fields(Encoding e, Writer out, Kind kind, object value) except -1:
    """The attributes of an object by name: all of them are read before the first is written."""
    cdef Frame frame
    cdef Py_ssize_t length = len(kind.names)
    cdef list values = [getattr(value, <str>name) for name in kind.names]
    open_container(e, &frame, ATTRIBUTE, <PyObject*>kind.names, 1)
    put_map(out, length)
    while frame.index < length:
        key = <bytes>kind.keys[frame.index]
        put_raw(out, PyBytes_AS_STRING(<PyObject*>key), len(key))
        put_value(e, out, PyList_GET_ITEM(<PyObject*>values, frame.index), 2)
        frame.index += 1
    e.top = frame.outer
    return 0


cdef int put_named(Encoding e, Writer out, Kind kind, object value) except -1:
    """The fields of a named tuple."""
    cdef Frame frame
    cdef Py_ssize_t length = min(len(kind.names), PyTuple_GET_SIZE(<PyObject*>value))
    open_container(e, &frame, ATTRIBUTE, <PyObject*>kind.names, 1)
    put_map(out, length)
    while frame.index < length:
        key = <bytes>kind.keys[frame.index]
        put_raw(out, PyBytes_AS_STRING(<PyObject*>key), len(key))
        put_value(e, out, PyTuple_GET_ITEM(<PyObject*>value, frame.index), 2)
        frame.index += 1
    e.top = frame.outer
    return 0


cdef tuple SEND_NAMES = ("node", "arg", "timeout")


cdef bint put_send(Encoding e, Writer out, Kind kind, object value) except -1:
    """The parts of a `Send`; upstream finds out whether it is one by whether it has them."""
    cdef Frame frame
    timeout = None
    try:
        node, arg = SEND_NODE.get(value), SEND_ARG.get(value)
        if SEND_TIMEOUT is not None:
            timeout = SEND_TIMEOUT.get(value)
    except AttributeError:
        return False
    put_raw(out, PyBytes_AS_STRING(<PyObject*>kind.head), len(kind.head))
    open_container(e, &frame, ATTRIBUTE, <PyObject*>SEND_NAMES, 1)
    put_array(out, 2 if timeout is None else 3)
    put_value(e, out, <PyObject*>node, 2)
    frame.index = 1
    put_value(e, out, <PyObject*>arg, 2)
    if timeout is not None:
        frame.index = 2
        put_value(e, out, <PyObject*>timeout, 2)
    e.top = frame.outer
    return True


cdef bint put_array_of_numpy(Encoding e, Writer out, object value) except -1:
    """An array's memory: without a copy if it is in C order."""
    cdef bint is_c
    flags = value.flags
    is_c = flags.c_contiguous
    order = "F" if not is_c and flags.f_contiguous else "C"
    buffer = memoryview(value) if is_c else None
    kind, shape = value.dtype.str, value.shape
    data = buffer if is_c else value.tobytes(order="A")
    reserve(out, value.nbytes + 64)
    put_array(out, 4)
    put_value(e, out, <PyObject*>kind, 1)
    put_value(e, out, <PyObject*>shape, 1)
    put_value(e, out, <PyObject*>order, 1)
    put_value(e, out, <PyObject*>data, 1)
    if is_c:
        buffer.release()
    return True


cdef bint put_called(Encoding e, Writer out, Kind kind, object value) except -1:
    """What a method of the object gives, or what it would give."""
    cdef Frame frame
    cdef Py_ssize_t start = out.size
    put_raw(out, PyBytes_AS_STRING(<PyObject*>kind.head), len(kind.head))
    if kind.plan is not None and kind.plan.put(e, out, <PyObject*>value):
        if kind.plan.slim:
            # The name of a method that no reader has ever called: three parts instead of four.
            out.data[start] = 0x93
        else:
            put_text(out, "model_validate_json", 19)
        return True
    out.size = start + len(kind.head)
    method = getattr(value, kind.attribute)
    if not PyMethod_Check(method) or PyMethod_GET_FUNCTION(method) != kind.function:
        return False
    payload = method()
    open_container(e, &frame, FIELD, NULL, 1)
    put_value(e, out, <PyObject*>payload, 1)
    e.top = frame.outer
    if kind.code == MODEL_2:
        put_text(out, "model_validate_json", 19)
    return True


# `_msgpack_enc`.

cdef object stock
cdef object stock_default
cdef Tally tally_
cdef dict upstream = jsonplus.__dict__
cdef dict packer = ormsgpack.__dict__
cdef dict expected = {}
cdef unsigned long long upstream_version = 0
cdef unsigned long long packer_version = 0
cdef bint as_expected = False

#: What upstream's encoder looks up, and would do something else with if it were another.
WATCHED = (
    "_msgpack_enc _msgpack_default _option ormsgpack EXT_CONSTRUCTOR_SINGLE_ARG "
    "EXT_CONSTRUCTOR_POS_ARGS EXT_CONSTRUCTOR_KW_ARGS EXT_METHOD_SINGLE_ARG EXT_PYDANTIC_V1 "
    "EXT_PYDANTIC_V2 EXT_NUMPY_ARRAY EXT_DELTA_SNAPSHOT _DeltaSnapshot pathlib re UUID decimal "
    "deque IPv4Address IPv4Interface IPv4Network IPv6Address IPv6Interface IPv6Network datetime "
    "timedelta date time timezone ZoneInfo Enum SendProtocol dataclasses Item sys"
).split()


cdef bint is_as_expected() except -1:
    """Whether upstream's encoder would look up what it looked up when it was replaced."""
    global upstream_version, packer_version, as_expected
    cdef unsigned long long ours = dict_version(<PyObject*>upstream)
    cdef unsigned long long theirs = dict_version(<PyObject*>packer)
    if ours != 0 and ours == upstream_version and theirs == packer_version:
        return as_expected
    as_expected = (
        upstream.get("_msgpack_enc") is msgpack_enc
        and packer.get("packb") is packb
        and all(upstream.get(name) is value for name, value in expected.items())
    )
    upstream_version, packer_version = ours, theirs
    return as_expected


def msgpack_enc(data):
    """Encode a value as msgpack.

    Replaces `langgraph.checkpoint.serde.jsonplus._msgpack_enc`.

    Raises
    ------
    TypeError
        As upstream does, if the value or something in it cannot be serialized; a note on it tells
        where that is.
    """
    tally_.calls += 1
    if not is_as_expected():
        tally_.fell_back("what upstream encodes with was replaced")
        return stock(data)
    return encoded(data)


cdef bytes encoded(object data):
    cdef Encoding e = Encoding.__new__(Encoding)
    cdef char here
    failure = None
    e.out = Writer.__new__(Writer)
    e.base = &here
    try:
        put_value(e, e.out, <PyObject*>data, 0)
    except BaseException as error:
        if e.failed is None and type(error) is not TypeError:
            raise  # out of memory, or of the stack
        if e.failed is None:
            failure = str(error)
        else:
            failure = f"Type is not msgpack serializable: {e.failed}"
    if failure is None:
        return e.out.finish()
    raise value_path.noted(TypeError(failure), data, e.path, e.innermost)


def switched():
    """Told when the target goes on or off."""
    global upstream_version
    upstream_version = 0


def make_msgpack_enc(original, Tally tally not None, str variant):
    """Build the replacement.

    Raises
    ------
    RuntimeError
        If upstream uses `ormsgpack` with other options than those that it was proven against.
    """
    global stock, stock_default, tally_
    if OPTION != (
        ormsgpack.OPT_NON_STR_KEYS
        | ormsgpack.OPT_PASSTHROUGH_DATACLASS
        | ormsgpack.OPT_PASSTHROUGH_DATETIME
        | ormsgpack.OPT_PASSTHROUGH_ENUM
        | ormsgpack.OPT_PASSTHROUGH_UUID
        | ormsgpack.OPT_REPLACE_SURROGATES
    ):
        raise RuntimeError("upstream packs with options that it was not proven against")
    stock, tally_ = original, tally
    stock_default = jsonplus._msgpack_default
    expected.update({name: upstream[name] for name in WATCHED if name in upstream})
    expected.pop("_msgpack_enc")  # is ours then
    return msgpack_enc
