"""Dicts that answer one question more without looking through all their keys.

Both are dicts in every other respect: they compare, print, copy and pickle as the dicts they
stand in for, and any code may change them. What they know besides is kept as keys are set one by
one; any other change makes them forget it, to find it again when they are asked.
"""

from collections import defaultdict


class GroupedDict(defaultdict):
    """A `defaultdict` with tuples for keys that knows the keys that begin with the same string."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._groups = {}
        self._known = 0  # how many keys are in the groups: all of them, or it is out of date

    def __setitem__(self, key, value):
        cdef Py_ssize_t before = len(self)
        dict.__setitem__(self, key, value)
        if len(self) != before and self._known == before:
            if add(self._groups, key):
                self._known = before + 1

    def drop_group(self, first):
        """Remove the keys that begin with a string.

        Parameters
        ----------
        first : str
            What the keys begin with.

        Returns
        -------
        bool
            False if nothing was removed because some keys are not tuples that begin with a
            string: only looking at each of them tells which are meant.
        """
        if type(first) is not str or not self._is_indexed():
            return False
        for key in self._groups.pop(first, ()):
            if dict.pop(self, key, self) is not self:
                self._known -= 1
        return True

    def _is_indexed(self):
        if self._known == len(self):
            return True
        groups = {}
        keys = list(self)
        for key in keys:
            if not add(groups, key):
                return False
        self._groups, self._known = groups, len(keys)
        return True

    def _forget(self):
        self._groups, self._known = {}, -1

    def __delitem__(self, key):
        self._forget()
        dict.__delitem__(self, key)

    def pop(self, *args):
        self._forget()
        return dict.pop(self, *args)

    def popitem(self):
        self._forget()
        return dict.popitem(self)

    def clear(self):
        self._forget()
        dict.clear(self)

    def update(self, *args, **kwargs):
        self._forget()
        dict.update(self, *args, **kwargs)

    def setdefault(self, *args):
        self._forget()
        return dict.setdefault(self, *args)

    def __ior__(self, other):
        self._forget()
        dict.update(self, other)
        return self

    def __repr__(self):
        return repr(as_defaultdict(self))

    def __reduce__(self):
        return defaultdict, (self.default_factory,), None, None, iter(self.items())

    def __copy__(self):
        return as_defaultdict(self)

    def copy(self):
        return as_defaultdict(self)

    def __or__(self, other):
        return as_defaultdict(self) | other

    def __ror__(self, other):
        return other | as_defaultdict(self)


cdef object as_defaultdict(object grouped):
    return defaultdict(grouped.default_factory, grouped)


cdef bint add(dict groups, object key) except -1:
    """Put a key into its group; whether it has one."""
    if type(key) is not tuple or not (<tuple>key):
        return False
    first = (<tuple>key)[0]
    if type(first) is not str:
        return False
    group = groups.get(first)
    if group is None:
        group = groups[first] = {}
    (<dict>group)[key] = None
    return True


cdef class LatestDict(dict):
    """A dict with strings for keys that knows the greatest of them."""

    def __init__(self, *args, **kwargs):
        dict.__init__(self, *args, **kwargs)
        self.known = 0
        self.greatest = None

    def __setitem__(self, key, value):
        cdef Py_ssize_t before = len(self)
        dict.__setitem__(self, key, value)
        if len(self) != before:
            self.added(key, before)

    cdef int added(self, object key, Py_ssize_t before) except -1:
        """Take note of a key that was not there before."""
        if self.known != before or type(key) is not str:
            return 0
        if before == 0 or <str>key > <str>self.greatest:
            self.greatest = key
        self.known = before + 1
        return 0

    cpdef object latest(self):
        """Return the greatest key.

        Raises
        ------
        ValueError
            If there is none.
        TypeError
            If the keys cannot be compared.
        """
        if self.known != len(self) or self.known == 0:
            self.greatest = max(self)
            # Other keys than strings may compare in any way, and are looked at each time.
            self.known = len(self) if all_are_strings(self) else -1
        return self.greatest

    cdef int forget(self) except -1:
        self.known, self.greatest = -1, None
        return 0

    def __delitem__(self, key):
        self.forget()
        dict.__delitem__(self, key)

    def pop(self, *args):
        self.forget()
        return dict.pop(self, *args)

    def popitem(self):
        self.forget()
        return dict.popitem(self)

    def clear(self):
        self.forget()
        dict.clear(self)

    def update(self, *args, **kwargs):
        self.forget()
        dict.update(self, *args, **kwargs)

    def setdefault(self, *args):
        self.forget()
        return dict.setdefault(self, *args)

    def __ior__(self, other):
        self.forget()
        dict.update(self, other)
        return self

    def __reduce__(self):
        return dict, (dict(self),)

    def __reduce_ex__(self, protocol):
        return dict, (dict(self),)


cdef bint all_are_strings(dict keys) except -1:
    for key in keys:
        if type(key) is not str:
            return False
    return True
