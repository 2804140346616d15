from __future__ import annotations

from live_vlm_webui.security.rates import TokenBuckets


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_full_bucket_gives_its_burst_and_then_says_how_long_to_wait():
    buckets = TokenBuckets(rate=0.5, burst=3, clock=Clock())
    assert [buckets.take("a") for _ in range(5)] == [0.0, 0.0, 0.0, 2.0, 2.0]


def test_tokens_come_back_with_time_and_never_more_than_the_burst():
    clock = Clock()
    buckets = TokenBuckets(rate=1, burst=2, clock=clock)
    buckets.take("a")
    buckets.take("a")
    clock.now += 1
    assert [buckets.take("a"), buckets.take("a")] == [0.0, 1.0]
    clock.now += 1000
    assert [buckets.take("a") for _ in range(3)] == [0.0, 0.0, 1.0]


def test_each_client_has_its_own_bucket():
    buckets = TokenBuckets(rate=1, burst=1, clock=Clock())
    assert [buckets.take("a"), buckets.take("b"), buckets.take("a")] == [0.0, 0.0, 1.0]


def test_waiting_takes_nothing():
    buckets = TokenBuckets(rate=1, burst=1, clock=Clock())
    assert [buckets.wait("a"), buckets.wait("a"), buckets.take("a"), buckets.wait("a")] == [0.0, 0.0, 0.0, 1.0]


def test_a_flood_of_addresses_does_not_grow_the_table_and_drops_those_unused_longest():
    buckets = TokenBuckets(rate=1, burst=1, most=3, clock=Clock())
    for who in ("busy", "b", "c"):
        buckets.take(who)
    for number in range(1000):
        buckets.take(f"flood-{number}")
    assert len(buckets) == 3
    assert buckets.take("flood-999") == 1.0
