"""What AG-UI makes of an event before it is written: plain dicts, lists and scalars.

Upstream walks each event with a Python function per value, a dict or list comprehension per
container and a set of the containers around. Here plain values are walked in C; whatever has
methods of its own is asked through them, in upstream's order.

Domain: values nested up to `DEEPEST` containers, with room for upstream's frames on the stack. What
is deeper is handed over to upstream's function in the middle, with the containers around it and
with the stack used up that upstream would have used; so that it recurses as far as it would have,
and no further.
"""

import sys
from dataclasses import fields as _fields
from dataclasses import is_dataclass as _is_dataclass
from enum import Enum as _Enum
from types import FunctionType
from uuid import UUID as _UUID

from cpython.dict cimport PyDict_Copy, PyDict_Next
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_CompareWithASCIIString, PyUnicode_GetLength

from fastgraph.adapters.ag_ui.message_chunks cimport text_chunk
from fastgraph.kernels.tally cimport Tally

cdef extern from *:
    """
    /* How many more frames of Python code fit on the stack, by the interpreter's count. */
    #if PY_VERSION_HEX >= 0x030C0000
    #define fastgraph_frames(state) ((state)->py_recursion_remaining)
    #define fastgraph_take(state, count) ((state)->py_recursion_remaining -= (count))
    #elif PY_VERSION_HEX >= 0x030B0000
    #define fastgraph_frames(state) ((state)->recursion_remaining)
    #define fastgraph_take(state, count) ((state)->recursion_remaining -= (count))
    #else
    #define fastgraph_frames(state) (Py_GetRecursionLimit() - (state)->recursion_depth)
    #define fastgraph_take(state, count) ((state)->recursion_depth += (count))
    #endif
    """
    ctypedef struct PyThreadState:
        pass
    PyThreadState* PyThreadState_Get()
    int frames_left "fastgraph_frames"(PyThreadState* state)
    void take_frames "fastgraph_take"(PyThreadState* state, int count)

cdef object fields = _fields
cdef object is_dataclass = _is_dataclass
cdef object Enum = _Enum
cdef object UUID = _UUID
cdef object PRIMITIVES = (str, int, float, bool)
cdef object MAPPING = dict  # as an object, so that __class__ has a say
cdef object CONTAINERS = (list, tuple, set, frozenset)
cdef object SKIPPED = ("runtime", "config")

#: Containers within containers, after which upstream goes on.
cdef int DEEPEST = 40
#: Python frames of upstream's for each of them: before 3.12 a comprehension has its own.
cdef int FRAMES = 2 if sys.version_info < (3, 12) else 1
#: What is left for upstream's frames, and for what they call, before the walk begins.
cdef int ENOUGH = 2 * 40 + 60

cdef object stock
cdef Tally safe_tally


cdef struct Around:
    # The containers around a value: they live as long as they are looked at.
    PyObject* container
    Around* outer
    int depth
    int frames


cdef object alone():
    """Upstream's function, which calls itself and not what replaced it.

    With the replacement in between, each level would take some of the C stack, of which upstream
    takes none.
    """
    cdef dict names = dict(stock.__globals__)
    names["make_json_safe"] = function = FunctionType(
        stock.__code__, names, stock.__name__, stock.__defaults__, stock.__closure__
    )
    return function


cdef object deeper(object value, Around* around):
    """`make_json_safe(value)` of upstream's, within what is around the value."""
    cdef set seen = set()
    cdef int frames = around.frames
    cdef Around* outer = around
    cdef PyThreadState* state = PyThreadState_Get()
    while outer is not NULL:
        if outer.container is not NULL:
            seen.add(<object><size_t>outer.container)
        outer = outer.outer
    safe_tally.fell_back("deep")
    function = alone()
    take_frames(state, frames)
    try:
        return function(value, seen)
    finally:
        take_frames(state, -frames)


cdef inline bint is_skipped_text(object key) except -1:
    """`key in SKIPPED` of exactly a str."""
    cdef Py_ssize_t size = PyUnicode_GetLength(key)
    if size == 7:
        return PyUnicode_CompareWithASCIIString(key, "runtime") == 0
    return size == 6 and PyUnicode_CompareWithASCIIString(key, "config") == 0


cdef inline bint is_skipped(object key) except -1:
    return is_skipped_text(key) if type(key) is str else key in SKIPPED


cdef inline bint is_scalar(object value) noexcept:
    kind = type(value)
    return kind is str or value is None or kind is int or kind is bool or kind is float


cdef bint is_scalars(object value) noexcept:
    """Whether a value is a list or tuple of nothing but scalars."""
    if type(value) is not list and type(value) is not tuple:
        return False
    for item in (<list>value if type(value) is list else value):
        if not is_scalar(item):
            return False
    return True


cdef dict flat_dict(dict value):
    """A dict of scalars, and of lists of them, in one go; None if it is another one."""
    cdef Py_ssize_t position = 0
    cdef PyObject* key
    cdef PyObject* item
    cdef bint alike = True
    cdef dict made
    while PyDict_Next(value, &position, &key, &item):
        if type(<object>key) is not str or is_skipped_text(<object>key):
            return None
        if not is_scalar(<object>item):
            if not is_scalars(<object>item):
                return None
            alike = False
    made = PyDict_Copy(value)
    position = 0
    while not alike and PyDict_Next(value, &position, &key, &item):
        if not is_scalar(<object>item):
            made[<object>key] = list(<object>item)
    return made


cdef inline object safe(object value, Around* around):
    """`make_json_safe(value)`."""
    kind = type(value)
    if kind is str or value is None or kind is int or kind is bool or kind is float:
        return value
    return walked(value, kind, around)


cdef object walked(object value, object kind, Around* around):
    cdef PyObject* address = <PyObject*>value
    cdef Around* outer = around
    cdef Around here
    while outer is not NULL:
        if outer.container is address:
            return "<recursive>"
        outer = outer.outer
    here.container = address
    here.outer = around
    here.depth = 1 if around is NULL else around.depth + 1
    here.frames = FRAMES if around is NULL else around.frames + FRAMES
    if here.depth > DEEPEST:
        return deeper(value, around)
    if kind is dict:
        made = flat_dict(<dict>value)
        return safe_dict(<dict>value, &here) if made is None else made
    if kind is list:
        return safe_list(<list>value, &here)
    made = text_chunk(value)
    if made is not None:
        return safe_chunk(made, &here)
    if isinstance(value, PRIMITIVES):
        return value
    if isinstance(value, Enum):
        # Not among the containers around its value.
        here.container = NULL
        here.frames = 1 if around is NULL else around.frames + 1
        return safe(value.value, &here)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, MAPPING):
        return safe_mapping(value, &here)
    if isinstance(value, CONTAINERS):
        return [safe(item, &here) for item in value]
    here.frames -= FRAMES - 1
    if is_dataclass(value):
        return safe(
            {
                field.name: getattr(value, field.name)
                for field in fields(value)
                if field.name not in SKIPPED
            },
            &here,
        )
    return safe_object(value, &here)


cdef dict safe_dict(dict value, Around* here):
    cdef dict made = {}
    for key, item in value.items():
        if not is_skipped(key):
            key = safe(key, here)
            made[key] = safe(item, here)
    return made


cdef dict safe_chunk(dict held, Around* here):
    """What a chunk of text dumps, which is what it holds."""
    cdef dict made = PyDict_Copy(held)
    for key, item in held.items():
        if not is_scalar(item):
            made[key] = safe(item, here)
    return made


cdef dict safe_mapping(object value, Around* here):
    cdef dict made = {}
    for key, item in value.items():
        if key not in SKIPPED:
            key = safe(key, here)
            made[key] = safe(item, here)
    return made


cdef list safe_list(list value, Around* here):
    cdef list made = []
    for item in value:
        made.append(safe(item, here))
    return made


cdef object asked(object function, object value, Around* here):
    """What a method says, or a function says of a value, with upstream's frames on the stack."""
    cdef PyThreadState* state = PyThreadState_Get()
    cdef int frames = here.frames
    take_frames(state, frames)
    try:
        return function() if value is None else function(value)
    finally:
        take_frames(state, -frames)


cdef object safe_object(object value, Around* here):
    """What an object says of itself by the first of four ways that works, else its repr."""
    # Each attribute is looked up as often as upstream does.
    if hasattr(value, "model_dump") and callable(value.model_dump):
        try:
            return safe(asked(value.model_dump, None, here), here)
        except Exception:
            pass
    if hasattr(value, "dict") and callable(value.dict):
        try:
            return safe(asked(value.dict, None, here), here)
        except Exception:
            pass
    if hasattr(value, "to_dict") and callable(value.to_dict):
        try:
            return safe(asked(value.to_dict, None, here), here)
        except Exception:
            pass
    if hasattr(value, "__dict__"):
        try:
            return safe(vars(value), here)
        except Exception:
            pass
    return asked(repr, value, here)


cdef object json_safe(object value):
    """`make_json_safe(value)`, for other replacements."""
    if frames_left(PyThreadState_Get()) < ENOUGH:
        safe_tally.fell_back("little room on the stack")
        return alone()(value)
    return safe(value, NULL)


def make_json_safe(value, _seen=None):
    """Make of a value what `json.dumps` takes.

    Replaces `ag_ui_langgraph.utils.make_json_safe`.
    """
    safe_tally.calls += 1
    if _seen is not None:
        safe_tally.fell_back("containers given")
        return alone()(value, _seen)
    return json_safe(value)


def make_make_json_safe(original, Tally tally not None, str variant):
    global stock, safe_tally
    stock, safe_tally = original, tally
    return make_json_safe
