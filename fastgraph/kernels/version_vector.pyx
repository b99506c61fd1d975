"""The channel version vector: what each channel's version is, and which of them is the highest.

Each channel of a Pregel graph carries a version that grows when the channel is written (Malewicz et
al., "Pregel", 2010, call the idea a superstep's vote; LangGraph keeps it in the checkpoint as
``channel_versions``). Versions are `int`, `float` or `str`, as checkpoint savers make them, and are
compared with ``>`` only.

The vector does not copy the versions: it stands over one plain `dict`, which stays the truth and
can be given to anybody, and adds what a dict cannot tell without a scan, the highest version. All
writes have to go through the vector; `follow` is the way back after somebody else wrote.
"""

from cpython.dict cimport PyDict_GetItemWithError, PyDict_Next
from cpython.object cimport PyObject

__all__ = ("VersionVector",)


cdef class VersionVector:
    """Channel versions with a maintained maximum.

    Parameters
    ----------
    versions : Mapping[str, int | float | str], optional
        The versions to start from; copied, in their order.

    Notes
    -----
    One thread writes at a time, as with the dict below it. Comparison follows upstream: a channel
    without a version counts as the null version, ``type(first version)()``.
    """

    def __init__(self, versions=None):
        self.follow(dict(versions) if versions is not None else {})

    @staticmethod
    def over(dict versions not None):
        """A vector that stands over `versions` itself and writes through to it."""
        cdef VersionVector vector = VersionVector.__new__(VersionVector)
        vector.follow(versions)
        return vector

    def __len__(self):
        return len(self.versions)

    def __iter__(self):
        return iter(self.versions)

    def __contains__(self, channel):
        return channel in self.versions

    def __getitem__(self, channel):
        return self.versions[channel]

    def __setitem__(self, channel, version):
        self.put(channel, version)

    def __repr__(self):
        return f"VersionVector({self.versions!r})"

    @property
    def maximum(self):
        """The highest version, the first of them in channel order; None if there is no channel."""
        return self.top()

    @property
    def null(self):
        """What a channel without a version compares as; None if there is no channel."""
        return self.null_version()

    def bump(self, channels, version):
        """Give each of `channels` the same `version`."""
        for channel in channels:
            self.put(channel, version)

    def newer(self, seen, channels=None):
        """Whether one of `channels` (default: all) is ahead of what `seen` says was read of it.

        Parameters
        ----------
        seen : Mapping[str, int | float | str]
            The versions that a node has seen.
        channels : Iterable[str], optional
            The channels to look at; one that has no version is never ahead.

        Raises
        ------
        TypeError
            If two versions cannot be compared (a saver that changed its type of version).
        """
        null = self.null_version()
        for channel in self.versions if channels is None else channels:
            if channel in self.versions and self.ahead(channel, seen, null):
                return True
        return False

    def snapshot(self):
        """A vector of its own with the versions as they are now."""
        cdef VersionVector copy = VersionVector.__new__(VersionVector)
        copy.versions = self.versions.copy()
        copy.highest = self.highest
        copy.length = self.length
        copy.stale = self.stale
        return copy

    def to_dict(self):
        """The versions as a plain dict of its own: same order, same objects."""
        return self.versions.copy()

    cdef int follow(self, dict versions) except -1:
        """Stand over `versions` from now on; its highest version is looked up when asked for."""
        self.versions = versions
        self.length = len(versions)
        self.highest = None
        self.stale = True
        return 0

    cdef bint follows(self, dict versions):
        """Whether the vector stands over this very dict, and nobody added or removed a channel."""
        return self.versions is versions and self.length == len(versions)

    cdef object top(self):
        cdef Py_ssize_t position = 0
        cdef PyObject* version
        cdef object highest
        if not self.stale and self.length == len(self.versions):
            return self.highest
        highest = None
        # As `max` does it: the first of equal versions wins. A comparison may run a saver's own
        # code, so the dict is not walked by position but through a list of its values.
        if PyDict_Next(self.versions, &position, NULL, &version):
            highest = <object>version
            for candidate in list(self.versions.values())[1:]:
                if later(candidate, highest):
                    highest = candidate
        self.highest = highest
        self.length = len(self.versions)
        self.stale = False
        return highest

    cdef object null_version(self):
        cdef Py_ssize_t position = 0
        cdef PyObject* version
        if PyDict_Next(self.versions, &position, NULL, &version):
            return type(<object>version)()
        return None

    cdef int put(self, object channel, object version) except -1:
        cdef PyObject* previous = PyDict_GetItemWithError(self.versions, channel)
        cdef bint was_highest = previous != NULL and <object>previous is self.highest
        if self.length != len(self.versions):
            self.stale = True
        if not self.stale and version is not self.highest:
            # The highest version may go away, or tie with another (1 and 1.0), where the place in
            # the order decides, or the two have no order (NaN): then the next reader looks. It is
            # also the next reader who is told that versions cannot be compared, not the writer.
            try:
                if self.length == 0 or later(version, self.highest):
                    self.highest = version
                elif was_highest or not later(self.highest, version):
                    self.stale = True
            except Exception:
                self.stale = True
        self.versions[channel] = version
        self.length = len(self.versions)
        return 0

    cdef bint ahead(self, object channel, object seen, object null) except -1:
        """Whether `channel` is ahead of `seen`, a mapping, with `null` for what is missing."""
        cdef PyObject* found = PyDict_GetItemWithError(self.versions, channel)
        cdef object version = <object>found if found != NULL else null
        cdef object read
        if type(seen) is dict:
            found = PyDict_GetItemWithError(<dict>seen, channel)
            read = <object>found if found != NULL else null
        else:
            read = seen.get(channel, null)
        return later(version, read)
