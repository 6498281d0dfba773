"""The door by which Home Assistant finds the dialogues."""

from .flows.server import SnomConfigFlow

__all__ = ["SnomConfigFlow"]
