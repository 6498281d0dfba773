"""Hardware addresses: which phone's device has which.

A phone can register several identities, but an address is for one device only.
"""

from collections.abc import Mapping

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .phone import SnomPhone


@callback
def async_assign_addresses(
    hass: HomeAssistant,
    entry_id: str,
    phones: Mapping[str, SnomPhone],
    identified: SnomPhone,
) -> None:
    """Give a phone its address, then other phones theirs, which may be free now.

    An address stays with another phone's device while that phone names it, too.
    """
    registry = dr.async_get(hass)
    for phone in (identified, *phones.values()):
        if phone.connection is None:
            continue
        holder = registry.async_get_device_by_connection(phone.connection, entry_id)
        if holder is not None:
            if holder.id == phone.device_id or any(
                other.device_id == holder.id and other.connection == phone.connection
                for other in phones.values()
            ):
                continue
            registry.async_update_device(
                holder.id, new_connections=holder.connections - {phone.connection}
            )
        registry.async_update_device(
            phone.device_id, new_connections={phone.connection}
        )
