"""The lock files of npm: each package has its hash, and none says where it came from."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("folder", ["card", "requirements/node-red"])
def test_each_package_has_its_hash_and_no_host(folder: str) -> None:
    text = (ROOT / folder / "package-lock.json").read_text("utf-8")
    assert "registry." not in text
    # Bundled packages are part of another one.
    locked = {
        name: package
        for name, package in json.loads(text)["packages"].items()
        if name and not package.get("inBundle")
    }
    assert locked
    for name, package in locked.items():
        assert package.get("integrity", "").startswith("sha512-"), name
        assert "resolved" not in package, name
