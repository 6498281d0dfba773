"""The benchmarks of `script/bench`: each figure beside its floor in the same run.

A floor is what the same work costs without this project's code: splitting the bytes, a
bare asyncio UDP echo, a bare datagram. Machines are noisy and differ; the ratio to the
floor is what can be compared. Nothing passes or fails here.
"""

# First: it imports Home Assistant, which replaces voluptuous, and warns if that has been
# imported before.
import tests.support.newest  # noqa: F401
