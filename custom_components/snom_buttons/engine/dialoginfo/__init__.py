"""What the lamp of a subscribed key shows, as the documents of NOTIFYs. Bytes only."""

from .document import Direction, Identity, format_dialog_info
from .state import STATES, DialogState, state_of
from .summary import MAX_COUNT, format_message_summary

__all__ = [
    "MAX_COUNT",
    "STATES",
    "DialogState",
    "Direction",
    "Identity",
    "format_dialog_info",
    "format_message_summary",
    "state_of",
]
