"""Feeds hostile input to everything that reads bytes from the network.

Hypothesis makes nearly good input from the pieces of the grammar; each is then mutated
in many ways: cut, doubled, swapped, repeated, with words inserted. A target is a
strategy of good input and a law that holds for any input. A law that raises or takes
too long is a finding: its input is reduced and printed as bytes, for a regression test,
and the exit status is 1.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
import logging
from pathlib import Path
import random
import sys
from time import monotonic, thread_time
import traceback

from hypothesis import HealthCheck, Phase, given, seed, settings, strategies as st

sys.path.insert(0, str(Path(__file__).parent.parent))

from custom_components.snom_buttons.engine.sip.parser import MAX_MESSAGE
from tests.support.fuzztargets import TARGETS, FuzzTarget

EXAMPLES = 200
"""Good inputs of one target and seed, before the next target's turn."""
VARIANTS = 50
"""Mutations of each good input."""
TOO_LONG = 0.25
"""Seconds of processor time for the law of one input of up to 64 KiB."""

MUTATIONS = (
    4 * ("insert", "replace") + 2 * ("cut", "double", "swap") + ("truncate", "blow up")
)
# Pieces that mean something to one of the parsers, or to the code behind them.
WORDS = (
    b'" \\ \\" < > , ; : @ = ? % / * [ ] ( ) { } # & ~ - + \t \0 \x1f \x7f \x80 \xff'
    b" \xc2\x85 \xc3\xbc \xed\xb3\xbf \xe2\x80\xa8 \xef\xbb\xbf \xf0\x9f\x93\x9e"
    b" %00 %0d%0a %FF %41 [::1] :0 :65536 99999999999 -1 +1 0x1 1_0 z9hG4bK ;tag= ;branch="
    b" ;rport ;rport= ;received= ;expires= ;lr ;method=x ?a=b sip: SIPS: tel: mailto: Digest"
    b" realm= nonce= qop=auth nc= uri= algorithm=SHA-256"
    b" k= k=1 c=on a=invite t=<urn:uuid:x> s=dnd m=1/2 f=always"
)
LINES = (
    b"|\r|\n|\r\n|\r\n |\r\n\t|\r\n\r\n| SIP/2.0|SIP/2.0/UDP h"
    b"|\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx|\r\nContent-Length: 3|\r\nl:0|\r\nRequire: x"
    b"|\r\nExpires: 0|\r\nm: *|\r\nContent-Type: application/x-buttons"
)
NASTY = (b" ", *WORDS.split(b" "), *LINES.split(b"|")[1:])


def spoiled(data: bytes, chance: random.Random) -> bytes:
    """Return input after one to five mutations, cut to 64 KiB."""
    for _ in range(chance.choice([1, 1, 1, 2, 3, 5])):
        begin = chance.randint(0, len(data))
        end = min(begin + chance.choice([1, 1, 4, 40]), len(data))
        before, chosen, after = data[:begin], data[begin:end], data[end:]
        piece = chance.choice(NASTY) if chance.random() < 0.8 else chance.randbytes(2)
        match chance.choice(MUTATIONS):
            case "insert":
                data = before + piece + chosen + after
            case "replace":
                data = before + piece + after
            case "cut":
                data = before + after
            case "double":
                data = before + chosen + chosen + after
            case "swap":
                data = after + chosen + before
            case "truncate":
                data = before
            case _:  # blow up
                times = chance.choice([3, 70, 300, 20_000])
                data = before + (chosen or piece) * times + after
        data = data[:MAX_MESSAGE]
    return data


@dataclass(slots=True)
class Run:
    """One target and its figures so far."""

    target: FuzzTarget
    inputs: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    slowest_input: bytes = b""
    last: bytes = field(default=b"", repr=False)

    def check(self, data: bytes) -> None:
        """Apply the law to one input and record how long it took.

        Raises what the law raises, and AssertionError if it took too long.
        """
        self.last = data
        took = self._time(data)
        self.inputs += 1
        if took > TOO_LONG:  # perhaps another process took it: measure again
            took = min(took, *(self._time(data) for _ in range(3)))
            assert took <= TOO_LONG, f"{took:.3f} s for {len(data)} bytes"
        if took > self.slowest:
            took = min(took, self._time(data), self._time(data))
        if took > self.slowest:
            self.slowest, self.slowest_input = took, data

    def _time(self, data: bytes) -> float:
        begin = thread_time()
        self.target.law(data)
        return thread_time() - begin

    def explore(self, number: int) -> BaseException | None:
        """Try the inputs of a seed; return the finding, whose input is `last`."""

        @seed(number)
        @settings(
            max_examples=EXAMPLES,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(self.target.good, st.integers(0, 1 << 32))
        def try_variants(good: bytes, number: int) -> None:
            self.check(good)
            chance = random.Random(number)  # noqa: S311
            for _ in range(VARIANTS):
                self.check(spoiled(good, chance))

        begin = monotonic()
        try:
            try_variants()
        except Exception as found:  # noqa: BLE001
            return self._smaller(found)
        finally:
            self.seconds += monotonic() - begin
        return None

    def _smaller(self, found: Exception) -> Exception:
        """Reduce `last` as long as it gives the same kind of fault."""
        smallest, size = self.last, len(self.last) // 2
        while size:
            begin = 0
            while begin < len(smallest):
                fewer = smallest[:begin] + smallest[begin + size :]
                try:
                    self.check(fewer)
                except Exception as fault:  # noqa: BLE001
                    if type(fault) is type(found):
                        smallest, found = fewer, fault
                        continue
                begin += size
            size //= 2
        self.last = smallest
        return found


class _Complaint(logging.Handler):
    """A handler that raises AssertionError for each error that is logged."""

    def emit(self, record: logging.LogRecord) -> None:
        raise AssertionError(f"logged: {record.getMessage()}")


def main() -> int:
    """Run from the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0, help="for all targets")
    parser.add_argument("--target", choices=[target.name for target in TARGETS])
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().getrandbits(32)
    )
    options = parser.parse_args()
    logging.getLogger("custom_components").addHandler(_Complaint(logging.ERROR))
    print(f"seed {options.seed}")
    seeds = random.Random(options.seed)  # noqa: S311
    runs = [Run(t) for t in TARGETS if options.target in (None, t.name)]
    end = monotonic() + 60 * options.minutes
    found = False
    while not found and monotonic() < end:
        for run in runs:
            number = seeds.getrandbits(64)
            fault = run.explore(number)
            if fault is not None:
                found = True
                traceback.print_exception(fault)
                print(
                    f"\n{run.target.name}: found with {run.last!r}\n", file=sys.stderr
                )
    for run in runs:
        print(
            f"{run.target.name:9} {run.inputs:9,d} inputs,"
            f" {run.inputs / run.seconds:7,.0f} a second; the slowest"
            f" {1000 * run.slowest:.1f} ms for {len(run.slowest_input):,d} bytes"
            f" {run.slowest_input[:60]!r}"
        )
    print(f"all       {sum(run.inputs for run in runs):9,d} inputs")
    return int(found)


if __name__ == "__main__":
    sys.exit(main())
