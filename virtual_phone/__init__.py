"""A software snom phone for the demo and the tests, built on the engine's SIP.

`phone` is the phone, `identity` its SIP user agent, `invite` its INVITE transaction.
`app` is its screen in a terminal, `face` the lamp and words of a key, `headless` the phone
without a screen.
"""

from .phone import Entry, Kind, VirtualPhone

__all__ = ["Entry", "Kind", "VirtualPhone"]
