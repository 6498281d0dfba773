"""The dialogues, where Home Assistant looks for them."""

from .flows.server import SnomConfigFlow

__all__ = ["SnomConfigFlow"]
