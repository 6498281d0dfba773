"""Hardware addresses: which phone's device has which.

One phone can register several identities, each a device of its own; Home Assistant takes
a hardware address for one device only.
"""

from collections.abc import Mapping

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from ..engine.phones import Signal
from .phone import SnomPhone


class HardwareAddresses:
    """The hardware addresses of all phones of one server."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry_id: str,
        phones: Mapping[str, SnomPhone],
        identified: Signal[SnomPhone],
    ) -> None:
        """Assign addresses at each `identified`; `phones` are the phones by extension."""
        self._hass = hass
        self._entry_id = entry_id
        self._phones = phones
        identified.subscribe(self._async_assign)

    @callback
    def _async_assign(self, identified: SnomPhone) -> None:
        """Assign the address of a phone, and those that it had until now."""
        for phone in (identified, *self._phones.values()):
            self._async_claim(phone)

    @callback
    def _async_claim(self, phone: SnomPhone) -> None:
        """Give a phone its address, unless another phone that names it has it."""
        if phone.connection is None:
            return
        registry = dr.async_get(self._hass)
        holder = registry.async_get_device_by_connection(
            phone.connection, self._entry_id
        )
        if holder is not None:
            if holder.id == phone.device_id or any(
                other.device_id == holder.id and other.connection == phone.connection
                for other in self._phones.values()
            ):
                return
            registry.async_update_device(
                holder.id, new_connections=holder.connections - {phone.connection}
            )
        registry.async_update_device(
            phone.device_id, new_connections={phone.connection}
        )
