"""The latencies of the EC2 emulator: as asked, repeatable, and scaled."""

from __future__ import annotations

import statistics
import time

import pytest

from lab.ec2.latency import PROFILES, REALISTIC, STATES, Latency
from lab.ec2.process import EmulatorProcess


def started(seed: int) -> Latency:
    latency = Latency(REALISTIC, seed)
    assert latency.seconds("create") == 0
    latency.begin()
    return latency


def test_every_profile_names_everything_that_takes_time() -> None:
    for profile in PROFILES.values():
        assert set(profile) == {*STATES, "read", "write"}


@pytest.mark.parametrize("kind", ["create", "attach", "write"])
def test_the_quantiles_are_those_of_the_profile(kind: str) -> None:
    latency = started(7)
    drawn = sorted(latency.seconds(kind) for _ in range(4000))
    assert statistics.median(drawn) == pytest.approx(REALISTIC[kind].median, rel=0.05)
    assert drawn[int(0.99 * len(drawn))] == pytest.approx(REALISTIC[kind].p99, rel=0.15)


def test_the_same_seed_gives_the_same_times_whatever_happens_in_between() -> None:
    first, second, other = started(1), started(1), started(2)
    second.seconds("read")
    assert [first.seconds("create") for _ in range(3)] == [second.seconds("create") for _ in range(3)]
    assert other.seconds("create") != started(1).seconds("create")


def test_realistic_times_pass_quickly_and_bare_calls_would_not_take_any() -> None:
    process = EmulatorProcess(["--latency", "realistic", "--seed", "3", "--time-scale", "0.05"])
    try:
        client = process.client()
        before = process.control("clock")["seconds"]
        begin = time.monotonic()
        volume_id = client.create_volume(AvailabilityZone="us-east-1a", Size=1, VolumeType="gp3")["VolumeId"]
        while client.describe_volumes(VolumeIds=[volume_id])["Volumes"][0]["State"] == "creating":
            time.sleep(0.005)
        waited = time.monotonic() - begin
        service = process.control("clock")["seconds"] - before
        assert service == pytest.approx(waited / 0.05, rel=0.5)
        expected = started(3)
        assert service >= expected.seconds("create")
        (create,) = [entry for entry in process.control("log") if entry["action"] == "CreateVolume"]
        assert create["seconds"] == pytest.approx(expected.seconds("write"), abs=1e-4)
    finally:
        assert process.stop() == 0
