"""The stored subscriptions of a phone, as JSON. They end in wall-clock time there."""

from collections.abc import Iterable
from functools import partial
import time
from typing import Any

from ..sip import (
    MAX_DIALOG,
    MAX_SUBSCRIPTIONS_OF_PHONE,
    PACKAGES,
    DialogKey,
    Subscription,
    Uri,
    is_token,
    make_address,
    parse_address,
    parse_event,
    parse_path,
    parse_route,
    parse_uri,
    readable,
)
from .stored import Fields, loaded

GAP = 10_000
"""By how much the CSeq and the version of the next NOTIFY rise over a restart: more NOTIFYs
than one subscription has had since it was written, a minute before at most. A phone refuses a
CSeq that is not higher (RFC 3261 12.2.2), and ignores such a version (RFC 4235 4.3)."""


def save_subscriptions(
    subscriptions: Iterable[Subscription], now: float
) -> list[dict[str, Any]]:
    """Return subscriptions as JSON; `now` is the time in their clock.

    Left out, as of bindings: those by a connection, or not UTF-8.
    """
    return [
        _save(subscription, now)
        for subscription in subscriptions
        if not subscription.flow.ends and _is_text(subscription)
    ]


def _is_text(subscription: Subscription) -> bool:
    texts = (
        *subscription.key,
        subscription.resource,
        subscription.local.text,
        subscription.remote.text,
        subscription.target.text,
        *subscription.route,
        *(subscription.path or ()),
    )
    text = "".join(filter(None, texts))
    return readable(text) == text


def _save(subscription: Subscription, now: float) -> dict[str, Any]:
    call_id, local_tag, remote_tag = subscription.key
    return {
        "event": str(subscription.event),
        "resource": subscription.resource,
        "call_id": call_id,
        "local_tag": local_tag,
        "remote_tag": remote_tag,
        "local": subscription.local.text,
        "remote": subscription.remote.text,
        "secure": subscription.is_secure,
        "route": list(subscription.route),
        "path": None if subscription.path is None else list(subscription.path),
        "target": subscription.target.text,
        "flow": list(subscription.flow[:3]),
        "forwarded": subscription.forwarded,
        "remote_cseq": subscription.remote_cseq,
        "local_cseq": subscription.local_cseq,
        "version": subscription.version,
        "expires_at": time.time() + subscription.expires_at - now,
    }


def load_subscriptions(saved: object, extension: str, now: float) -> list[Subscription]:
    """Return those of `save_subscriptions`, the oldest first; broken ones are left out.

    Their next NOTIFY has a CSeq and a version that are higher than all before.
    """
    load = partial(_load, extension=extension, now=now)
    what = f"subscriptions of phone {extension}"
    return loaded(saved, what, load, slice(-MAX_SUBSCRIPTIONS_OF_PHONE, None))


def _load(item: object, *, extension: str, now: float) -> Subscription:
    """Return a subscription. Raises KeyError, TypeError or ValueError if it is broken.

    The limits are those of the notifier.
    """
    fields = Fields(item)
    event = parse_event(fields.text("event", MAX_DIALOG))
    if event.package not in PACKAGES or not event.parameters.keys() <= {"id"}:
        raise ValueError("its event is none of ours")
    if "id" in event.parameters and not is_token(event.parameters["id"] or ""):
        raise ValueError("the id of its event is no token")
    key = DialogKey(
        fields.text("call_id", MAX_DIALOG),
        fields.text("local_tag", MAX_DIALOG),
        fields.optional_text("remote_tag", MAX_DIALOG),
    )
    local, remote, target = (
        _uri(fields, name) for name in ("local", "remote", "target")
    )
    for uri, tag in ((local, key.local_tag), (remote, key.remote_tag)):
        if parse_address(make_address(uri, tag=tag).text).tag != tag:
            raise ValueError("a tag is none of a header")
    if remote.user != extension:
        raise ValueError("it is that of another phone")
    if target.scheme == "sips":
        raise ValueError("its target needs TLS")
    subscription = Subscription(
        user=extension,
        event=event,
        resource=fields.text("resource", MAX_DIALOG),
        key=key,
        local=local,
        remote=remote,
        is_secure=fields.get("secure", bool),
        route=parse_route(fields.texts("route", MAX_DIALOG)),
        target=target.target,
        flow=fields.flow(),
        forwarded=fields.get("forwarded", bool),
        path=(
            None
            if fields.item.get("path") is None
            else parse_path(fields.texts("path", MAX_DIALOG))
        ),
        remote_cseq=fields.number("remote_cseq"),
        expires_at=fields.expires_at(now),
        local_cseq=fields.number("local_cseq") + GAP,
        version=fields.number("version", least=-1) + GAP,
    )
    if max(subscription.local_cseq, subscription.version) >= 2**31:
        raise ValueError("a number is out of bounds")
    if subscription.size > MAX_DIALOG:
        raise ValueError("it is too long")
    return subscription


def _uri(fields: Fields, name: str) -> Uri:
    uri = parse_uri(fields.text(name, MAX_DIALOG)).with_scheme
    if not uri.is_sip:
        raise ValueError(f"{name} is no SIP URI")
    return uri
