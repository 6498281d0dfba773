"""What the garbage collector of a bridge leaves out."""

from collections.abc import Iterator
import gc
import weakref

import pytest

from bridge.heap import Heap
from snom_buttons.phones import Change


class Circle:
    """An object that only the collector frees."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture
def phones() -> Iterator[set[str]]:
    before = gc.get_freeze_count()
    yield set()
    if not before:
        gc.unfreeze()


def heap_of(phones: set[str]) -> Heap:
    return Heap(lambda: phones)


def test_phones_that_have_come_are_left_out(phones: set[str]) -> None:
    heap = heap_of(phones)
    gc.unfreeze()
    heap.look()
    assert gc.get_freeze_count() == 0
    phones.add("44")
    heap.look()
    assert gc.get_freeze_count() > 0
    gc.unfreeze()
    heap.look()
    assert gc.get_freeze_count() == 0, "without a new phone nothing is done"


def test_few_of_many_are_left_out_once_no_more_come(phones: set[str]) -> None:
    heap = heap_of(phones)
    phones.update(map(str, range(100)))
    heap.look()
    gc.unfreeze()
    phones.add("one more")
    heap.look()
    assert gc.get_freeze_count() == 0
    heap.look()
    assert gc.get_freeze_count() > 0


def test_what_registrations_have_made_is_left_out_once_there_are_many(
    phones: set[str],
) -> None:
    heap = heap_of(phones)
    phones.update(map(str, range(100)))
    heap.look()
    heap.look()
    gc.unfreeze()
    for number in range(6):
        heap.changed(Change(f"{number}", only_label=True))
        heap.look()
        assert gc.get_freeze_count() == 0
        heap.changed(Change(f"{number}", registration=True))
    heap.look()
    assert gc.get_freeze_count() > 0
    gc.unfreeze()
    heap.look()
    assert gc.get_freeze_count() == 0


def test_what_has_gone_is_freed_once_no_more_goes(phones: set[str]) -> None:
    heap = heap_of(phones)
    circle = Circle()
    gone = weakref.ref(circle)
    phones.update(("44", "45"))
    heap.look()
    phones.remove("45")
    del circle
    gc.collect()
    heap.look()
    assert gone() is not None, "others may go in a moment"
    heap.look()
    assert gone() is None
    assert gc.get_freeze_count() > 0
