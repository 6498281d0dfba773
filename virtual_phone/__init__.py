"""A software snom phone for the demo and the tests, on the integration's own sip stack.

`phone` is the phone without a face, `app` its face in a terminal, `face` what a person
sees of a key, `invite` the dialling that the sip package has no need of.
"""

from .phone import Entry, Kind, VirtualPhone

__all__ = ["Entry", "Kind", "VirtualPhone"]
