"""Where the keys of a phone are."""

import pytest

from custom_components.snom_buttons.engine.phones import (
    EXPANSIONS,
    MODELS,
    MODULES,
    KeyGroup,
    Model,
    key_groups,
    modules_of,
)


def named(count: int, first: int = 1) -> list[str]:
    return [str(number) for number in range(first, first + count)]


@pytest.mark.parametrize("model", [*MODELS.values(), *MODULES.values()])
def test_each_key_of_a_model_is_in_one_place(model: Model) -> None:
    [group] = key_groups(named(model.keys), model)
    keys = [key for key in group.keys if key]
    assert sorted(keys, key=int) == named(model.keys)
    assert group.layout == model.layout
    if model.layout is not None:
        page = model.layout.columns * model.layout.rows
        assert (group.columns, group.rows) == (model.layout.columns, model.layout.rows)
        # paper has one page
        assert not model.layout.on_paper or model.keys == page
        assert len(group.keys) % page == 0


def test_a_page_is_counted_column_by_column() -> None:
    [group] = key_groups(named(32), MODELS["D735"])
    assert group.keys[:8] == ("1", "5", "2", "6", "3", "7", "4", "8")
    assert group.keys[8:10] == ("9", "13")


def test_keys_of_modules_follow_those_of_the_phone() -> None:
    groups = key_groups(named(60), MODELS["D785"], modules_of("2x D7"))
    assert [(group.module, len(group.keys)) for group in groups] == [
        ("", 24),
        ("D7", 18),
        ("D7", 18),
    ]
    assert groups[1].keys[:2] == ("25", "34")
    assert groups[2].keys[-1] == "60"


def test_a_module_whose_layout_is_not_known() -> None:
    _, module = key_groups(named(72), MODELS["D785"], modules_of("1x D7C"))
    assert module == KeyGroup("D7C", None, 4, 8, tuple(named(48, 25)))


def test_positions_of_keys_that_are_not_set_up_stay() -> None:
    [group] = key_groups(["2"], MODELS["D717"])
    assert group.keys == ("1", "2", "3")


def test_keys_that_have_no_place() -> None:
    groups = key_groups(["1", "7", "door", "01"], MODELS["D717"])
    assert groups[1:] == [KeyGroup("", None, 4, 1, ("7", "door", "01"))]


def test_keys_of_an_unknown_model() -> None:
    assert key_groups([], None) == []
    [group] = key_groups(named(50), None, modules_of("1x D7"))
    assert group == KeyGroup("", None, 4, 8, tuple(named(50)))


@pytest.mark.parametrize("expansion", [*EXPANSIONS, "", "4x D7", "1x D9", "none"])
def test_the_modules_of_an_expansion(expansion: str) -> None:
    modules = modules_of(expansion)
    assert sum(module.keys for module in modules) == EXPANSIONS.get(expansion, 0)
