"""Foreign SIP phones: how to set them up and command them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
import json
from pathlib import Path
from typing import NamedTuple, Protocol

from tests.support.certificates import Certificate

from .patience import PATIENCE
from .ports import LOCALHOST, free_port
from .running import Running, running


class Account(NamedTuple):
    """What is set in a phone."""

    user: str
    password: str
    realm: str
    port: int
    """The port on this machine of the registrar, or of the proxy in front of it."""
    transport: str
    """`udp`, `tcp` or `tls`."""
    certificate: Certificate | None = None
    """The certificate to trust, with `tls`."""


class Peer(Protocol):
    """A running phone."""

    program: Running

    async def is_registered(self) -> None:
        """Wait until the phone logs that its registration was accepted."""

    async def has_refused_a_document(self) -> None:
        """Wait until the phone logs that it answered a buttons document with 415."""

    async def send(self, text: str) -> int:
        """Send a text MESSAGE to its own number; return the final status."""


type MakePeer = Callable[[Account, Path], AbstractAsyncContextManager[Peer]]


def write(home: Path, **files: str) -> None:
    """Write a program's files into its home."""
    home.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (home / name).write_text(text)


async def answer_to(text: str, program: Running) -> int:
    """Return the final status of a program's MESSAGE from its log; skip challenges.

    Other requests may be under way: linphone reports by MESSAGE that it could not show
    a document.
    """
    call_id = ""
    while found := await program.says(rf"^(?:Call-ID: (\S+)|{text}\b)"):
        if found[1] is None:
            break
        call_id = found[1]
    status = 0
    while True:
        found = await program.says(r"^(?:SIP/2\.0 (\d+) |Call-ID: (\S+))")
        if found[1]:
            status = int(found[1])
        elif found[2] == call_id and status >= 200 and status != 401:
            return status
        else:
            status = 0


class Baresip:
    """baresip with its trace of all SIP messages, commanded over TCP."""

    # Where the modules are depends on the distribution.
    MODULES = "/usr/lib/baresip/modules"

    def __init__(self, program: Running, port: int) -> None:
        self.program = program
        self._port = port

    @classmethod
    @asynccontextmanager
    async def run(cls, account: Account, home: Path) -> AsyncIterator[Peer]:
        commands = free_port()
        config = [
            "poll_method epoll",
            f"sip_listen {LOCALHOST}:0",
            f"net_interface {LOCALHOST}",
            f"dns_server {LOCALHOST}:9",  # none: nothing is looked up
            f"module_path {cls.MODULES}",
            "module_tmp account.so",
            "module_app contact.so",
            "module_app menu.so",
            "module ctrl_tcp.so",
            f"ctrl_tcp_listen {LOCALHOST}:{commands}",
        ]
        if account.certificate is not None:
            config.append(f"sip_cafile {account.certificate.certificate}")
        server = f"{LOCALHOST}:{account.port};transport={account.transport}"
        # Its MESSAGEs use UDP unless a Route says otherwise.
        lines = (
            f"<sip:{account.user}@{server}>",
            f"auth_user={account.user}",
            f"auth_pass={account.password}",
            f'outbound="sip:{server}"',
            "regint=60",
        )
        write(
            home,
            config="".join(f"{line}\n" for line in config),
            accounts=f"{';'.join(lines)}\n",
            contacts=f'"me" <sip:{account.user}@{server}>\n',
        )
        async with running("baresip", "-4", "-s", "-f", home, home=home) as program:
            await program.says("baresip is ready")
            yield cls(program, commands)

    async def is_registered(self) -> None:
        await self.program.says(r"200 OK \(.*\) \[1 binding\]")

    async def has_refused_a_document(self) -> None:
        await self.program.says("^MESSAGE sip:")
        await self.program.says("^Content-Type: application/x-buttons")
        await self.program.says(r"^SIP/2\.0 415 Unsupported Media Type")

    async def send(self, text: str) -> int:
        """Send a text to the selected contact, the only one."""
        command = json.dumps({"command": "message", "params": text}).encode()
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(LOCALHOST, self._port)
            # Netstrings in both directions; events may arrive before the answer.
            writer.write(b"%d:%s," % (len(command), command))
            while True:
                size = int((await reader.readuntil(b":"))[:-1])
                said = json.loads((await reader.readexactly(size + 1))[:-1])
                if said.get("response"):
                    break
            writer.close()
            await writer.wait_closed()
        assert said["ok"], said
        return await answer_to(text, self.program)


class Linphone:
    """linphonec with its whole log, commanded by its standard input."""

    def __init__(self, program: Running, port: int) -> None:
        self.program = program
        self._port = port

    @classmethod
    @asynccontextmanager
    async def run(cls, account: Account, home: Path) -> AsyncIterator[Peer]:
        cls.set_up(account, home)
        log = ("-d", "6", "-l", "/dev/stdout")
        async with running(
            "linphonec", "-c", home / "linphonerc", *log, home=home
        ) as program:
            yield cls(program, account.port)

    @staticmethod
    def set_up(account: Account, home: Path) -> None:
        """Write the configuration."""
        # -1 is any port, 0 disables the transport.
        ports = {t: -1 if t == account.transport else 0 for t in ("udp", "tcp", "tls")}
        trusted = account.certificate.certificate if account.certificate else ""
        write(
            home,
            linphonerc=f"""\
[sip]
bind_address={LOCALHOST}
sip_port={ports["udp"]}
sip_tcp_port={ports["tcp"]}
sip_tls_port={ports["tls"]}
use_ipv6=0
register_only_when_network_is_up=0
default_proxy=0
root_ca={trusted}
verify_server_certs=1
verify_server_cn=1
[net]
dns_srv_enabled=0
[proxy_0]
reg_proxy=<sip:{LOCALHOST}:{account.port};transport={account.transport}>
reg_identity=sip:{account.user}@{LOCALHOST}
reg_expires=60
reg_sendregister=1
publish=0
[auth_info_0]
username={account.user}
passwd={account.password}
realm={account.realm}
domain={LOCALHOST}
""",
        )
        # Without this folder for its database linphonec crashes on the first message.
        write(home / ".local/share/linphone")

    async def is_registered(self) -> None:
        await self.program.says("moving from state .* to .LinphoneRegistrationOk.")

    async def has_refused_a_document(self) -> None:
        await self.program.says("Unsupported content-type: application/x-buttons")
        await self.program.says(r"^SIP/2\.0 415 Unsupported media type")

    async def send(self, text: str) -> int:
        await self.program.write_line(f"chat sip:44@{LOCALHOST}:{self._port} {text}")
        return await answer_to(text, self.program)


PEERS: dict[str, MakePeer] = {"baresip": Baresip.run, "linphonec": Linphone.run}
