"""How long is waited before something is mended again."""

from __future__ import annotations

from vnet_tui.engine.backoff import FREE, LONGEST_SECONDS, QUIET_SECONDS, Backoff


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_fails_is_tried_again_after_twice_as_long_each_time() -> None:
    clock = Clock()
    backoff = Backoff(clock)
    waits = []
    for _ in range(12):
        assert not backoff.wait()
        backoff.tried(failed=True)
        waits.append(backoff.wait())
        clock.now += backoff.wait()
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, *[LONGEST_SECONDS] * 3]
    assert backoff.longest == 3


def test_what_others_undo_is_mended_at_once_a_few_times() -> None:
    clock = Clock()
    backoff = Backoff(clock)
    waits = []
    for _ in range(FREE + 3):
        clock.now += backoff.wait() + 0.1
        backoff.tried(failed=False)
        waits.append(backoff.wait())
    assert waits == [*[0] * FREE, 1, 2, 4]
    clock.now += 1.5
    assert backoff.wait() == 2.5


def test_after_a_quiet_while_all_is_forgotten() -> None:
    clock = Clock()
    backoff = Backoff(clock)
    for _ in range(6):
        backoff.tried(failed=True)
    clock.now += backoff.wait() + QUIET_SECONDS + 1
    backoff.tried(failed=True)
    assert (backoff.tries, backoff.wait()) == (1, 1)


def test_the_wait_stays_the_longest_however_often_it_fails() -> None:
    backoff = Backoff(lambda: 0.0)
    for _ in range(5000):
        backoff.tried(failed=True)
    assert backoff.wait() == LONGEST_SECONDS
