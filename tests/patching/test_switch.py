"""Targets go on and off, whatever happens to the sites meanwhile."""

from __future__ import annotations

import functools
import importlib
import threading
from typing import Any

import pytest

from fastgraph import PatchError
from fastgraph.patching.switch import Switch

STOCK, FAST = ("stock", 1), ("fast", 1)


def patch(switch: Switch, *names: str, strict: bool = False) -> dict[str, str]:
    return switch.patch(names or list(switch.targets), "compiled", strict=strict)


def states(switch: Switch, name: str = "work") -> list[str]:
    status = next(status for status in switch.statuses() if status.name == name)
    return [site.state for site in status.sites]


def reason(switch: Switch, name: str = "work") -> str | None:
    return next(status.reason for status in switch.statuses() if status.name == name)


def test_every_site_gets_the_replacement_and_the_original_back(fake: Any) -> None:
    core, user, switch = fake.core, fake.user, fake.switch()
    original = core.work
    assert patch(switch) == {}
    assert core.work(1) == user.work(1) == FAST
    assert core.work is user.work
    assert states(switch) == ["ours", "ours"]
    assert switch.is_active("work") and reason(switch) is None
    assert switch.unpatch() == []
    assert core.work is user.work is original
    assert states(switch) == ["stock", "stock"]
    assert not switch.is_active("work") and reason(switch) == "not patched"


def test_importing_before_or_after_makes_no_difference(fake: Any) -> None:
    switch = fake.switch()
    patch(switch)
    assert fake.user.work(1) == FAST


def test_patching_twice_is_patching_once(fake: Any) -> None:
    switch = fake.switch()
    patch(switch)
    replacement = fake.core.work
    patch(switch)
    assert fake.core.work is replacement
    assert len(fake.built) == 1
    switch.unpatch()
    switch.unpatch()
    assert fake.core.work(1) == STOCK


def test_patching_again_sets_the_same_object(fake: Any) -> None:
    switch = fake.switch()
    patch(switch)
    replacement = fake.core.work
    switch.unpatch()
    patch(switch)
    assert fake.core.work is fake.user.work is replacement
    assert len(fake.built) == 1


def test_the_factory_gets_the_original_the_tally_and_the_variant(fake: Any) -> None:
    original, switch = fake.core.work, fake.switch()
    patch(switch)
    [(given, tally, variant)] = fake.built
    assert given is original
    assert tally.name == "work"
    assert variant == "only"


def test_calls_and_fallbacks_are_in_the_status(fake: Any) -> None:
    switch = fake.switch()
    patch(switch)
    assert [fake.core.work(value) for value in (1, "odd", "odd")][1:] == [("stock", "odd")] * 2
    [status] = switch.statuses()
    assert status.calls == 3
    assert status.fallbacks == {"the value is odd": 2}
    assert status.variant == "only"


def test_targets_are_patched_one_by_one(fake: Any) -> None:
    helper = fake.target("helper", ("core:helper",), ("core:helper",))
    switch = fake.switch(fake.target(), helper)
    patch(switch, "work")
    assert switch.is_active("work") and not switch.is_active("helper")
    # The source `helper` of `work` now is ours, which must not look foreign.
    switch.unpatch()
    patch(switch, "helper")
    assert patch(switch) == {}
    assert switch.is_active("work") and switch.is_active("helper")
    switch.unpatch(["helper"])
    assert switch.is_active("work") and not switch.is_active("helper")


def test_a_site_this_release_lacks_is_skipped(fake: Any) -> None:
    sites = ("core:work", "user:gone", "nowhere:work", "core.deeper:work", "user:work")
    switch = fake.switch(fake.target(sites=sites))
    assert patch(switch, strict=True) == {}
    assert states(switch) == ["ours", "absent", "absent", "absent", "ours"]


@pytest.mark.parametrize("attribute", ["Loop.tick", "Derived.tick"])
def test_a_method_is_replaced_and_restored_where_it_was(fake: Any, attribute: str) -> None:
    loop, derived = fake.core.Loop, fake.core.Derived
    before = dict(vars(loop)), dict(vars(derived))
    sites = ("core:Loop.tick", f"core:{attribute}")
    target = fake.target("tick", tuple(dict.fromkeys(sites)), ("core:Loop.tick",), "make_tick")
    switch = fake.switch(target)
    assert patch(switch) == {}
    instance = derived()
    assert instance.tick() == ("fast", instance)
    switch.unpatch()
    assert instance.tick() == ("stock", instance)
    assert (dict(vars(loop)), dict(vars(derived))) == before


def test_an_inherited_method_alone_is_deleted_again(fake: Any) -> None:
    fake.write("sub", "from .core import Loop\nclass Sub(Loop):\n    pass\n")
    sub = fake.module("sub").Sub
    sites = ("core:Loop.tick", "sub:Sub.tick")
    switch = fake.switch(fake.target("tick", sites, ("core:Loop.tick",), "make_tick"))
    patch(switch)
    assert sub().tick()[0] == "fast"
    switch.unpatch()
    assert "tick" not in vars(sub)
    assert sub().tick()[0] == "stock"


def test_a_lazy_module_attribute_is_deleted_again(fake: Any) -> None:
    fake.write(
        "lazy",
        """
        def __getattr__(name):
            if name == "work":
                from .core import work
                return work
            raise AttributeError(name)
        """,
    )
    switch = fake.switch(fake.target(sites=("core:work", "lazy:work")))
    lazy = fake.module("lazy")
    original = lazy.work
    assert patch(switch) == {}
    assert lazy.work(1) == FAST
    switch.unpatch()
    assert "work" not in vars(lazy)
    assert lazy.work is original


def test_static_and_class_methods_keep_their_kind(fake: Any) -> None:
    loop = fake.core.Loop
    still = fake.target("still", ("core:Loop.still",), ("core:Loop.still",), "make_work")
    made = fake.target("made", ("core:Loop.made",), ("core:Loop.made",), "make_made")
    switch = fake.switch(still, made)
    before = dict(vars(loop))
    assert patch(switch) == {}
    assert loop.still(1) == loop().still(1) == FAST
    assert loop.made(1) == fake.core.Loop().made(1) == ("fast", loop, 1)
    switch.unpatch()
    assert dict(vars(loop)) == before


def wrapped(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(value: object) -> object:
        return "wrapped", function(value)

    return wrapper


def test_somebody_was_there_before_us(fake: Any) -> None:
    assert fake.user.work(1) == STOCK
    fake.core.work = foreign = wrapped(fake.core.work)
    switch = fake.switch()
    reasons = patch(switch)
    assert reasons["work"] == (
        f"{fake.name}.core:work is held by {__name__}.{qualified('wrapped', 'wrapper')}, "
        "not by upstream's function"
    )
    assert fake.core.work is foreign
    assert fake.user.work(1) == STOCK
    assert not switch.is_active("work")


def qualified(function: str, inner: str) -> str:
    # Code objects know their qualified name from Python 3.11 on.
    code = (lambda: None).__code__
    return f"{function}.<locals>.{inner}" if hasattr(code, "co_qualname") else inner


def test_somebody_was_at_another_site_before_us(fake: Any) -> None:
    fake.user.work = foreign = functools.partial(fake.core.work)
    switch = fake.switch()
    assert (
        f"{fake.name}.user:work is held by an instance of functools.partial"
        in (patch(switch)["work"])
    )
    assert fake.core.work(1) == STOCK
    assert fake.user.work is foreign
    assert states(switch) == ["stock", "foreign"]


def test_somebody_came_after_us(fake: Any) -> None:
    switch = fake.switch()
    patch(switch)
    replacement = fake.core.work
    fake.core.work = foreign = wrapped(replacement)
    assert states(switch) == ["foreign", "ours"]
    assert switch.is_active("work")
    assert "core:work is held by" in (reason(switch) or "")
    [left] = switch.unpatch()
    assert left.startswith(f"{fake.name}.core:work is held by {__name__}.")
    assert fake.core.work is foreign
    assert fake.user.work(1) == STOCK
    assert not switch.is_active("work")
    assert reason(switch) == f"not patched; {left}"
    assert switch.unpatch() == []
    assert fake.core.work(1) == ("wrapped", FAST)


def test_somebody_puts_our_replacement_back_after_we_left(fake: Any) -> None:
    switch = fake.switch()
    patch(switch)
    replacement = fake.core.work
    fake.core.work = wrapped(replacement)
    switch.unpatch()
    fake.core.work = replacement
    assert switch.is_active("work")
    assert reason(switch) == "restored, then put back by somebody else"
    switch.unpatch()
    assert fake.core.work(1) == STOCK


def test_patching_again_mends_a_site_that_went_back_to_stock(fake: Any) -> None:
    switch = fake.switch()
    original = fake.core.work
    patch(switch)
    fake.user.work = original
    assert states(switch) == ["ours", "stock"]
    patch(switch)
    assert states(switch) == ["ours", "ours"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_site_that_appears_later_joins_in(fake: Any, when: str) -> None:
    # As if `user` was half imported, in another thread, while we patched.
    original, user = fake.core.work, fake.user
    del user.work
    switch = fake.switch()
    assert patch(switch) == {}
    assert states(switch) == ["ours", "absent"]
    user.work = original if when == "before" else fake.core.work
    assert states(switch) == ["ours", "stock" if when == "before" else "ours"]
    patch(switch)
    assert states(switch) == ["ours", "ours"]
    switch.unpatch()
    assert fake.core.work is user.work is original


def test_a_late_site_is_restored_without_patching_again(fake: Any) -> None:
    original, user = fake.core.work, fake.user
    del user.work
    switch = fake.switch()
    patch(switch)
    user.work = fake.core.work
    switch.unpatch()
    assert user.work is original


def test_a_reloaded_module_is_patched_anew(fake: Any) -> None:
    switch = fake.switch(fake.target(sites=("core:work",)))
    patch(switch)
    importlib.reload(fake.core)
    assert states(switch) == ["stock"]
    assert patch(switch) == {}
    assert fake.core.work(1) == FAST
    assert len(fake.built) == 2
    switch.unpatch()
    assert fake.core.work(1) == STOCK


def test_strict_changes_nothing_when_one_target_stays_stock(fake: Any) -> None:
    unknown = fake.target("helper", ("core:helper",), ("core:helper",), variants=())
    switch = fake.switch(fake.target(), unknown)
    with pytest.raises(PatchError, match="unknown source") as caught:
        patch(switch, strict=True)
    assert set(caught.value.reasons) == {"helper"}
    assert states(switch) == ["stock", "stock"]
    assert not switch.is_active("work")
    patch(switch)
    assert switch.is_active("work")
    with pytest.raises(PatchError):
        patch(switch, strict=True)
    assert switch.is_active("work")


class Stubborn(type(functools)):  # type: ignore[misc]
    """A module whose attribute `work` does not change."""

    def __setattr__(self, name: str, value: object) -> None:
        if name != "work":
            super().__setattr__(name, value)


class Refusing(type(functools)):  # type: ignore[misc]
    """A module whose attribute `work` may not be set."""

    def __setattr__(self, name: str, value: object) -> None:
        if name == "work":
            raise TypeError("hands off")
        super().__setattr__(name, value)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Stubborn, "user:work did not take the replacement"),
        (Refusing, "user:work cannot be replaced (TypeError: hands off)"),
    ],
)
def test_a_site_that_resists_rolls_its_target_back(fake: Any, kind: type, said: str) -> None:
    helper = fake.target("helper", ("core:helper",), ("core:helper",))
    switch = fake.switch(helper, fake.target())
    fake.user.__class__ = kind
    assert patch(switch)["work"] == f"{fake.name}.{said}"
    assert fake.core.work(1) == STOCK
    assert switch.is_active("helper") and not switch.is_active("work")
    switch.unpatch()
    with pytest.raises(PatchError, match="user:work"):
        patch(switch, strict=True)
    assert not switch.is_active("helper") and not switch.is_active("work")


def test_going_back_to_what_was_on(fake: Any) -> None:
    helper = fake.target("helper", ("core:helper",), ("core:helper",))
    switch = fake.switch(fake.target(), helper)
    patch(switch, "work")
    found = switch.on()
    patch(switch)
    switch.unpatch(["work"])
    switch.go_back_to(found)
    assert switch.is_active("work") and not switch.is_active("helper")
    assert switch.on() == {"work"}


def test_threads_may_call_while_others_flip_the_switch(fake: Any) -> None:
    switch, user = fake.switch(), fake.user
    stop, wrong = threading.Event(), []

    def call() -> None:
        while not stop.is_set():
            result = user.work(1)
            if result not in (STOCK, FAST):
                wrong.append(result)

    def flip(strict: bool) -> None:
        for _ in range(100):
            try:
                patch(switch, strict=strict)
                switch.statuses()
                switch.unpatch()
            except Exception as error:
                wrong.append(error)

    callers = [threading.Thread(target=call) for _ in range(2)]
    flippers = [threading.Thread(target=flip, args=(strict,)) for strict in (True, False, True)]
    for thread in callers + flippers:
        thread.start()
    for thread in flippers:
        thread.join()
    stop.set()
    for thread in callers:
        thread.join()
    assert wrong == []
    assert len(fake.built) == 1
    switch.unpatch()
    assert fake.core.work(1) == user.work(1) == STOCK
