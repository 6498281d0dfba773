"""The IDs of events that were published."""

import time

from custom_components.snom_buttons.engine.phones import Seen


def test_an_id_costs_the_same_among_many_others() -> None:
    def costs(others: int) -> float:
        seen = Seen(lambda: 0.0)
        seen._until.update({f"{number}": 64.0 for number in range(others)})
        times = []
        for number in range(20):
            began = time.perf_counter()
            seen.add(f"new {number}")
            times.append(time.perf_counter() - began)
        return min(times)

    # A look at each of them costs hundreds of times as much.
    assert costs(100_000) < 20 * costs(100)
