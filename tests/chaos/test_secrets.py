"""A whole expansion at -vvvv, with secrets that nobody may see: on no command line, in no file, in no output.

tests/e2e/test_9_secrets.py has the hosts; here remediation buys, adds, tells, and keeps its records elsewhere.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from tests.contract.locks.conftest import bucket, zookeeper_server  # noqa: F401 (fixtures)
from tests.contract.remediation.site import Site, site
from tests.contract.remediation.test_notifications import Webhook
from tests.support import leaks

CANARIES = {
    "secret key of EC2": "canary-of-ec2-1fa04c",
    "session token of EC2": "canary-of-session-77be21",
    "S3 secret key of the records": "canary-of-records-0d93aa",
    "address of the webhook": "canary-of-webhook-c40e58",
    "password of the mail server": "canary-of-mail-5b8e07",
    "password of ZooKeeper": "canary-of-zookeeper-e21d66",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        made.fill(85)
        yield made


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    server = Webhook()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def places(webhook: Webhook, zookeeper_server: str, bucket: dict[str, Any]) -> dict[str, Any]:  # noqa: F811
    """Where a run goes beside the platform itself, each with its secret."""
    hook = CANARIES["address of the webhook"]
    return {
        "remediation_records": {"s3": {**bucket, "secret_key": CANARIES["S3 secret key of the records"]}},
        "remediation_notify": {
            "webhook_url": f"http://127.0.0.1:{webhook.server_address[1]}/{hook}",
            "mail": {
                "host": "127.0.0.1",
                "port": 9,  # nobody is there, so it fails and says why
                "username": "ops",
                "password": CANARIES["password of the mail server"],
                "from": "platform@example.com",
                "to": ["ops@example.com"],
            },
        },
        "platform_lock_shared": {
            "zookeeper": {"hosts": [zookeeper_server], "auth": f"ops:{CANARIES['password of ZooKeeper']}"}
        },
    }


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that a run may write to beside its reports. As in Ansible's own defaults, with its log and its cache on top:
    modules travel through files."""
    folders = {name: tmp_path / "own" / name for name in ("home", "tmp", "remote", "cache")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    for name, value in (
        ("HOME", folders["home"]),
        ("TMPDIR", folders["tmp"]),
        ("ANSIBLE_REMOTE_TMP", folders["remote"]),
        ("ANSIBLE_LOCAL_TEMP", folders["tmp"]),
        ("ANSIBLE_PIPELINING", False),
        ("ANSIBLE_CACHE_PLUGIN", "ansible.builtin.jsonfile"),
        ("ANSIBLE_CACHE_PLUGIN_CONNECTION", folders["cache"]),
        ("ANSIBLE_LOG_PATH", tmp_path / "own" / "ansible.log"),
    ):
        monkeypatch.setenv(name, str(value))
    return tmp_path / "own"


def tell(world: Site, **variables: Any) -> None:
    """In the inventory, since what is given to ansible-playbook as an argument can be seen by everybody."""
    path = world.folder / "hosts.yml"
    inventory = yaml.safe_load(path.read_text())
    inventory["all"]["vars"] |= variables
    path.write_text(yaml.safe_dump(inventory))


def kept_in(s3: dict[str, Any]) -> str:
    keys = {"aws_access_key_id": s3["access_key"], "aws_secret_access_key": s3["secret_key"]}
    client = boto3.client("s3", endpoint_url=s3["endpoint_url"], region_name=s3["region"], **keys)
    return " ".join(entry["Key"] for entry in client.list_objects_v2(Bucket=s3["bucket"])["Contents"])


def assert_it_sees(watch: leaks.Watch, folder: Path) -> None:
    planted = CANARIES["session token of EC2"]
    with watch:
        (folder / "planted").write_text(planted)
        subprocess.run(["sh", "-c", f"sleep 1.5; true {planted}"], check=True)
    assert {name for name, _where in [*watch.processes, *watch.files]} == {"session token of EC2"}
    assert watch.processes
    assert watch.files
    (folder / "planted").unlink()
    watch.processes.clear()
    watch.files.clear()


@pytest.mark.slow
def test_an_expansion_shows_no_secret(
    world: Site, own: Path, places: dict[str, Any], webhook: Webhook, figure: Callable[..., None]
) -> None:
    keys = {"secret_key": CANARIES["secret key of EC2"], "session_token": CANARIES["session token of EC2"]}
    tell(world, ebs_connection={**world.ec2.connection, **keys}, **places)
    secrets = {**CANARIES, "password of the Gateway": str(world.scaleio_connection["gateway_password"])}
    watch = leaks.Watch(secrets, {}, [own, world.reports, Path("/dev/shm")])
    assert_it_sees(watch, own)
    with watch:
        run = world.play("-vvvv", "--diff")
    assert (run.status, run.report["status"]) == (0, "changed"), run.output
    assert len(webhook.told) == 1
    assert "history.jsonl" in kept_in(places["remediation_records"]["s3"])
    assert watch.rounds > 100
    found = [f"output: {name}" for name, value in secrets.items() if value in run.output]
    for place in (own, world.reports):
        found += [f"{path}: {', '.join(names)}" for path, (_mode, names) in leaks.files_with(secrets, place).items()]
    found += [f"{where}: {name}" for name, where in (*watch.processes, *watch.files)]
    what = f"{len(secrets)} secrets, whole expansion at -vvvv, {watch.rounds} looks at all processes"
    figure(f"{what}: seen in output, log, reports, temporary files, argv", len(found), "", "0", not found)
    assert found == []
