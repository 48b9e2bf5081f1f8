"""A container that outlives its host: its volume and what it wrote are there wherever it runs next.

The path is the one of a user of dvdcli: dvdcli, REX-Ray, the Gateway, the SDC's device, a file system on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, time
from typing import Any

import pytest

from tests.support.hosts import LabHosts, eventually
from tests.support.service import Service

VOLUME = "outlives"
MOUNT_POINT = f"/var/lib/rexray/volumes/{VOLUME}/data"
SIZE_GIB = 8
# One line on stable storage every 0.2 s: when, and where.
BEATS = 'while :; do echo "$(date +%s.%N) $(hostname)" >> $VOLUME/beats; sync -d $VOLUME/beats; sleep 0.2; done'


def dvdcli(lab: LabHosts, host: str, command: str, more: str = "") -> str:
    return lab.execute(host, f"dvdcli {command} --volumedriver=rexray --volumename={VOLUME} {more}").strip()


def device(lab: LabHosts, host: str) -> str:
    """What the host has as the volume's device; '' when it has none."""
    return lab.execute(host, "readlink -f /dev/disk/by-id/emc-vol-* | grep scini || true").strip()


def mapped_to(lab: LabHosts) -> list[str]:
    """Addresses of the clients that have the volume mapped."""
    known = lab.facts("scaleio")["scaleio"]
    (volume,) = [volume for volume in known["volumes"] if volume["name"] == VOLUME]
    return [sdc["ip"] for sdc in known["sdcs"] if sdc["id"] in volume["mapped_sdc_ids"]]


@pytest.fixture(scope="module", autouse=True)
def no_volume_is_left(lab: LabHosts) -> Iterator[None]:
    yield
    run = lab.play("tests/e2e/playbooks/remove_volume.yml", extra_vars={"demo_volume": VOLUME})
    assert run.status == 0, run.output[-3000:]


def test_a_volume_is_taken_from_a_host_that_still_uses_it(lab: LabHosts) -> None:
    assert dvdcli(lab, "agent3", "mount", f"--volumeopts=size={SIZE_GIB}") == MOUNT_POINT
    assert lab.execute("agent3", f"blockdev --getsize64 {device(lab, 'agent3')}").strip() == str(SIZE_GIB << 30)
    lab.execute("agent3", f"echo from agent3 > {MOUNT_POINT}/note; sync")
    assert dvdcli(lab, "agent2", "mount") == MOUNT_POINT
    assert lab.execute("agent2", f"cat {MOUNT_POINT}/note").strip() == "from agent3"
    # the first host has no device any more, and what it still has mounted takes no data
    eventually(lambda: device(lab, "agent3"), lambda found: not found, 5, "the device of agent3 is gone")
    late = lab.execute("agent3", f"dd if=/dev/zero of={MOUNT_POINT}/late bs=4k count=1 conv=fsync 2>&1 || true")
    assert "error" in late or "Read-only" in late, late
    lab.execute("agent2", f"test ! -e {MOUNT_POINT}/late")
    lab.execute("agent3", f"umount {MOUNT_POINT.removesuffix('/data')}")
    assert dvdcli(lab, "agent2", "unmount") == ""
    eventually(lambda: device(lab, "agent2"), lambda found: not found, 5, "the device of agent2 is gone")


@pytest.fixture
def service(lab: LabHosts, tmp_path: Path) -> Iterator[Service]:
    """On agent1, the host of the primary MDM, to begin with; a later scheduler lets it run anywhere."""
    options = ("--volume", f"rexray:{VOLUME}:size={SIZE_GIB}", "--command", BEATS)
    first = Service(lab, VOLUME, tmp_path / "first.jsonl", *options, "--hosts", "agent1", "--leave")
    eventually(lambda: first.events("running"), bool, 60, "the service runs")
    first.stop()
    service = Service(lab, VOLUME, tmp_path / "timeline.jsonl", *options)
    eventually(lambda: service.events("running"), bool, 60, "the next scheduler has found it")
    yield service
    service.stop()


def beats(lab: LabHosts, host: str) -> list[tuple[float, str]]:
    """When (seconds since 1970) and where the service was alive, as its volume says."""
    lines = lab.execute(host, f"cat {MOUNT_POINT}/beats").splitlines()
    return [(float(when), where) for when, where in (line.split() for line in lines)]


@pytest.mark.slow
def test_a_service_goes_on_with_its_data_when_its_host_is_killed(
    lab: LabHosts, service: Service, figure: Callable[..., None]
) -> None:
    eventually(lambda: beats(lab, "agent1"), lambda known: len(known) > 20, 60, "it has written on agent1")
    lab.run("kill", "agent1")
    killed, began = time(), monotonic()
    try:
        back = eventually(lambda: service.events("back"), bool, 180, "the service runs again")[-1]["host"]
        assert back in ("agent2", "agent3")
        eventually(lambda: beats(lab, back), lambda known: known[-1][1] == back, 60, f"it writes on {back}")
        known = beats(lab, back)
        before = [when for when, where in known if where == "agent1"]
        after = [when for when, where in known if where == back]
        assert [where for _when, where in known] == ["agent1"] * len(before) + [back] * len(after)
        assert killed - before[-1] < 2, "what was on stable storage is lost"
        away = round(after[0] - before[-1], 1)
        figure("a service with a volume, away after its host was killed", away, "s", "< 120", away < 120)
        assert mapped_to(lab) == [lab.address(back)]
    finally:
        lab.run("start", "agent1")
    whole = eventually(lambda: _storage(lab), lambda seen: seen["well"], 180, "storage is whole again")
    figure("storage whole again after the kill", round(monotonic() - began, 1), "s", "none", True)
    assert whole["written_kib"] > 0, "what a container writes takes room in the pool"
    assert device(lab, "agent1") == ""
    assert service.host() == back


def _storage(lab: LabHosts) -> dict[str, Any]:
    known = lab.facts("scaleio")["scaleio"]
    (pool,) = known["storage_pools"]
    pending = [pool["capacity"][name] for name in ("failed_kib", "degraded_kib", "rebuild_pending_kib")]
    members = known["system"]["mdm"]["state"] == "ClusteredNormal" and all(sds["healthy"] for sds in known["sds"])
    return {"well": members and not any(pending), "written_kib": pool["capacity"]["in_use_kib"]}


@pytest.mark.slow
def test_the_volume_is_free_after_the_services_end(lab: LabHosts) -> None:
    eventually(lambda: mapped_to(lab), lambda clients: clients == [], 30, "nobody has it mapped")
