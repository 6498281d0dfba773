"""The files of deploy/, each checked by the program or the schema that reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
import re
import shutil
import subprocess
import sys
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.support.certificates import make_certificate
from tests.support.programs import program

pytestmark = pytest.mark.wire

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
MANIFESTS = ("bridge.yaml", "edge.yaml", "rabbitmq.yaml")
COMPOSE = {"PUBLIC": "192.0.2.1", "EDGE_SECRET": "e", "RABBITMQ_COOKIE": "c"}
SECRETS = ("mqtt-password", "bridge-secret", "rabbitmq-login.conf")
MOST_EXPOSED = 15
"""Of `systemd-analyze security`, in tenths; a service that has no hardening has 96."""


def run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    """Return what a command prints; fail with its output if it fails."""
    done = subprocess.run(
        [program(str(command[0])), *command[1:]],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(cwd), **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("public", [False, True])
def test_the_edge(tls: bool, public: bool, tmp_path: Path) -> None:
    values = ['SECRET="a"', f'BRIDGES="{DEPLOY / "kamailio" / "dispatcher.list"}"']
    if public:
        values.append("PUBLIC=192.0.2.1")
    if tls:
        files = make_certificate(tmp_path)
        values.append("WITH_TLS")
        values.append(f'CERTIFICATE="{files.certificate}"')
        values.append(f'PRIVATE_KEY="{files.key}"')
    defines = [part for value in values for part in ("-A", value)]
    config = DEPLOY / "kamailio" / "kamailio.cfg"
    said = run("kamailio", "-c", "-Y", tmp_path, "-f", config, *defines)
    assert "config file ok" in said
    assert ("advertise" in said) == public
    assert ("tls: 127.0.0.1" in said) == tls


def test_the_edge_does_not_start_without_a_secret(tmp_path: Path) -> None:
    config = DEPLOY / "kamailio" / "kamailio.cfg"
    with pytest.raises(AssertionError, match="parse error"):
        run("kamailio", "-c", "-Y", tmp_path, "-f", config)


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the compose file as docker-compose reads it."""
    home = tmp_path_factory.mktemp("compose")
    shutil.copytree(DEPLOY, home / "deploy")
    for name in SECRETS:
        (home / "deploy" / "compose" / name).write_text("x")
    read = run(
        *("docker-compose", "--file", "deploy/compose.yaml", "config"),
        cwd=home,
        **COMPOSE,
    )
    return yaml.safe_load(read)


def test_what_the_compose_file_names_exists(compose: Any) -> None:
    services = compose["services"]
    assert len(services) == 7
    # All fixed addresses are in the network, and the edge and its list have the same.
    (network,) = compose["networks"]["default"]["ipam"]["config"]
    addresses = {
        name: service["networks"]["default"]["ipv4_address"]
        for name, service in services.items()
        if "networks" in service
    }
    for address in addresses.values():
        assert ip_address(address) in ip_network(network["subnet"])
    assert f"HOST={addresses['edge']}" in services["edge"]["command"]
    listed = targets(DEPLOY / "compose" / "edge" / "dispatcher.list")
    assert listed == {address for n, address in addresses.items() if "bridge" in n}
    for name, service in services.items():
        # Another registry than the default one would be a host that is in no document.
        assert not re.match(r"[^/]*[.:][^/]*/", service.get("image", "")), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            named = (
                f"{name}:/var/lib/rabbitmq" in volume and source in compose["volumes"]
            )
            assert named or Path(source).exists(), source
        if not name.startswith("rabbitmq"):
            assert service["read_only"] and service["cap_drop"] == ["ALL"]
    nodes = re.findall(
        r"= rabbit@(\S+)", (DEPLOY / "rabbitmq/cluster.conf").read_text()
    )
    assert nodes == [it["hostname"] for n, it in services.items() if "rabbit" in n]


def targets(path: Path) -> set[str]:
    """Return the hosts of a list of bridges."""
    return set(re.findall(r"^1 sip:([^:\s]+)", path.read_text(), re.MULTILINE))


def manifests() -> Iterator[dict[str, Any]]:
    for name in MANIFESTS:
        yield from yaml.safe_load_all((DEPLOY / "kubernetes" / name).read_text())


def test_the_manifests() -> None:
    found = list(manifests())
    assert len(found) == 8
    for manifest in found:
        # Fields that are in no schema are faults too.
        kubernetes_validate.validate(
            manifest, kubernetes_validate.latest_version(), strict=True
        )
    for manifest in found:
        template = manifest["spec"].get("template")
        if template is None:
            continue
        pod = template["spec"]
        name = manifest["metadata"]["name"]
        assert manifest["spec"]["selector"]["matchLabels"].items() <= (
            template["metadata"]["labels"].items()
        )
        assert pod["securityContext"]["runAsNonRoot"]
        (container,) = pod["containers"]
        context = container["securityContext"]
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["allowPrivilegeEscalation"] is False
        if name != "rabbitmq":
            assert context["readOnlyRootFilesystem"] is True
        volumes = {it["name"] for it in pod["volumes"]}
        volumes |= {
            it["metadata"]["name"]
            for it in manifest["spec"].get("volumeClaimTemplates", ())
        }
        assert {it["name"] for it in container["volumeMounts"]} == volumes
        assert not re.match(r"[^/]*[.:][^/]*/", container["image"])


def test_what_the_manifests_name_is_made_by_the_commands_of_the_readme() -> None:
    text = (DEPLOY / "README.md").read_text()
    for manifest in manifests():
        pod = manifest["spec"].get("template", {}).get("spec", {})
        for volume in pod.get("volumes", ()):
            if "configMap" in volume:
                assert f"create configmap {volume['configMap']['name']} " in text
            if "secret" in volume:
                name = volume["secret"]["secretName"]
                assert f"create secret generic {name} " in text
        for container in pod.get("containers", ()):
            for variable in container.get("env", ()):
                key = variable.get("valueFrom", {}).get("secretKeyRef")
                if key:
                    assert f"create secret generic {key['name']} " in text
    for source in re.findall(r"--from-file(?:=\S+?)?[= ](\S+)", text):
        path = ROOT / source.split("=")[-1]
        assert path.is_file() or path.name in SECRETS, source
    # The names of the pods, in the lists that name them.
    for name in ("dispatcher.list", "snom-bridge.yaml", "cluster.conf"):
        listed = (DEPLOY / "kubernetes" / name).read_text()
        assert ".snom.svc.cluster.local" in listed
    bridges = targets(DEPLOY / "kubernetes" / "dispatcher.list")
    assert bridges == {
        f"snom-bridge-{number}.snom-bridge.snom.svc.cluster.local"
        for number in range(3)
    }


@pytest.mark.parametrize("where", ["compose/bridge", "kubernetes"])
def test_the_settings_of_the_bridges(where: str, tmp_path: Path) -> None:
    text = (DEPLOY / where / "snom-bridge.yaml").read_text()
    (tmp_path / "snom-bridge.yaml").write_text(
        text.replace("/run/secrets/", f"{tmp_path}/")
    )
    for name in SECRETS:
        (tmp_path / name).write_text("a long password")
    settings = str(tmp_path / "snom-bridge.yaml")
    done = subprocess.run(
        [sys.executable, "-m", "bridge", "check", "--config", settings],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("folder", ["", "kamailio"])
def test_the_images(folder: str) -> None:
    path = DEPLOY / folder / "Dockerfile"
    said = run("hadolint", "--failure-threshold", "info", path)
    assert said == ""
    # An image that is run by no name of a user.
    assert re.search(r"^USER \d+:\d+$", path.read_text(), re.MULTILINE)
    context = ROOT if not folder else path.parent
    for sources in re.findall(
        r"^COPY (?!--from)(.+) \S+$", path.read_text(), re.MULTILINE
    ):
        assert all((context / source).exists() for source in sources.split())


def test_the_image_of_a_bridge_has_what_the_wheel_is_made_of(tmp_path: Path) -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        for source in map(Path, sources.split()):
            # What .dockerignore leaves in the context.
            assert f"!{source}\n" in (ROOT / ".dockerignore").read_text()
            target = tmp_path / source
            if (ROOT / source).is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "frontend")
                shutil.copytree(ROOT / source, target, ignore=ignored)
            else:
                target.parent.mkdir(exist_ok=True)
                shutil.copy(ROOT / source, target)
    build = ("-m", "hatchling", "build", "--target", "wheel", "--directory", "dist")
    run(sys.executable, *build, cwd=tmp_path)
    assert list((tmp_path / "dist").glob("snom_buttons-*.whl"))


def test_the_requirements_of_the_image_are_those_of_the_tests() -> None:
    """At the same versions: what runs is what was tested."""
    locked = pins(ROOT / "requirements" / "test.txt")
    image = pins(ROOT / "requirements" / "bridge.txt")
    assert image.items() <= locked.items()
    project = (ROOT / "pyproject.toml").read_text()
    (extra,) = re.findall(r"^bridge = (\[.*\])$", project, re.MULTILINE)
    names = {re.split("[~=<>!]", it)[0].lower() for it in yaml.safe_load(extra)}
    assert names <= image.keys()


def pins(path: Path) -> Mapping[str, str]:
    found = re.findall(r"^([\w.-]+)==([^\s;\\]+)", path.read_text(), re.MULTILINE)
    return {name.lower(): version for name, version in found}


def test_the_service(tmp_path: Path) -> None:
    unit = tmp_path / "snom-bridge.service"
    text = (DEPLOY / "snom-bridge.service").read_text()
    unit.write_text(text.replace("/opt/snom-bridge/bin/snom-bridge", "/bin/true"))
    assert run("systemd-analyze", "verify", unit) == ""
    run(
        *("systemd-analyze", "security", "--offline=yes", "--no-pager"),
        *(f"--threshold={MOST_EXPOSED}", unit),
    )
