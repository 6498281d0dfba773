"""A software desk phone for the demo and the tests, built on the engine's SIP."""

from .factory import FactoryPhone
from .phone import Entry, Kind, VirtualPhone

__all__ = ["Entry", "FactoryPhone", "Kind", "VirtualPhone"]
