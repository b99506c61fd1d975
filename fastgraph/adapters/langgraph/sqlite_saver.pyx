"""The SQLite saver: encoding and decoding outside its lock.

Upstream's own methods run, with a stand-in for the saver: its lock is taken when the first
statement is sent rather than before what is to be stored has been encoded, and what was read is
decoded after the lock was given back. The statements, their order and their transactions are
upstream's.

Domain: exactly `SqliteSaver` on exactly `sqlite3.Connection`.
"""

import sqlite3

from langgraph.checkpoint.base import CheckpointTuple

from fastgraph.kernels.tally cimport Tally

cdef object SqliteSaver = None  # of a package that need not be installed
cdef object Connection = sqlite3.Connection
cdef str A_SUBCLASS = "a subclass of the saver, or another connection"

cdef object stock_put_writes
cdef object stock_get
cdef Tally put_writes_tally
cdef Tally get_tally


cdef bint is_plain(object saver) except -1:
    """Whether the saver and its connection are exactly upstream's and `sqlite3`'s."""
    return (
        type(saver) is SqliteSaver
        and type(saver.conn) is Connection
        and "cursor" not in saver.__dict__
    )


cdef class Opening:
    """`SqliteSaver.cursor`: the lock, the set-up, a cursor; a commit or none, and back."""

    cdef object saver
    cdef object cursor
    cdef bint transaction

    def __init__(self, saver, bint transaction):
        self.saver = saver
        self.transaction = transaction

    cdef object opened(self):
        if self.cursor is None:
            self.saver.lock.acquire()
            try:
                if not self.saver.is_setup:
                    self.saver.setup()
                self.cursor = self.saver.conn.cursor()
            except BaseException:
                self.saver.lock.release()
                raise
        return self.cursor

    cdef int closed(self) except -1:
        cursor, self.cursor = self.cursor, None
        try:
            if self.transaction:
                self.saver.conn.commit()
            cursor.close()
        finally:
            self.saver.lock.release()
        return 0

    def __enter__(self):
        return self.opened()

    def __exit__(self, kind, error, traceback):
        self.closed()


cdef class Late(Opening):
    """A cursor that takes the lock at its first statement."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        # Upstream sets up and commits, whatever became of the values.
        self.opened()
        self.closed()

    def executemany(self, sql, rows):
        return self.opened().executemany(sql, rows)


cdef class Writing:
    """Stands in for a saver that encodes what it then writes."""

    cdef object saver
    cdef readonly object serde

    def __init__(self, saver):
        self.saver = saver
        self.serde = saver.serde

    def cursor(self):
        return Late(self.saver, True)


cdef class Undecoded:
    """A serializer that hands out what is stored, as it is."""

    def loads_typed(self, data):
        return data


cdef class Reading:
    """Stands in for a saver that only reads."""

    cdef object saver
    cdef readonly object serde

    def __init__(self, saver):
        self.saver = saver
        self.serde = UNDECODED

    @property
    def _has_task_path(self):  # not known before the set-up
        return self.saver._has_task_path

    def cursor(self, transaction):
        return Opening(self.saver, transaction)


cdef Undecoded UNDECODED = Undecoded()


def decoded(stored, serde):
    """Decode what a stand-in read, in upstream's order: the checkpoint, then its writes."""
    if stored is None:
        return None
    loads = serde.loads_typed
    config, checkpoint, metadata, parent_config, writes = stored
    checkpoint = loads(checkpoint)
    writes = [(task_id, channel, loads(value)) for task_id, channel, value in writes]
    return CheckpointTuple(config, checkpoint, metadata, parent_config, writes)


def undecoded():
    """Return the serializer that decodes nothing."""
    return UNDECODED


def put_writes(self, config, writes, task_id, task_path=""):
    """Save what a task wrote.

    Replaces `langgraph.checkpoint.sqlite.SqliteSaver.put_writes`.
    """
    put_writes_tally.calls += 1
    if not is_plain(self):
        put_writes_tally.fell_back(A_SUBCLASS)
        return stock_put_writes(self, config, writes, task_id, task_path)
    return stock_put_writes(Writing(self), config, writes, task_id, task_path)


def get_tuple(self, config):
    """Load a checkpoint, the latest of its thread unless the config names one.

    Replaces `langgraph.checkpoint.sqlite.SqliteSaver.get_tuple`.
    """
    get_tally.calls += 1
    if not is_plain(self):
        get_tally.fell_back(A_SUBCLASS)
        return stock_get(self, config)
    try:
        stored = stock_get(Reading(self), config)
    except ValueError:
        # The metadata does not decode; upstream decodes the checkpoint before, which may not
        # either.
        return stock_get(self, config)
    return decoded(stored, self.serde)


def stock_get_tuple():
    """Return upstream's `SqliteSaver.get_tuple`, replaced or not."""
    from langgraph.checkpoint import sqlite

    held = sqlite.SqliteSaver.get_tuple
    return stock_get if held is get_tuple else held


def make_put_writes(original, Tally tally not None, str variant):
    global SqliteSaver, stock_put_writes, put_writes_tally
    SqliteSaver = original.__globals__["SqliteSaver"]
    stock_put_writes, put_writes_tally = original, tally
    return put_writes


def make_get_tuple(original, Tally tally not None, str variant):
    global SqliteSaver, stock_get, get_tally
    SqliteSaver = original.__globals__["SqliteSaver"]
    stock_get, get_tally = original, tally
    return get_tuple
