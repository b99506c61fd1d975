"""Direct reads and writes of `__slots__` attributes of exact types.

An attribute that is a slot lives at a fixed offset of the instance. `getattr` finds that offset by
a look-up in the type every time; `Slot` finds it once. The offset belongs to the class that
declares the slot and holds for every instance whose type is exactly that class, which is why every
access checks the type first.

The GIL is what makes a read followed by an incref one step; the modules are not marked as safe
without it.
"""

from cpython.object cimport PyObject, PyTypeObject

cdef extern from *:
    """
    #include <Python.h>
    #include <structmember.h>

    /* The offset of the slot behind a member descriptor, or -1 if it is not a plain object slot. */
    static Py_ssize_t fastgraph_slot_offset(PyObject *descriptor)
    {
        PyMemberDef *member;
        if (!Py_IS_TYPE(descriptor, &PyMemberDescr_Type))
            return -1;
        member = ((PyMemberDescrObject *)descriptor)->d_member;
        return member->type == T_OBJECT_EX ? member->offset : -1;
    }

    static PyObject **fastgraph_slot_address(PyObject *instance, Py_ssize_t offset)
    {
        return (PyObject **)((char *)instance + offset);
    }
    """
    Py_ssize_t fastgraph_slot_offset(object descriptor)
    PyObject** fastgraph_slot_address(PyObject* instance, Py_ssize_t offset)
    PyTypeObject* Py_TYPE(object)
    void Py_INCREF(object)
    void Py_XDECREF(PyObject*)


cdef class Slot:
    """One `__slots__` attribute of one class.

    Parameters
    ----------
    owner : type
        The class; instances of its subclasses are refused.
    name : str
        The attribute, declared in the `__slots__` of `owner` or of one of its bases.

    Raises
    ------
    TypeError
        If the attribute of `owner` is not a slot.
    """

    def __init__(self, owner, str name not None):
        if not isinstance(owner, type):
            raise TypeError(f"expected a class, got {owner!r}")
        self.owner = owner
        self.name = name
        descriptor = getattr(owner, name, None)
        self.offset = fastgraph_slot_offset(descriptor)
        # The descriptor of an unrelated class would point past the end of the instance.
        if self.offset < 0 or not issubclass(owner, descriptor.__objclass__):
            raise TypeError(f"{owner.__qualname__}.{name} is not a slot")

    def __repr__(self):
        return f"Slot({self.owner.__qualname__}.{self.name})"

    def __reduce__(self):
        # The offset is this process's own; where it is unpickled, it has to be looked up again.
        return Slot, (self.owner, self.name)

    cdef object get(self, object instance):
        cdef PyObject* value
        if <PyObject*>Py_TYPE(instance) == <PyObject*>self.owner:
            value = fastgraph_slot_address(<PyObject*>instance, self.offset)[0]
            if value != NULL:
                return <object>value
        # A subclass, or a slot that was never set: the attribute protocol knows what to do.
        return getattr(instance, self.name)

    cdef bint holds(self, object instance, object value) except -1:
        return self.get(instance) is value

    cdef int set(self, object instance, object value) except -1:
        cdef PyObject** address
        cdef PyObject* previous
        if <PyObject*>Py_TYPE(instance) != <PyObject*>self.owner:
            raise TypeError(f"expected exactly {self.owner.__qualname__}, got {type(instance)!r}")
        address = fastgraph_slot_address(<PyObject*>instance, self.offset)
        previous = address[0]
        Py_INCREF(value)
        address[0] = <PyObject*>value
        # Last: dropping the old value may run arbitrary code, which has to see the new one.
        Py_XDECREF(previous)
        return 0

    def read(self, instance):
        """The value of the slot; `AttributeError` if it was never set."""
        return self.get(instance)

    def write(self, instance, value):
        """Set the slot, also where the class forbids `setattr` (a frozen dataclass)."""
        self.set(instance, value)
