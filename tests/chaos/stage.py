"""Where the engine plays: both emulators in this process, set back for every scene, and what became of them."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

# moto reads it while it is imported: thousands of public images are of no use here
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")

import boto3

from lab.ec2 import server
from lab.ec2.faults import Fault
from lab.ec2.fleet import Wanted
from lab.ec2.latency import QUICK, Latency, constant
from lab.paths import CHECKOUT
from lab.scaleio import content
from lab.scaleio.emulator import Emulator
from lab.scaleio.faults import Fault as GatewayFault
from lab.scaleio.system import Pace
from tests.chaos.wire import ADD_DEVICE, DRY, Call, Strike, Wire
from tests.contract.remediation import host_disks
from tests.contract.remediation.site import ADDRESSES, topology

STATES = {name: constant(0.01) for name in ("create", "attach", "detach", "delete")}
FOREIGN_HOST = "agent2"
FOREIGN_DATA = b"somebody's"
# As the site of the contract tests: this pool needs three volumes, and there is money for four.
POLICY = {
    "budget": {"monthly_usd": 60},
    "pools": [{"storage_pool": "default", "max_step_percent": 100, "volume": {"sizes_gib": [180]}}],
}
VOLUMES = len(ADDRESSES)


@dataclasses.dataclass
class Ended:
    """`status` is that of the process (-9 when it was killed), `answer` what the run told."""

    status: int
    cpu_seconds: float
    answer: Mapping[str, Any] | None

    @property
    def killed(self) -> bool:
        return self.status == -signal.SIGKILL

    @property
    def told(self) -> str:
        return str((self.answer or {}).get("status", "killed" if self.killed else "crashed"))


class Engine:
    """engine.py as a process, of which every run is a child."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.engine"],
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": f"{CHECKOUT}/collections:{CHECKOUT}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._pid = 0
        self._known = threading.Event()

    def start(self, task: Mapping[str, Any]) -> None:
        self._known.clear()
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        self._pid = self._line()["pid"]
        self._known.set()

    def ended(self) -> Ended:
        return Ended(**self._line())

    def run(self, task: Mapping[str, Any]) -> Ended:
        self.start(task)
        return self.ended()

    def warm(self, site: Mapping[str, Any]) -> None:
        """A run of which only the quickness of later ones remains."""
        done = self.run({"warm": site})
        assert done.told == "changed", done

    def kill(self) -> None:
        """SIGKILL to the run, from whatever thread finds that its time has come."""
        self._known.wait(10)
        os.kill(self._pid, signal.SIGKILL)

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def _line(self) -> dict[str, Any]:
        return dict(json.loads(self._process.stdout.readline()))


class Disks:
    """Hosts get their devices as folders, at once."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def attach(self, instance_name: str, volume_id: str, size_gib: int, device_name: str) -> None:
        host_disks.attach(self._root, instance_name, volume_id, size_gib)

    def detach(self, instance_name: str, volume_id: str) -> None:
        host_disks.detach(self._root, instance_name, volume_id)


class Stage:
    def __init__(self) -> None:
        # In memory: ScaleIO takes only paths below /dev, and thousands of reports are synced to the disk.
        self._folder = Path(tempfile.mkdtemp(dir="/dev/shm", prefix="chaos-"))
        self._disks = self._folder / "disks"
        self._disks.mkdir()
        self.scaleio = Emulator(plain_http=True, pace=Pace(join_seconds=0, device_test_seconds=0.02))
        self.ec2 = server.Emulator(("127.0.0.1", 0), ("127.0.0.1", 0), Disks(self._disks), Latency({**QUICK, **STATES}))
        self.wire = Wire(self._objections)
        self.engine = Engine()
        self.policy: Mapping[str, Any] = POLICY
        self.device_timeout_seconds = 60
        self._scenes = 0
        self.scaleio.start()
        zones = zip(ADDRESSES.items(), "abc", strict=True)
        self.ec2.start([Wanted(name, address, f"us-east-1{zone}") for (name, address), zone in zones])
        self._client = boto3.client("ec2", **self._boto3_connection)
        self._hosts = {instance.instance_id: instance.name for instance in self.ec2.instances}
        self._settle()

    def _settle(self) -> None:
        """A pool of three disks that is 85 % full, and a disk of somebody else on one of the hosts."""
        made = self.engine.run(
            {"module": "scaleio_topology", "options": {**self._gateway, "topology": topology(["default"])}}
        )
        assert made.answer["changed"], made.answer
        self.scaleio.system.advance()
        content.fill_pool(self.scaleio.system, "default", 85)
        self._system = self.scaleio.system.to_json()
        instance = next(instance for instance in self.ec2.instances if instance.name == FOREIGN_HOST)
        volume = self._client.create_volume(AvailabilityZone=instance.az, Size=200, VolumeType="gp3")
        self.foreign_id = volume["VolumeId"]
        self._until(lambda: self._described(self.foreign_id)["State"] == "available")
        self._client.attach_volume(VolumeId=self.foreign_id, InstanceId=instance.instance_id, Device="/dev/xvdaa")
        self._until(lambda: self._described(self.foreign_id)["Attachments"][0]["State"] == "attached")
        self._from_the_start = set(self.volumes)
        self.ec2.keep()
        self.begin()
        self.engine.warm(self.site())
        self.ec2._servers[0].app = self.wire.ec2(self.ec2._servers[0].app)
        self.scaleio._web.answer = self.wire.gateway(self.scaleio.gateway.handle)

    def begin(self) -> None:
        """The next scene: everything is as it was after the start."""
        self.ec2.record.clear_faults()
        self.policy = POLICY
        self.device_timeout_seconds = 60
        self.wire.begin()
        self.ec2.restore()
        system, gateway = self.scaleio.system, self.scaleio.gateway
        self.scaleio.clock.ahead_seconds = 0.0
        with system.lock:
            system.state = copy.deepcopy({**self._system, "advanced_at": system.clock()})
            system._cache.clear()
            system.adding_devices.clear()
            system.bad_disks.clear()
        gateway.sessions.close_all()
        gateway.journal.reset()
        gateway.faults.clear()
        shutil.rmtree(self._disks)
        for name in ADDRESSES:
            host_disks.boot(self._disks, name)
        host_disks.attach(self._disks, FOREIGN_HOST, self.foreign_id, 200)
        with self._foreign_disk.open("r+b") as disk:
            disk.write(FOREIGN_DATA)
        if self._scenes:
            shutil.rmtree(self.scene)
        self._scenes += 1
        self.scene.mkdir()

    @property
    def scene(self) -> Path:
        """The controller's files of this scene."""
        return self._folder / f"scene{self._scenes}"

    def site(self, controller: str = "one", **changed: Any) -> dict[str, Any]:
        """What the engine has to know; a controller has its own files and its own lock."""
        own = self.scene / controller
        return {
            "scaleio_connection": self._gateway,
            "ebs_connection": self._ebs,
            "policy": self.policy,
            "hosts": [{"name": name, "addresses": [address]} for name, address in ADDRESSES.items()],
            "folder": str(own),
            "reports": str(own / "reports"),
            "metrics_file": str(own / "metrics" / "remediation.prom"),
            "lock_file": str(own / "platform.lock"),
            "disks": str(self._disks),
            "second_look_seconds": 30,
            "device_timeout_seconds": self.device_timeout_seconds,
            **changed,
        }

    def play(self, strike: Strike | None = None, happens: Callable[[], None] | None = None, **task: Any) -> Ended:
        """A run from its start to its end, whichever; the strike kills it, unless something else `happens` there."""
        self.wire.arm(strike, happens or self.engine.kill, fatal=happens is None)
        return self.engine.run({"site": self.site(), **task})

    def fault(self, call: str, **given: Any) -> None:
        """A fault for a call as the wire names it: an action of EC2, or method and path."""
        if " " in call:
            method, path = call.split()
            self.scaleio.gateway.faults.add(GatewayFault(method=method, path_prefix=path, **given))
        else:
            self.ec2.record.inject([Fault(call.removeprefix(DRY), **given)])

    def clear_faults(self) -> None:
        self.ec2.record.clear_faults()
        self.scaleio.gateway.faults.clear()

    def control(self, path: str, body: Mapping[str, Any]) -> None:
        """The ScaleIO emulator's control port."""
        url = f"{self.scaleio.facts['control_url']}/{path}"
        urllib.request.urlopen(urllib.request.Request(url, data=json.dumps(body).encode()), timeout=10).read()

    def hide(self, host: str, times: int) -> None:
        """The next disk of this host is not shown there until it was attached more than so often."""
        (self._disks / "hidden").write_text(f"{host}:{times}")

    def forget_volume(self, volume_id: str) -> None:
        """Deleted by somebody else, without a call that the wire would see."""
        next(iter(self.ec2._shim._worlds.values())).ec2.volumes.pop(volume_id)

    def outcome(self) -> dict[str, Any]:
        """Everything that two runs which came to the same end have in common; ids and times are not."""
        bought = self._bought()
        places = {raw["VolumeId"]: "/".join(self._place(raw)) for raw in bought}
        system = self.scaleio.system
        (pool,) = system.objects("StoragePool").values()
        return {
            "volumes": sorted((self._volume(raw) for raw in bought), key=str),
            "devices": sorted((self._device(raw, places) for raw in system.objects("Device").values()), key=str),
            "capacity_kib": system.pool_capacity(pool).limit_kib,
            "foreign": self._foreign(),
        }

    def duplicates(self) -> int:
        """Volumes beyond the one that each place of the plan has."""
        places = Counter(self._place(raw) for raw in self._bought())
        return sum(count - 1 for count in places.values()) + max(0, len(places) - VOLUMES)

    def orphans(self) -> int:
        """Volumes that cost money and give no capacity."""
        names = {device["name"] for device in self.scaleio.system.objects("Device").values()}
        return sum(1 for raw in self._bought() if raw["VolumeId"] not in names)

    @property
    def volumes(self) -> dict[str, Any]:
        """moto's own, by id."""
        return dict(next(iter(self.ec2._shim._worlds.values())).ec2.volumes)

    def damaged_records(self) -> list[str]:
        """Reports of which only a part was written."""
        found = []
        for path in self.scene.rglob("*.json"):
            try:
                json.loads(path.read_text())
            except ValueError:
                found.append(path.name)
        return found

    def close(self) -> None:
        self.engine.close()
        self.scaleio.stop()
        self.ec2.stop()
        shutil.rmtree(self._folder)

    @property
    def _gateway(self) -> dict[str, Any]:
        facts = self.scaleio.facts
        return {
            "gateway_host": facts["host"],
            "gateway_port": facts["port"],
            "gateway_password": facts["password"],
            "use_tls": False,
        }

    @property
    def _ebs(self) -> dict[str, str]:
        return {
            "endpoint_url": self.ec2.endpoint_url,
            "region": server.REGION,
            "access_key": server.ACCESS_KEY,
            "secret_key": server.SECRET_KEY,
        }

    @property
    def _boto3_connection(self) -> dict[str, str]:
        return {
            "endpoint_url": self.ec2.endpoint_url,
            "region_name": server.REGION,
            "aws_access_key_id": server.ACCESS_KEY,
            "aws_secret_access_key": server.SECRET_KEY,
        }

    @property
    def _foreign_disk(self) -> Path:
        serial = self.foreign_id.replace("-", "")
        return self._disks / FOREIGN_HOST / "dev" / "disk" / "by-id" / f"nvme-Amazon_Elastic_Block_Store_{serial}"

    def _foreign(self) -> list[Any]:
        raw = self._described(self.foreign_id)
        attachments = [(self._hosts[own["InstanceId"]], own["State"]) for own in raw["Attachments"]]
        with self._foreign_disk.open("rb") as disk:
            return [raw["State"], attachments, raw.get("Tags", []), disk.read(len(FOREIGN_DATA)).decode()]

    def _bought(self) -> list[dict[str, Any]]:
        mine = [{"Name": "tag-key", "Values": ["mesos-scaleio:managed"]}]
        found = self._asked("describe_volumes", Filters=mine)["Volumes"]
        return [raw for raw in found if raw["State"] not in {"deleting", "deleted"}]

    def _described(self, volume_id: str) -> dict[str, Any]:
        return dict(self._asked("describe_volumes", VolumeIds=[volume_id])["Volumes"][0])

    def _asked(self, method: str, **given: Any) -> dict[str, Any]:
        """Our own looks do not count as calls of the engine."""
        calls, unsafe = list(self.wire.calls), list(self.wire.unsafe)
        answer = getattr(self._client, method)(**given)
        self.wire.calls, self.wire.unsafe = calls, unsafe
        return dict(answer)

    def _place(self, raw: Mapping[str, Any]) -> tuple[str, str, str]:
        tags = {tag["Key"].partition(":")[2]: tag["Value"] for tag in raw["Tags"]}
        return tags["txn"], tags["sds"], tags["slot"]

    def _volume(self, raw: Mapping[str, Any]) -> list[Any]:
        tags = {tag["Key"]: tag["Value"] for tag in raw["Tags"]}
        attached = [[self._hosts[own["InstanceId"]], own["State"]] for own in raw["Attachments"]]
        fixed = [raw[key] for key in ("Size", "VolumeType", "Encrypted", "AvailabilityZone", "State")]
        return [tags, *fixed, attached]

    def _device(self, raw: Mapping[str, Any], places: Mapping[str, str]) -> list[Any]:
        sds = self.scaleio.system.get("Sds", raw["sdsId"])["name"]
        kept = [raw[key] for key in ("capacityLimitInKb", "deviceState", "errorState")]
        return [sds, places.get(raw["name"], raw["name"]), *kept]

    def _objections(self, call: Call) -> list[str]:
        """What is unsafe about a call, looked at in the moment before it is carried out."""
        found = []
        given = call.given
        volumes = self.volumes
        devices = {device["name"]: device for device in self.scaleio.system.objects("Device").values()}
        names = set(devices)
        volume_id = given.get("VolumeId") or given.get("ResourceId.1")
        if (call.effect or call.name == "CreateTags") and volume_id == self.foreign_id:
            found.append(f"{call.name} of somebody else's volume")
        if call.name in {"DetachVolume", "DeleteVolume"} and volume_id in names:
            found.append(f"{call.name} of a volume that is a device")
        if call.name == "CreateTags" and volume_id in names and not _dead(devices[volume_id]):
            found.append(f"{call.name} of a volume that is a device")
        if call.name == ADD_DEVICE:
            mine = [raw for raw in volumes.values() if raw.id == given.get("name")]
            if not mine or mine[0].attachment is None or mine[0].attachment.status != "attached":
                found.append(f"a device is made of {given.get('name')}, which is not attached")
            bought = [raw for raw in volumes.values() if raw.attachment and raw.id not in self._from_the_start]
            if len(bought) < VOLUMES:
                found.append("a device is added while not all of its purchase is attached")
            if str(given.get("forceDeviceTakeover", "")).lower() == "true":
                found.append("a device is taken by force")
        return found

    def _until(self, done: Any) -> None:
        for _look in range(500):
            if done():
                return
            threading.Event().wait(0.01)
        raise TimeoutError("the stage is not set in time")


def _dead(device: Mapping[str, Any]) -> bool:
    """In error, and without anything that could be lost."""
    return device["errorState"] != "None" and not device["_data_kib"]


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    made = Stage()
    try:
        yield made
    finally:
        made.close()
