"""The keys of a phone as they are arranged on it and on its expansion modules."""

from collections.abc import Iterable, Sequence
from itertools import batched
from typing import Final, NamedTuple

from .models import Layout, Model

GENERIC_COLUMNS: Final = 4
"""The columns of keys whose place is not known."""
GENERIC_ROWS: Final = 8


class KeyGroup(NamedTuple):
    """The keys of a phone, or of one of its modules."""

    module: str
    """The model of the module; "" for the phone itself."""
    layout: Layout | None
    """None if it is not known."""
    columns: int
    rows: int
    """Of one page."""
    keys: tuple[str, ...]
    """The names by position, row by row and page by page; "" for none."""


def key_groups(
    names: Sequence[str], model: Model | None, modules: Iterable[Model] = ()
) -> list[KeyGroup]:
    """Return where keys are that are named by their numbers.

    The keys of the modules follow those of the phone. Keys that have no place there are
    a group of the phone without a layout, as are all if the model is not known.
    """
    left = dict.fromkeys(names)
    groups: list[KeyGroup] = []
    first = 1
    if model is not None and model.layout is not None:
        for each in (model, *modules):
            numbers = [str(number) for number in range(first, first + each.keys)]
            groups.append(_group("" if each is model else each.name, each, numbers))
            for number in numbers:
                left.pop(number, None)
            first += each.keys
    if left:
        groups.append(_unplaced("", tuple(left)))
    return groups


def _group(module: str, model: Model, names: list[str]) -> KeyGroup:
    layout = model.layout
    if layout is None:
        return _unplaced(module, tuple(names))
    keys = [
        key
        for page in batched(names, layout.columns * layout.rows, strict=False)
        for key in _by_rows(page, layout)
    ]
    return KeyGroup(module, layout, layout.columns, layout.rows, tuple(keys))


def _by_rows(page: Sequence[str], layout: Layout) -> list[str]:
    """Return the names of a page row by row; phones count column by column."""
    rows = layout.rows
    padded = [*page, *[""] * (layout.columns * rows - len(page))]
    return [padded[at] for row in range(rows) for at in range(row, len(padded), rows)]


def _unplaced(module: str, names: tuple[str, ...]) -> KeyGroup:
    rows = min(GENERIC_ROWS, -(-len(names) // GENERIC_COLUMNS))
    return KeyGroup(module, None, GENERIC_COLUMNS, rows, names)
