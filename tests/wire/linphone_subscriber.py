"""Linphone's library as a phone that subscribes to the dialogs of a number, as a program.

`linphone_subscriber.py CONFIGURATION ADDRESS` prints the states of its registration and
of its subscription, and the document of each NOTIFY on a line. It ends the subscription
at a line of its standard input. The commands of linphonec have no subscription to dialogs.
"""

from __future__ import annotations

from ctypes import CDLL, CFUNCTYPE, c_char_p, c_int, c_void_p
import select
import sys
from typing import Any

LIBRARY = CDLL("liblinphone.so.10")
REGISTERED = 2
"""LinphoneRegistrationOk."""
SUBSCRIPTIONS = {4: "active", 5: "terminated", 6: "error"}
"""Some of LinphoneSubscriptionState."""
EXPIRES = 600
TURN = 0.02

On = CFUNCTYPE(None, c_void_p, c_void_p, c_int)
OnRegistration = CFUNCTYPE(None, c_void_p, c_void_p, c_int, c_char_p)
OnNotify = CFUNCTYPE(None, c_void_p, c_void_p, c_char_p, c_void_p)


P, S, N = c_void_p, c_char_p, c_int
FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "factory_get": (P,),
    "factory_create_core_cbs": (P, P),
    "factory_create_core_3": (P, P, S, S, P),
    "factory_create_address": (P, P, S),
    "core_cbs_set_notify_received": (None, P, OnNotify),
    "core_cbs_set_subscription_state_changed": (None, P, On),
    "core_cbs_set_registration_state_changed": (None, P, OnRegistration),
    "core_add_callbacks": (None, P, P),
    "core_start": (N, P),
    "core_iterate": (None, P),
    "core_subscribe": (P, P, P, S, N, P),
    "content_get_utf8_text": (S, P),
    "event_terminate": (None, P),
}
"""The result and the arguments of what is called."""


def call(name: str, *arguments: Any) -> Any:
    """Call a function of the library."""
    function = LIBRARY[f"linphone_{name}"]
    function.restype, *function.argtypes = FUNCTIONS[name]
    return function(*arguments)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(configuration: str, address: str) -> None:
    """Register, and subscribe until the subscription has ended."""
    registered, ended = False, False

    @OnRegistration
    def registration(_core: int, _account: int, state: int, _message: bytes) -> None:
        nonlocal registered
        registered = state == REGISTERED

    @On
    def subscription(_core: int, _event: int, state: int) -> None:
        nonlocal ended
        said = SUBSCRIPTIONS.get(state, f"{state}")
        ended = said == "terminated"
        say(f"subscription {said}")

    @OnNotify
    def notify(_core: int, _event: int, package: bytes, content: int | None) -> None:
        body = call("content_get_utf8_text", content) if content else b""
        say(f"{package.decode()} {' '.join(body.decode().split())}")

    factory = call("factory_get")
    callbacks = call("factory_create_core_cbs", factory)
    call("core_cbs_set_notify_received", callbacks, notify)
    call("core_cbs_set_subscription_state_changed", callbacks, subscription)
    call("core_cbs_set_registration_state_changed", callbacks, registration)
    core = call("factory_create_core_3", factory, configuration.encode(), None, None)
    call("core_add_callbacks", core, callbacks)
    call("core_start", core)
    event = None
    while not ended:
        call("core_iterate", core)
        if event is None and registered:
            to = call("factory_create_address", factory, address.encode())
            event = call("core_subscribe", core, to, b"dialog", EXPIRES, None)
        if select.select([sys.stdin], [], [], TURN)[0] and sys.stdin.readline():
            call("event_terminate", event)
    for _ in range(25):  # the last requests are sent
        call("core_iterate", core)
        select.select([], [], [], TURN)


if __name__ == "__main__":
    main(*sys.argv[1:])
