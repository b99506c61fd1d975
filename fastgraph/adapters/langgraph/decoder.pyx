"""The checkpoint decoder: what `JsonPlusSerializer.loads_typed` makes of MessagePack.

Upstream has `ormsgpack` read the bytes, which calls a Python function, the extension hook, for each
object in them; the hook has `ormsgpack` read the object's body, in which there may be more objects,
decides whether the class may be loaded, finds it and calls it. Here one reader goes through all of
it, and knows the classes that it has met.

What may be loaded is decided for each object before anything is looked up or called, by upstream's
own function, except where that would say yes and nobody would hear of it. What a class does when
called is its own affair; where it fails, upstream's own function says what remains.

Domain: MessagePack in `bytes`, for a serializer whose extension hook is upstream's own closure,
whether it was made before or after this was put in place. A user's hook, and whatever somebody has
replaced in upstream's modules, is upstream's: that is known before anything has been called.

Of bytes that are not MessagePack, `ormsgpack` itself says what is wrong with them. It is given a
hook that does nothing, so that nothing is called twice; no error depends on what a hook returns.
"""

import importlib
import sys
import weakref
from types import CodeType, FunctionType, ModuleType

import ormsgpack
from langgraph.checkpoint.serde import _msgpack, event_hooks, jsonplus

from cpython.dict cimport PyDict_CheckExact, PyDict_GetItemWithError
from cpython.object cimport PyObject, PyTypeObject
from cpython.tuple cimport PyTuple_CheckExact
from cpython.unicode cimport PyUnicode_CheckExact
from cpython.type cimport PyType_Check
from cpython.weakref cimport PyWeakref_GetObject

from fastgraph.adapters.langgraph.decoded_models cimport Maker, maker_of
from fastgraph.kernels.msgpack_reader cimport Reader, remember
from fastgraph.kernels.tally cimport Tally

cdef extern from *:
    """
    #include <Python.h>

    /* As deep as upstream would be in its hook: one frame of Python's for each object around. */
    static int fastgraph_enter_hook(int open)
    {
    #if PY_VERSION_HEX >= 0x030C0000
        if (PyThreadState_Get()->py_recursion_remaining <= open) {
            PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded");
            return -1;
        }
    #else
        (void)open;
    #endif
        return Py_EnterRecursiveCall(" while decoding an object");
    }

    #define FASTGRAPH_MOST_KEYWORDS 32

    /* `cls(**keywords)` of a class that is made by `object.__new__` and an `__init__` in Python,
       without the dicts and tuples in between; NotImplemented of any other. */
    static PyObject *fastgraph_construct(PyObject *cls, PyObject *keywords, PyObject *init_name)
    {
        PyTypeObject *type = (PyTypeObject *)cls;
        PyObject *stack[1 + FASTGRAPH_MOST_KEYWORDS];
        PyObject *init, *names, *nothing, *key, *value, *result = NULL;
        Py_ssize_t i = 0, position = 0, size = PyDict_GET_SIZE(keywords);
        if (size == 0 || size > FASTGRAPH_MOST_KEYWORDS || !PyType_Check(cls)
                || Py_TYPE(cls)->tp_call != PyType_Type.tp_call
                || type->tp_new != PyBaseObject_Type.tp_new)
            Py_RETURN_NOTIMPLEMENTED;
        init = _PyType_Lookup(type, init_name);
        if (init == NULL || !Py_IS_TYPE(init, &PyFunction_Type))
            Py_RETURN_NOTIMPLEMENTED;
        while (PyDict_Next(keywords, &position, &key, NULL))
            if (!PyUnicode_CheckExact(key))
                Py_RETURN_NOTIMPLEMENTED;
        names = PyTuple_New(size);
        nothing = PyTuple_New(0);
        stack[0] = names == NULL || nothing == NULL ? NULL : type->tp_new(type, nothing, NULL);
        Py_XDECREF(nothing);
        if (stack[0] == NULL) {
            Py_XDECREF(names);
            return NULL;
        }
        position = 0;
        while (PyDict_Next(keywords, &position, &key, &value)) {
            Py_INCREF(key);
            PyTuple_SET_ITEM(names, i, key);
            Py_INCREF(value);
            stack[++i] = value;
        }
        Py_INCREF(init);
        result = PyObject_Vectorcall(init, stack, 1, names);
        Py_DECREF(init);
        Py_DECREF(names);
        if (result != NULL && result != Py_None)
            PyErr_Format(PyExc_TypeError, "__init__() should return None, not '%.200s'",
                         Py_TYPE(result)->tp_name);
        for (i = 1; i <= size; i++)
            Py_DECREF(stack[i]);
        if (result != Py_None) {
            Py_XDECREF(result);
            Py_CLEAR(stack[0]);
            return NULL;
        }
        Py_DECREF(result);
        return stack[0];
    }

    /* Whether looking an attribute up looks into the instance's `__dict__`, and nowhere else. */
    static int fastgraph_is_plain_attribute(PyObject *instance, PyObject *name)
    {
        PyTypeObject *cls = Py_TYPE(instance);
        return cls->tp_getattro == PyObject_GenericGetAttr && _PyType_Lookup(cls, name) == NULL;
    }
    """
    int fastgraph_enter_hook(int open) except -1
    object fastgraph_construct(object cls, dict keywords, str init_name)
    bint fastgraph_is_plain_attribute(object instance, str name)
    void Py_LeaveRecursiveCall()
    object PyCell_Get(object cell)
    object PyObject_Call(object function, tuple arguments, dict keywords)
    unsigned long Py_TPFLAGS_HEAPTYPE
    PyObject* PyModule_GetDict(object module)

# Extension codes: how an object is made again.
cdef enum:
    SINGLE_ARGUMENT = 0
    POSITIONAL_ARGUMENTS = 1
    KEYWORD_ARGUMENTS = 2
    METHOD = 3
    PYDANTIC_V1 = 4
    PYDANTIC_V2 = 5
    NUMPY_ARRAY = 6
    DELTA_SNAPSHOT = 7

# Of more classes than this, those met first are known.
cdef enum:
    MOST_KNOWN = 4096

# This release dies of an array of a length that no memory has; later ones say that the file ended.
cdef bint dies_of_lengths = ormsgpack.__version__ == "1.12.2"

cdef dict ALLOWED = _msgpack.__dict__
cdef dict EVENTS = event_hooks.__dict__
cdef dict UPSTREAM = jsonplus.__dict__
cdef dict ORMSGPACK = ormsgpack.__dict__
cdef dict IMPORTLIB = importlib.__dict__
cdef dict SYS = sys.__dict__
cdef object Serializer = jsonplus.JsonPlusSerializer
cdef object import_module = importlib.import_module
cdef object unpackb = ormsgpack.unpackb
cdef object emit_serde_event = event_hooks.emit_serde_event
cdef object warn_once = jsonplus._warn_once
#: What the hook finds in its module, and nobody may have replaced.
cdef list used_by_hook = [
    (name, UPSTREAM[name])
    for name in (
        "_DeltaSnapshot",
        "_lg_msgpack",
        "_reconstruction_fallback",
        "_send_from_args",
        "importlib",
    )
    if name in UPSTREAM
]
cdef object option = ormsgpack.OPT_NON_STR_KEYS

cdef object stock
cdef Tally tally_

# Upstream's code, by which its closures are known.
cdef object hook_code
cdef object check_code
cdef object check_method_code
cdef Py_ssize_t cell_of_hook
cdef Py_ssize_t cell_of_check
cdef Py_ssize_t cell_of_check_method
# Module -> name -> Known
cdef dict known_classes = {}
cdef Py_ssize_t number_known = 0
# Counts decodings, so that what cannot change during one is looked at once in it.
cdef unsigned long long serial = 0


cdef class Known:
    """A class, or another callable, that was found in a module.

    It is found again by its name each time; what is kept is what was found out about it.
    """

    cdef object reference
    cdef tuple key
    cdef tuple method_key
    cdef Maker maker
    cdef bint is_send
    cdef object safe_in
    cdef bint is_safe
    cdef object methods_in
    cdef bint is_method_safe

    cdef bint is_safe_for(self, Decoder decoder) except -1:
        """Whether it is one of upstream's safe types, which may be loaded without a word."""
        if self.safe_in is not decoder.safe_types:
            self.is_safe = self.key in decoder.safe_types
            self.safe_in = decoder.safe_types
        return self.is_safe

    cdef bint is_method_safe_for(self, Decoder decoder, object method) except -1:
        if not PyUnicode_CheckExact(method):
            return False
        if (
            self.methods_in is not decoder.safe_methods
            or self.method_key is None
            or <str>self.method_key[2] != <str>method
        ):
            self.method_key = (*self.key, method)
            self.is_method_safe = self.method_key in decoder.safe_methods
            self.methods_in = decoder.safe_methods
        return self.is_method_safe


cdef Known known_as(str module, str name):
    cdef PyObject* found = PyDict_GetItemWithError(known_classes, module)
    if found == NULL:
        return None
    found = PyDict_GetItemWithError(<dict>found, name)
    return None if found == NULL else <Known>found


cdef object held_by_module(str module, str name):
    """What an imported module holds under a name; None if that takes more than looking."""
    cdef object modules = SYS["modules"]
    cdef PyObject* found
    if not PyDict_CheckExact(modules):
        return None
    found = PyDict_GetItemWithError(<dict>modules, module)
    if found == NULL or type(<object>found) is not ModuleType:
        return None
    found = PyDict_GetItemWithError(<dict>PyModule_GetDict(<object>found), name)
    return None if found == NULL else <object>found


cdef int remember_keywords(object found) except -1:
    """Have the keywords of a constructor read as the very strings that it compares them with."""
    init = getattr(found, "__init__", None)
    if type(found) is type and type(init) is FunctionType:
        code = init.__code__
        for keyword in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
            remember(keyword)
    return 0


cdef int learn(object module, object name, object found) except -1:
    """Remember what upstream's way of looking found."""
    global number_known
    cdef Known known
    if type(module) is not str or type(name) is not str:
        return 0
    # Names that modules have by being modules are not looked up in them.
    if name.startswith("__") or held_by_module(module, name) is not found:
        return 0
    # One that another thread is still importing has to be waited for.
    spec = getattr(SYS["modules"][module], "__spec__", None)
    if getattr(spec, "_initializing", False):
        return 0
    known = known_as(module, name)
    if known is None:
        if number_known >= MOST_KNOWN:
            return 0
        number_known += 1
    known = Known.__new__(Known)
    try:
        known.reference = weakref.ref(found)
    except TypeError:
        return 0
    known.key = (module, name)
    known.maker = maker_of(found)
    remember_keywords(found)
    known.is_send = module == "langgraph.types" and name == "Send"
    known_classes.setdefault(module, {})[name] = known
    return 0


cdef object remains(object read, object error):
    """What is left of an object that could not be made: nothing before checkpoint 4.3."""
    fallback = UPSTREAM.get("_reconstruction_fallback")
    return None if fallback is None else fallback(read, error)


cdef object with_keywords(object what, object keywords):
    """`what(**keywords)`."""
    if PyDict_CheckExact(keywords):
        made = fastgraph_construct(what, <dict>keywords, "__init__")
        if made is not NotImplemented:
            return made
        # A function of Python's gets a dict of its own. One of C's may change the one it is given.
        if PyType_Check(what) and (<PyTypeObject*>what).tp_flags & Py_TPFLAGS_HEAPTYPE:
            return PyObject_Call(what, (), <dict>keywords)
        return PyObject_Call(what, (), (<dict>keywords).copy())
    if not hasattr(keywords, "keys"):
        raise TypeError(f"argument after ** must be a mapping, not {type(keywords).__name__}")
    return what(**dict(keywords))


cdef object called(int code, object what, object payload, object method, bint is_send):
    """The object of upstream's constructor codes."""
    if code == SINGLE_ARGUMENT:
        return what(payload)
    elif code == POSITIONAL_ARGUMENTS:
        if is_send:
            return UPSTREAM["_send_from_args"](payload)
        return what(*payload)
    elif code == KEYWORD_ARGUMENTS:
        return with_keywords(what, payload)
    elif code == METHOD:
        return getattr(what, method)(payload)
    try:
        return with_keywords(what, payload)
    except Exception:
        construct = what.construct if code == PYDANTIC_V1 else what.model_construct
        return with_keywords(construct, payload)


cdef bint is_upstreams(object function, object code) except -1:
    """Whether this is the function of upstream's that has this code."""
    return (
        type(function) is FunctionType
        and function.__code__ is code
        and function.__globals__ is UPSTREAM
    )


cdef bint is_heard_by_none_but_listeners() except -1:
    """Whether what tells of a class is upstream's, so that listeners and the log are all."""
    return (
        UPSTREAM["emit_serde_event"] is emit_serde_event
        and UPSTREAM["_warn_once"] is warn_once
    )


cdef class Decoder(Reader):
    """Reads one value with the objects in it."""

    cdef object hook
    cdef object check
    cdef object check_method
    cdef object allowed
    cdef object safe_types
    cdef object safe_methods
    cdef object listeners
    cdef object warned
    # Why upstream has to decode all of it; nothing has been called then.
    cdef str outside
    cdef bint is_prepared
    # What failed last was an object, not the bytes around it.
    cdef bint hook_failed
    cdef Py_ssize_t objects
    cdef int open_objects

    cdef int prepare(self) except -1:
        """Look at the hook and at what it uses, before it would be called for the first time."""
        self.outside = self.how_prepared()
        if self.outside is not None:
            raise LookupError(self.outside)
        self.is_prepared = True
        return 0

    cdef str how_prepared(self):
        cdef tuple cells
        hook = self.hook
        if not is_upstreams(hook, hook_code):
            return "an extension hook of the user's"
        cells = hook.__closure__
        self.check = PyCell_Get(cells[cell_of_check])
        self.check_method = PyCell_Get(cells[cell_of_check_method])
        if (
            PyCell_Get(cells[cell_of_hook]) is not hook
            or not is_upstreams(self.check, check_code)
            or not is_upstreams(self.check_method, check_method_code)
        ):
            return "an extension hook with other cells"
        for name, expected in used_by_hook:
            if UPSTREAM[name] is not expected:
                return "a replaced part of upstream's hook"
        self.allowed = PyCell_Get((<tuple>self.check.__closure__)[0])
        self.safe_types = ALLOWED["SAFE_MSGPACK_TYPES"]
        if type(self.safe_types) is not frozenset:
            self.safe_types = frozenset()  # one that may change is upstream's to look at
        self.safe_methods = ALLOWED["SAFE_MSGPACK_METHODS"]
        if type(self.safe_methods) is not frozenset:
            self.safe_methods = frozenset()
        if is_heard_by_none_but_listeners():
            self.listeners = EVENTS["_listeners"]
            self.warned = UPSTREAM["_warned_unregistered_types"]
        return None

    cdef bint is_allowed(self, Known known) except -1:
        """Whether upstream would allow it without telling anybody. If not, it has to be asked."""
        if known.is_safe_for(self):
            return True
        if self.allowed is True:
            # It would tell the listeners, and warn of each class once.
            return (
                type(self.listeners) is list
                and not <list>self.listeners
                and type(self.warned) is set
                and known.key in <set>self.warned
            )
        return type(self.allowed) is set and known.key in <set>self.allowed

    cdef object ext(self, int code, const unsigned char* body, Py_ssize_t size):
        """An object, as upstream's hook makes it of its body."""
        cdef const unsigned char* at = self.at
        cdef const unsigned char* end = self.end
        cdef int depth = self.depth
        cdef int levels = self.levels
        if not self.is_prepared:
            self.prepare()
        if code < SINGLE_ARGUMENT or code > DELTA_SNAPSHOT:
            return None
        self.objects += 1
        try:
            fastgraph_enter_hook(self.open_objects)
            self.open_objects += 1
            self.at, self.end, self.depth = body, body + size, 0
            try:
                made = self.object_of(code, body)
            finally:
                self.open_objects -= 1
                Py_LeaveRecursiveCall()
        except:  # noqa: E722 - as `ormsgpack` does
            self.hook_failed = True
            raise
        self.at, self.end, self.depth, self.levels = at, end, depth, levels
        return made

    cdef object object_of(self, int code, const unsigned char* body):
        cdef str module = None
        cdef str name = None
        cdef object payload = None
        cdef object method = None
        cdef object read = None
        cdef Py_ssize_t objects = self.objects
        if code == DELTA_SNAPSHOT:
            return UPSTREAM["_DeltaSnapshot"](self.value())
        if code == NUMPY_ARRAY:
            return self.array_of_numpy()
        try:
            if self.array_of(4 if code == METHOD or code == PYDANTIC_V2 else 3):
                module = self.name()
                if module is not None:
                    name = self.name()
                if name is not None:
                    payload = self.value()
                    if code == METHOD or code == PYDANTIC_V2:
                        method = self.value()
            if name is None:
                self.at, self.depth = body, 0
                read = self.value()
        except:  # noqa: E722 - `ormsgpack` makes a ValueError of everything that its hook raises
            # Upstream's hook has nothing to fall back to then.
            self.hook_failed = False
            return None
        if name is None:
            return self.of_any_body(code, read)
        return self.of_body(code, module, name, payload, method, objects == self.objects)

    cdef object of_body(
        self, int code, str module, str name, object payload, object method, bint is_plain
    ):
        """The object of a body in the form in which upstream writes it."""
        cdef Known known = known_as(module, name)
        cdef Maker maker
        cdef object found = None
        if known is not None:
            found = held_by_module(module, name)
            if found is None or <PyObject*>found != PyWeakref_GetObject(known.reference):
                found = None
        if found is None or IMPORTLIB["import_module"] is not import_module:
            read = [module, name, payload]
            if code == METHOD or code == PYDANTIC_V2:
                read.append(method)
            return self.of_any_body(code, read)
        try:
            if code == METHOD:
                if not known.is_method_safe_for(self, method) and not self.check_method(
                    module, name, method
                ):
                    return payload
            elif not self.is_allowed(known) and not self.check(module, name):
                return payload
            maker = known.maker
            if maker is not None and maker.code == code:
                if maker.checked != serial:
                    maker.intact = maker.is_intact()
                    maker.checked = serial
                if maker.intact:
                    made = maker.make(payload, is_plain)
                    if made is not None:
                        return made
            return called(code, found, payload, method, known.is_send)
        except Exception as error:
            if code >= PYDANTIC_V1:
                return payload
            read = [module, name, payload]
            if code == METHOD:
                read.append(method)
            return remains(read, error)

    cdef object of_any_body(self, int code, object read):
        """The object of any body: the steps of upstream's hook, one by one."""
        if code == PYDANTIC_V1 or code == PYDANTIC_V2:
            try:
                return self.by_steps(code, read)
            except Exception:
                try:
                    return read[2]
                except NameError:
                    return None
        try:
            return self.by_steps(code, read)
        except Exception as error:
            return remains(read, error)

    cdef object by_steps(self, int code, object read):
        if code == METHOD:
            if not self.check_method(read[0], read[1], read[3]):
                return read[2]
        elif not self.check(read[0], read[1]):
            return read[2]
        if (
            code == POSITIONAL_ARGUMENTS
            and read[0] == "langgraph.types"
            and read[1] == "Send"
        ):
            sent = UPSTREAM["_send_from_args"](read[2])
            learn(read[0], read[1], held_by_module("langgraph.types", "Send"))
            return sent
        found = getattr(IMPORTLIB["import_module"](read[0]), read[1])
        learn(read[0], read[1], found)
        return called(code, found, read[2], read[3] if code == METHOD else None, False)

    cdef object array_of_numpy(self):
        cdef bint is_array
        try:
            import numpy
            try:
                is_array = self.array_of(4)
                if is_array:
                    kind, shape = self.value(), self.value()
                    order, buffer = self.value(), self.value()
                else:
                    read = self.value()
            except:  # noqa: E722 - as above
                self.hook_failed = False
                return None
            if not is_array:
                kind, shape, order, buffer = read
            array = numpy.frombuffer(buffer, dtype=numpy.dtype(kind))
            return array.reshape(shape, order=order)
        except Exception:
            return None


def nothing(code, data):
    """A hook that makes nothing of an object."""


def failing(code, data):
    """A hook that fails."""
    raise LookupError


cdef object failed(object self, object data, bytes source, Decoder decoder):
    """What upstream does where the decoder gave up: an error, or all of it."""
    if decoder.outside is not None:
        tally_.fell_back(decoder.outside)
        return stock(self, data)
    tally_.fell_back("bytes that are not MessagePack, or an object that failed")
    if decoder.hook_failed:
        return unpackb(b"\xd4\x00\x00", ext_hook=failing, option=option)
    if decoder.is_oversized and dies_of_lengths:
        raise ormsgpack.MsgpackDecodeError("unexpected end of file")
    if decoder.objects:
        unpackb(source, ext_hook=nothing, option=option)
    return stock(self, data)


cdef object decoded(object self, object data, bytes source, object hook):
    global serial
    cdef Decoder decoder = Decoder.__new__(Decoder)
    serial += 1
    decoder.hook = hook
    decoder.open(source)
    try:
        return decoder.value()
    except:  # noqa: E722 - `ormsgpack` says what becomes of it
        pass
    return failed(self, data, source, decoder)


def loads_typed(self, data):
    """Make a value of its stored form, a tuple of its type and bytes.

    Replaces `langgraph.checkpoint.serde.jsonplus.JsonPlusSerializer.loads_typed`.
    """
    tally_.calls += 1
    if PyTuple_CheckExact(data) and len(<tuple>data) == 2:
        kind, source = <tuple>data
        if PyUnicode_CheckExact(kind):
            if <str>kind == "msgpack":
                if (
                    type(source) is bytes
                    and UPSTREAM["ormsgpack"] is ormsgpack
                    and ORMSGPACK["unpackb"] is unpackb
                    and fastgraph_is_plain_attribute(self, "_unpack_ext_hook")
                ):
                    return decoded(self, data, <bytes>source, self._unpack_ext_hook)
            elif <str>kind == "null":
                return None
            elif <str>kind == "bytes":
                return source
    tally_.fell_back("other than MessagePack in bytes")
    return stock(self, data)


cdef object code_in(object code, str name):
    """The code of a function defined in another one."""
    for constant in code.co_consts:
        if type(constant) is CodeType and constant.co_name == name:
            return constant
    raise LookupError(f"{code.co_name} defines no {name}")


def make_loads_typed(original, Tally tally not None, str variant):
    global stock, tally_, hook_code, check_code, check_method_code
    global cell_of_hook, cell_of_check, cell_of_check_method
    outer = jsonplus._create_msgpack_ext_hook.__code__
    hook_code = code_in(outer, "ext_hook")
    check_code = code_in(outer, "_check_allowed")
    check_method_code = code_in(outer, "_check_allowed_method")
    cell_of_hook = hook_code.co_freevars.index("ext_hook")
    cell_of_check = hook_code.co_freevars.index("_check_allowed")
    cell_of_check_method = hook_code.co_freevars.index("_check_allowed_method")
    if check_code.co_freevars != ("allowed_modules",):
        raise LookupError("the hook decides by something else")
    stock, tally_ = original, tally
    return loads_typed
