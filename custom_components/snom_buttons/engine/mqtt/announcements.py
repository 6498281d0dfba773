"""The announcements of phones to Home Assistants on the broker."""

from collections.abc import Callable, Iterable, Mapping

from ..phones import PhoneServer
from .client import Client, Received
from .discovery import discovery_payload, discovery_topic
from .left_behind import read_left_behind
from .payloads import ONLINE, as_json
from .publisher import MqttPublisher
from .setup import MqttSetup
from .topics import Topics


class Announcements:
    """Announces the phones of a server, if its setup says so.

    Of components that are gone the platform is announced, so that a Home Assistant removes
    them. So the platforms of all that were ever announced are kept, by topic.
    """

    def __init__(
        self,
        client: Client,
        publisher: MqttPublisher,
        server: PhoneServer,
        *,
        setup: Callable[[], MqttSetup | None],
        phone_ids: str,
        phone_id: Callable[[str], str | None],
    ) -> None:
        """Create it without an announcement.

        `setup` returns the current one; `phone_ids` and `phone_id` are those of
        MqttFollower.
        """
        self._client = client
        self._publisher = publisher
        self._server = server
        self._setup = setup
        self._phone_ids = phone_ids
        self._phone_id = phone_id
        self._platforms: dict[str, dict[str, str]] = {}
        """The platforms of components by their names, by topic."""
        self._recalled: dict[str, list[str]] = {}
        """The topics of announcements of an earlier run, by phone."""

    def __contains__(self, topic: object) -> bool:
        """Return whether a phone was ever announced on a topic."""
        return topic in self._platforms

    @property
    def topics(self) -> list[str]:
        """The topics of all announcements in the current setup."""
        topics = map(self.topic_of, self._server.phones)
        return [topic for topic in topics if topic is not None]

    def topic_of(self, extension: str) -> str | None:
        """Return the topic of a phone's announcement; None if it is not announced."""
        setup = self._setup()
        if setup is None or not setup.discovery:
            return None
        phone_id = self._phone_id(extension)
        return None if phone_id is None else discovery_topic(setup.prefix, phone_id)

    # What is stored of them

    def saved(self, topics: Iterable[str]) -> dict[str, dict[str, str]]:
        """Return the argument of `recall` for some topics, as JSON."""
        platforms = self._platforms
        return {each: {**platforms[each]} for each in topics if each in platforms}

    def recall(self, announced: Mapping[str, dict[str, str]]) -> None:
        """Restore how phones were announced."""
        self._platforms |= announced

    def saved_of(self, extension: str) -> dict[str, dict[str, str]]:
        """Return the argument of `recall_phone` for a phone that is announced."""
        topic = self.topic_of(extension)
        return {} if topic is None else self.saved((topic,))

    def recall_phone(self, extension: str, announced: object) -> list[str]:
        """Restore how a phone was announced; return the topics.

        The follower's `update` clears those that are obsolete, and so does its `add_phone`
        of this phone. What was not announced by a server such as this is left out.
        """
        topics = list(announced) if isinstance(announced, dict) else announced
        left_behind = {"known": topics, "announced": announced}
        known, platforms, _ = read_left_behind(left_behind, "", self._phone_ids)
        self._publisher.recall(known)
        self.recall(platforms)
        self._recalled[extension] = known
        return known

    def clear_former(self, extension: str) -> None:
        """Clear the topics on which a phone was announced in an earlier run alone."""
        for topic in self._recalled.pop(extension, ()):
            if topic != self.topic_of(extension):
                self._publisher.clear(topic)

    # Publishing

    def announce_all(self) -> None:
        """Announce all phones."""
        for extension in self._server.phones:
            self.announce(extension)

    def announce(self, extension: str, *, later: bool = False) -> None:
        """Announce a phone, if phones are announced."""
        setup = self._setup()
        topic, phone_id = self.topic_of(extension), self._phone_id(extension)
        if setup is None or topic is None or phone_id is None:
            return
        payload = discovery_payload(
            Topics(setup.base, setup.member),
            phone_id,
            self._server.phones[extension].setup,
            commands=setup.commands,
            names=setup.names,
        )
        known = self._platforms.setdefault(topic, {})
        known |= {
            name: component["platform"]
            for name, component in payload["components"].items()
        }
        payload["components"] = {
            name: {"platform": platform} for name, platform in known.items()
        } | payload["components"]
        if not self._client.hide(phone_id, payload):
            self._publisher.suspend(topic)
        elif setup.retained:
            self._publisher.keep(topic, as_json(payload), later=later)
        else:
            self._publisher.announce(topic, as_json(payload))

    def born(self, message: Received) -> None:
        """Announce all phones again to a Home Assistant that has just started."""
        if message.payload == ONLINE.encode() and not message.retain:
            self.announce_all()
            for topic in self.topics:
                self._publisher.republish(topic)
