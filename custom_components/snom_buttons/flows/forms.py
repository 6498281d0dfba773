"""Helpers of all dialogues: faults of a form, numbers, lists, and saving of subentries."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, override

import voluptuous as vol

from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigEntry,
    ConfigSubentry,
    ConfigSubentryFlow,
    SubentryFlowResult,
    UnknownEntry,
)
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.selector import (
    EntitySelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    ObjectSelector,
    ObjectSelectorConfig,
    ObjectSelectorField,
    Selector,
    TemplateSelector,
)

from ..engine.names import MAX_NAME, forbidden_in

WHOLE_FORM: Final = "base"
"""The field of a fault that belongs to no field, or to one that shows no errors."""


NAME_PLACEHOLDERS: Final = {"max_length": str(MAX_NAME)}
"""The placeholders of the texts of `name_error`."""


class Fault(NamedTuple):
    """A fault of one field, as long as it belongs to no form."""

    field: str
    error: str
    values: Mapping[str, str] = {}


class Faults:
    """The faults of the values of a form."""

    def __init__(self, placeholders: Mapping[str, str] | None = None) -> None:
        """Start without a fault; `placeholders` are the values without one."""
        self.errors: Final[dict[str, str]] = {}
        """The key of one error text for each wrong field."""
        self.placeholders: Final = dict(placeholders or {})
        """The values in the texts of the page and of its errors."""

    def __bool__(self) -> bool:
        """Return whether there is any fault."""
        return bool(self.errors)

    def add(self, field: str, error: str, /, **placeholders: str) -> None:
        """Add a fault. The first fault of a field is kept, later ones are ignored."""
        if field not in self.errors:
            self.errors[field] = error
            self.placeholders.update(placeholders)


def name_error(name: str) -> str | None:
    """Return the error of a name, None if it has none."""
    if len(name) > MAX_NAME:
        return "name_too_long"
    return "invalid_name" if forbidden_in(name) else None


def number(least: int, most: int, unit: str | None = None) -> NumberSelector:
    """Return a selector of a number, which may have a fraction."""
    config = NumberSelectorConfig(min=least, max=most, mode=NumberSelectorMode.BOX)
    if unit is not None:
        config["unit_of_measurement"] = unit
    return NumberSelector(config)


def whole_number(least: int, most: int, unit: str | None = None) -> vol.All[Any]:
    """Return a selector of a number without a fraction."""
    return vol.All(number(least, most, unit), vol.Coerce(int))


def required(selector: Selector[Any]) -> ObjectSelectorField:
    """Return a field of a list's objects that has no default."""
    return ObjectSelectorField(required=True, selector=selector)


class UncheckedEntitySelector(EntitySelector):
    """An entity within a list. The dialogue checks it, so that an error names its place."""

    @override
    def __call__(self, data: Any) -> Any:
        """Return what was chosen. Raises Invalid for what is no text."""
        return _text(data)


class UncheckedTemplateSelector(TemplateSelector):
    """A template within a list, as UncheckedEntitySelector."""

    @override
    def __call__(self, data: Any) -> Any:
        """Return what was written. Raises Invalid for what is no text."""
        return _text(data)


def _text(data: Any) -> Any:
    """Return a text or nothing. A list does not convert its values, as `cv.string` would."""
    if data and not isinstance(data, str):
        raise vol.Invalid("This must be a text")
    return data


class ListSelector(ObjectSelector):
    """A list of objects. ObjectSelector also accepts one object, and fails on others."""

    def __init__(
        self,
        translation_key: str,
        *,
        label: str,
        description: str,
        fields: dict[str, ObjectSelectorField],
    ) -> None:
        """Create a list that shows two fields of each object: `label`, `description`."""
        super().__init__(
            ObjectSelectorConfig(
                multiple=True,
                label_field=label,
                description_field=description,
                translation_key=translation_key,
                fields=fields,
            )
        )
        self.usual: Final = {
            name: field["default"]
            for name, field in fields.items()
            if "default" in field
        }
        """The defaults of fields. The frontend uses them only for a new object."""

    @override
    def __call__(self, data: Any) -> Any:
        """Return the list. Raises Invalid for anything else."""
        if not isinstance(data, list) or not all(isinstance(k, dict) for k in data):
            raise vol.Invalid("This must be a list of objects")
        return super().__call__(data)


class SnomSubentryFlow(ConfigSubentryFlow):
    """A dialogue that adds a subentry, or changes one."""

    @override
    def _get_entry(self) -> ConfigEntry:
        """Return the server. Raises AbortFlow if it was removed meanwhile."""
        try:
            return super()._get_entry()
        except UnknownEntry as error:
            raise AbortFlow("not_running") from error

    @callback
    @override
    def _get_reconfigure_subentry(self) -> ConfigSubentry:
        """Return the subentry that is changed. Raises AbortFlow as `_get_entry`."""
        self._get_entry()
        return super()._get_reconfigure_subentry()

    @property
    def _own(self) -> str | None:
        """The ID of the subentry that is changed, None for a new one."""
        return None if self.source == SOURCE_USER else self._reconfigure_subentry_id

    def _is_taken(self, unique_id: str) -> bool:
        """Return whether another subentry of this server has the unique ID."""
        return any(
            subentry.unique_id == unique_id and subentry.subentry_id != self._own
            for subentry in self._get_entry().subentries.values()
        )

    @callback
    def _async_save(
        self, title: str, data: dict[str, Any], unique_id: str
    ) -> SubentryFlowResult:
        """Add the subentry, or change it."""
        entry = self._get_entry()
        if self.source == SOURCE_USER:
            return self.async_create_entry(title=title, data=data, unique_id=unique_id)
        return self.async_update_and_abort(
            entry,
            self._get_reconfigure_subentry(),
            title=title,
            data=data,
            unique_id=unique_id,
        )
