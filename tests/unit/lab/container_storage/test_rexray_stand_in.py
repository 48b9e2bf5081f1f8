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
from lab.container_storage.rexray_config import BadConfiguration, read
from lab.container_storage.scaleio_gateway import GatewayError
from lab.container_storage.volumes import Volumes
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
