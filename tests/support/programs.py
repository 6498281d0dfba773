"""The foreign programs that these tests run."""

import os
from pathlib import Path
import shutil
import sys
from typing import NoReturn

import pytest


def program(name: str) -> str:
    """Return the path of a program.

    Without it the test is skipped with the reason, or fails where `CI=true`.
    """
    # Debian installs servers in a folder that is on root's PATH only; programs in
    # Python are beside the interpreter.
    beside = Path(sys.executable).parent
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:{beside}")
    return missing(name) if path is None else path


def missing(name: str) -> NoReturn:
    """Skip the test, or fail it where `CI=true`."""
    reason = f"{name} is not installed; script/test installs it on Debian, as root"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
