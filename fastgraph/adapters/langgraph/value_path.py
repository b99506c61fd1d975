"""Where in the state the value is that cannot be serialized: a note on the error.

Nothing of this runs unless encoding failed. The way to the value is what the encoder had under way
when it failed; nothing is looked at twice. Which channel it is in, upstream's savers know, which
encode channel by channel: they are asked by their frames. A checkpoint that is encoded as a whole
has its channels in it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any, TypeAlias

from langgraph.checkpoint.serde import jsonplus

ITEM, KEY, ATTRIBUTE, FIELD = range(4)

#: Steps and what they are taken by, the innermost first.
Path: TypeAlias = list[tuple[int, Any]]

#: Where upstream's savers encode one value of a channel: what they call the channel.
CHANNELS = {
    ("langgraph.checkpoint.memory", "put"): "k",
    ("langgraph.checkpoint.memory", "put_writes"): "c",
    ("langgraph.checkpoint.sqlite", "put_writes"): "channel",
    ("langgraph.checkpoint.sqlite.aio", "aput_writes"): "channel",
    ("langgraph.checkpoint.postgres.base", "_dump_blobs"): "k",
    ("langgraph.checkpoint.postgres.base", "_dump_writes"): "channel",
    ("langgraph.checkpoint.postgres.shallow", "_dump_blobs"): "k",
}
COMPREHENSIONS = ("<listcomp>", "<dictcomp>", "<genexpr>")
#: Of a long way, so many steps are told from either end.
ENOUGH = 8
MARK = "at "
WHOLE = "the value"

# The way within the value of an extension that upstream's own ladder encoded: of which error.
_nested: list[tuple[int, Path, str | None]] = []


def noted(error: TypeError, value: object, path: Path | None, name: str | None) -> TypeError:
    """Note on an error where the value is that it is about.

    Parameters
    ----------
    error : TypeError
        Not raised yet.
    value : object
        What was to be encoded.
    path : list of tuple, optional
        The steps from it to what failed, the innermost first.
    name : str, optional
        The name of the class of what failed.

    Returns
    -------
    TypeError
        The same.
    """
    steps = path or []
    caller = sys._getframe().f_back
    if caller is not None and caller.f_code is jsonplus._msgpack_default.__code__:
        _nested[:] = [(id(error), steps, name)]
    else:
        channel = channel_of(caller, value)
        text = described(steps, channel)
        add_note(error, f"{MARK}{text} ({name})" if name else f"{MARK}{text}")
    return error


def within(error: BaseException) -> tuple[Path, str | None]:
    """The way to what failed, within an object that upstream's own ladder was asked about."""
    if _nested and _nested[-1][0] == id(error):
        _, path, name = _nested.pop()
        # The ladder encodes module, name and what it made of the object.
        return path[:-1] if path[-1:] == [(ITEM, 2)] else path, name
    return [], None


def name_channel(error: BaseException, channel: str) -> None:
    """Name the channel in the note, for a caller that upstream's frames do not tell it of.

    Parameters
    ----------
    error : BaseException
        What encoding a value of the channel raised.
    channel : str
        Its name.
    """
    notes = getattr(error, "__notes__", None)
    whole = MARK + WHOLE
    if notes and isinstance(notes[-1], str) and notes[-1].startswith(whole):
        notes[-1] = MARK + quoted(channel) + notes[-1][len(whole) :]


def add_note(error: BaseException, text: str) -> None:
    """`BaseException.add_note`, which Python 3.10 has not."""
    if hasattr(error, "add_note"):
        error.add_note(text)
    else:
        notes = [*getattr(error, "__notes__", ()), text]
        error.__notes__ = notes  # type: ignore[attr-defined]


def described(path: Path, channel: object) -> str:
    """A path as text: ``channel "docs" -> [3] -> .client``."""
    steps = path[::-1]
    start = WHOLE if channel is None else quoted(channel)
    if channel is None and len(steps) > 1 and steps[0] == (KEY, "channel_values"):
        start, steps = quoted(steps[1][1]), steps[2:]
    named = list(parts(steps))
    if len(named) > 2 * ENOUGH:
        left_out = len(named) - 2 * ENOUGH
        named = [*named[:ENOUGH], f"({left_out} more)", *named[-ENOUGH:]]
    return " -> ".join([start, *named])


def quoted(channel: object) -> str:
    return f'channel "{channel}"' if isinstance(channel, str) else f"channel {safe(channel)}"


def parts(steps: Path) -> Iterator[str]:
    """Each step as text. What a model dumps is a dict, whose keys are its fields."""
    is_field = False
    for step, by in steps:
        if step == FIELD:
            is_field = True
            continue
        if step == ATTRIBUTE or (is_field and step == KEY and isinstance(by, str)):
            yield f".{by}"
        else:
            yield f"[{safe(by)}]"
        is_field = False


def safe(by: object) -> str:
    """A key as text, without asking what a user wrote."""
    return repr(by) if type(by) in (str, int, float, bool, bytes, type(None)) else type(by).__name__


def channel_of(frame: FrameType | None, value: object) -> object:
    """The channel that a saver is encoding a value of; None if no saver of upstream's is."""
    while frame is not None and frame.f_code.co_name == "dumps_typed":
        frame = frame.f_back
    if frame is None:
        return None
    around: FrameType | None = frame
    if frame.f_code.co_name in COMPREHENSIONS:
        around = frame.f_back
    if around is None:
        return None
    names = around.f_globals.get("__name__"), around.f_code.co_name
    channel = CHANNELS.get(names)  # type: ignore[arg-type]
    if channel is None:
        return None
    found = frame.f_locals  # which the frame keeps: it is one that ends with this error
    if channel not in found:
        return None
    name = found[channel]
    values = found.get("values")
    own = values.get(name) if isinstance(values, dict) else found.get("value", found.get("v"))
    return name if own is value else None
