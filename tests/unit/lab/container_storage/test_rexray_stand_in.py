"""The lab's REX-Ray and dvdcli: settings read strictly, and the path from a command to the Gateway."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.container_storage import calls, dvdcli, rexray
from lab.container_storage.host import Host, HostError
from lab.container_storage.rexray_config import BadConfiguration, read, seconds
from lab.container_storage.scaleio_gateway import GatewayError
from lab.container_storage.volumes import DriverError, Volumes
from lab.scaleio.emulator import Emulator

# the sample of REX-Ray's own guide, with the options that the Mesos chapter recommends
SAMPLE: dict[str, Any] = yaml.safe_load("""
rexray: {logLevel: warn}
libstorage:
  service: scaleio
  integration:
    volume:
      operations:
        mount: {preempt: true, rootPath: /data, retryCount: 3, retryWait: 5s}
        unmount: {ignoreusedcount: true}
        create: {default: {size: 8, fsType: ext4}}
        remove: {disable: true}
scaleio:
  endpoint: https://gateway/api
  insecure: false
  useCerts: true
  version: "3.6"
  userName: admin
  password: secret
  systemName: lab
  protectionDomainName: default
  storagePoolName: default
  thinOrThick: ThinProvisioned
""")


def changed(**fields: Any) -> dict[str, Any]:
    """SAMPLE with values set by path, `__` for a dot; None removes one."""
    document = copy.deepcopy(SAMPLE)
    for path, value in fields.items():
        *above, last = path.split("__")
        node = document
        for part in above:
            node = node.setdefault(part, {})
        if value is None:
            del node[last]
        else:
            node[last] = value
    return document


def test_the_guides_sample_is_read() -> None:
    settings = read(SAMPLE)
    assert (settings.service, settings.user, settings.storage_pool) == ("scaleio", "admin", ("", "default"))
    assert settings.operations["mount.preempt"] is True
    assert settings.socket == "/run/docker/plugins/rexray.sock"


def test_several_services_and_modules_are_read() -> None:
    services = {"gold": {"driver": "scaleio", "scaleio": {"storagePoolName": "gold"}}, "tin": {"driver": "scaleio"}}
    module = {"type": "docker", "host": "unix:///run/docker/plugins/tin.sock", "libstorage": {"service": "tin"}}
    settings = read(
        changed(libstorage__service="gold", libstorage__server={"services": services}, rexray__modules={"tin": module})
    )
    assert settings.storage_pool == ("", "gold")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"scaleio__apiVersion": "2.0"}, "scaleio.apiVersion is no key that REX-Ray reads"),
        ({"scaleio__storagePool": "p"}, "did you mean scaleio.storagePool"),
        ({"scaleio__endpoint": "http://gateway/api"}, "write https://GATEWAY/api"),
        ({"scaleio__endpoint": "https://gateway"}, "write https://GATEWAY/api"),
        ({"scaleio__password": None}, "scaleio.password is missing"),
        ({"scaleio__systemName": None}, "scaleio.systemname is missing"),
        ({"scaleio__thinOrThick": "thin"}, "ThinProvisioned or ThickProvisioned"),
        ({"scaleio__insecure": "no"}, "scaleio.insecure is 'no': not a switch"),
        ({"libstorage__service": None}, "libstorage.service is missing"),
        ({"libstorage__service": "ebs"}, "another driver"),
        ({"rexray__logLevel": "loud"}, "not a level"),
        ({"libstorage__integration__volume__operations__mount__retryWait": 5}, "not a duration"),
        ({"linux": {"volume": {"directory": "/pg"}}}, "linux.volume.directory is no key that REX-Ray reads"),
        ({"libstorage__integration__volume__operations__mount__premept": True}, "mount.preempt?"),
    ],
)
def test_what_the_real_one_would_ignore_or_stumble_over_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(BadConfiguration, match=r".") as bad:
        read(changed(**fields))
    assert words in str(bad.value)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    running = Emulator(profile="3.6", generate={"sds": 3})
    running.start()
    yield running
    running.stop()


def document(emulator: Emulator, tmp_path: Path, **fields: Any) -> dict[str, Any]:
    return changed(
        scaleio__endpoint=f"{emulator.facts['url']}/api",
        scaleio__password=emulator.password,
        scaleio__systemName="lab",
        rexray__modules={
            "default-docker": {"host": f"unix://{tmp_path}/rexray.sock", "spec": f"{tmp_path}/rexray.spec"}
        },
        **fields,
    )


@pytest.fixture
def command(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """dvdcli COMMAND.. against a running plugin: status, standard output and error."""
    monkeypatch.setattr(calls, "ROOT", tmp_path / "log")
    monkeypatch.setattr(dvdcli, "SOCKETS", tmp_path)
    settings = read(document(emulator, tmp_path))
    volumes = Volumes(settings)
    volumes.start()
    plugin = rexray.Plugin(settings.socket, volumes)
    threading.Thread(target=plugin.serve_forever, args=(0.02,), daemon=True).start()

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            status = dvdcli.main(list(arguments))
        except SystemExit as ended:
            status = int(ended.code or 0)
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    yield run
    plugin.shutdown()
    plugin.server_close()


def test_a_volume_is_made_and_found_through_the_plugin(
    command: Callable[..., tuple[int, str, str]], emulator: Emulator, tmp_path: Path
) -> None:
    driver = "--volumedriver=rexray"
    assert command("get", driver, "--volumename=pg01")[0] == 1
    # this version of ScaleIO refuses what others round up, and REX-Ray passes sizes on as they are
    assert "multiple of 8 GB" in command("create", driver, "--volumename=pg01", "--volumeopts=size=9")[2]
    assert command("create", driver, "--volumename=pg01", "--volumeopts=size=16") == (0, "", "")
    assert command("get", driver, "--volumename=pg01")[:2] == (0, "pg01\n")
    assert command("list", driver)[1] == "pg01\n"
    made = read_volume(emulator, tmp_path)
    assert (made["name"], made["sizeInKb"]) == ("pg01", 16 << 20)
    # remove.disable is set: nothing is removed, and nobody is told
    assert command("remove", driver, "--volumename=pg01")[0] == 0
    assert command("get", driver, "--volumename=pg01")[0] == 0
    lines = [json.loads(line) for line in (tmp_path / "log/dvdcli/calls.jsonl").read_text().splitlines()]
    assert [line["call"] for line in lines] == ["get", "create", "create", "get", "list", "remove", "get"]
    assert "resource not found" in lines[0]["error"]


def read_volume(emulator: Emulator, tmp_path: Path) -> dict[str, Any]:
    volumes = Volumes(read(document(emulator, tmp_path)))
    return next(iter(volumes.gateway.instances("Volume")))


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("mount", "--volumedriver=rexray", "--volumename=x", "--volumeopts=size"), 2, "without '='"),
        (("mount", "--volumeDriver=rexray", "--volumename=x"), 2, "unrecognized arguments"),
        (("attach",), 2, "invalid choice"),
        (("get", "--volumename=x"), 1, "Missing volume driver name"),
        (("get", "--volumedriver=nosuch", "--volumename=x"), 1, "plugin not found"),
        (("get", "--volumedriver=rexray"), 1, "Missing volume name"),
    ],
)
def test_dvdcli_refuses(command: Callable[..., Any], arguments: tuple[str, ...], status: int, words: str) -> None:
    found, _out, errors = command(*arguments)
    assert found == status
    assert words in errors


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"scaleio__storagePoolName": "gold"}, "error finding StoragePool gold"),
        ({"scaleio__systemName": "other"}, "error finding System other"),
        ({"scaleio__userName": "nobody"}, "Unauthorized"),
    ],
)
def test_the_driver_does_not_start_with_what_the_system_does_not_have(
    emulator: Emulator, tmp_path: Path, fields: dict[str, Any], words: str
) -> None:
    wanted = document(emulator, tmp_path)
    for path, value in fields.items():
        section, key = path.split("__")
        wanted[section][key] = value
    with pytest.raises(GatewayError, match=words):
        Volumes(read(wanted)).start()


OPERATIONS = "libstorage__integration__volume__operations__"


class Client(Host):
    """A host in memory. A volume that is mapped to its client is a device; `formatted` are the file systems of all."""

    formatted: set[str]

    def __init__(self, emulator: Emulator, guid: str, address: str) -> None:
        super().__init__(guid, "")
        self.system, self.formatted, self.mounted = emulator.system, set(), {}
        emulator.system.sdc_seen(guid, address, True)

    def device(self, volume_id: str) -> str:
        volume = self.system.get("Volume", volume_id)
        guids = [self.system.get("Sdc", client)["sdcGuid"] for client in volume["_mappings"]]
        return f"/dev/{volume_id}" if self.guid() in guids else ""

    def mount_points(self, device: str) -> list[str]:
        return [point for point, source in self.mounted.items() if source == device]

    def all_mount_points(self) -> list[str]:
        return list(self.mounted)

    def format(self, device: str, filesystem: str) -> None:
        if device not in self.formatted:
            self.formatted.add(device)

    def mount(self, device: str, point: str, directory: str, mode: int) -> None:
        assert device in self.formatted
        self.mounted[point] = device

    def unmount(self, point: str) -> None:
        del self.mounted[point]


@pytest.fixture
def agents(emulator: Emulator, tmp_path: Path) -> Callable[..., tuple[Volumes, Client]]:
    def begin(number: int, **fields: Any) -> tuple[Volumes, Client]:
        host = Client(emulator, f"00000000-0000-4000-8000-00000000000{number}", f"198.18.0.{number}")
        fields.setdefault(f"{OPERATIONS}mount__retryWait", "10ms")  # instead of three times 5 s
        volumes = Volumes(read(document(emulator, tmp_path, **fields)), host)
        volumes.start()
        return volumes, host

    return begin


def holders(volumes: Volumes, name: str) -> list[str]:
    (one,) = [one for one in volumes.gateway.instances("Volume") if one["name"] == name]
    return [mapping["sdcIp"] for mapping in one["mappedSdcInfo"] or []]


def test_the_second_host_takes_the_volume_from_the_first(agents: Callable[..., tuple[Volumes, Client]]) -> None:
    (first, one), (second, two) = agents(1), agents(2)
    assert first.mount({"Name": "moves"}) == {"Mountpoint": "/var/lib/rexray/volumes/moves/data"}
    assert holders(first, "moves") == ["198.18.0.1"]
    two.formatted = one.formatted  # the volume is the same one
    assert second.mount({"Name": "moves"}) == {"Mountpoint": "/var/lib/rexray/volumes/moves/data"}
    assert holders(first, "moves") == ["198.18.0.2"]
    # the first one has a mount of a device that it lost: it goes before the volume comes back
    assert one.mounted
    assert first.mount({"Name": "moves"})["Mountpoint"]
    assert second.path({"Name": "never-mounted"}) == {"Mountpoint": ""}
    assert first.path({"Name": "moves"}) == {"Mountpoint": "/var/lib/rexray/volumes/moves/data"}
    assert first.unmount({"Name": "moves"}) == {}
    assert (one.mounted, holders(first, "moves")) == ({}, [])
    with pytest.raises(DriverError, match="resource not found"):
        second.unmount({"Name": "moves"})


def test_without_preemption_the_volume_of_a_dead_host_is_out_of_reach(
    agents: Callable[..., tuple[Volumes, Client]],
) -> None:
    first, _host = agents(1)
    first.mount({"Name": "stays"})
    second, _host = agents(2, **{f"{OPERATIONS}mount__preempt": False})
    with pytest.raises(DriverError, match=r"problem creating volume implicitly: .*already in use"):
        second.mount({"Name": "stays"})
    assert holders(first, "stays") == ["198.18.0.1"]


def test_only_both_settings_together_forbid_a_new_volume(agents: Callable[..., tuple[Volumes, Client]]) -> None:
    half, _host = agents(1, **{f"{OPERATIONS}create__disable": True})
    assert half.create({"Name": "typo"}) == {}  # nobody is told that nothing was made
    half.mount({"Name": "typo"})
    assert holders(half, "typo") == ["198.18.0.1"]
    whole, _host = agents(1, **{f"{OPERATIONS}create": {"disable": True, "implicit": False}})
    with pytest.raises(DriverError, match="resource not found"):
        whole.mount({"Name": "other-typo"})


def test_a_name_that_was_cut_is_never_found(agents: Callable[..., tuple[Volumes, Client]]) -> None:
    volumes, _host = agents(1)
    long = "n" * 40
    volumes.create({"Name": long})
    with pytest.raises(DriverError, match="resource not found"):
        volumes.get({"Name": long})
    with pytest.raises(DriverError, match="already in use"):
        volumes.mount({"Name": long})


def test_a_mount_is_tried_again_as_often_as_was_asked(agents: Callable[..., tuple[Volumes, Client]]) -> None:
    volumes, host = agents(1, **{f"{OPERATIONS}mount": {"preempt": True, "retryCount": 2, "retryWait": "1ms"}})
    failures = iter([HostError("not yet"), HostError("not yet")])
    mount = host.mount

    def late(*arguments: Any) -> None:
        if failure := next(failures, None):
            raise failure
        mount(*arguments)

    host.mount = late  # type: ignore[method-assign]
    assert volumes.mount({"Name": "slow"})["Mountpoint"]


def test_durations_are_those_of_go() -> None:
    assert [seconds(text) for text in ("5s", "1m30s", "250ms")] == [5, 90, 0.25]
