"""A real ZooKeeper and an S3 that enforces conditions, each for one test run."""

from __future__ import annotations

import contextlib
import io
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from lab.mesos import zookeeper

S3_ACCESS = {"region": "us-east-1", "access_key": "lab-access-key", "secret_key": "canary-secret-key"}


@pytest.fixture(scope="session")
def zookeeper_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    folder = tmp_path_factory.mktemp("zookeeper") / "data"
    process = subprocess.Popen(zookeeper.command(folder, "127.0.0.1", port), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not zookeeper.is_serving("127.0.0.1", port):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    yield f"127.0.0.1:{port}"
    process.terminate()
    process.wait()


@pytest.fixture(scope="session")
def bucket() -> Iterator[dict[str, Any]]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    with contextlib.redirect_stdout(io.StringIO()):
        server.start()
    given = {
        **S3_ACCESS,
        "endpoint_url": "http://{}:{}".format(*server.get_host_and_port()),
        "bucket": "platform-locks",
    }
    client = boto3.client(
        "s3",
        endpoint_url=given["endpoint_url"],
        region_name=given["region"],
        aws_access_key_id=given["access_key"],
        aws_secret_access_key=given["secret_key"],
    )
    client.create_bucket(Bucket=given["bucket"])
    yield given
    server.stop()


@pytest.fixture(params=["zookeeper", "s3"])
def place(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A place of its own for each test, as the option O(shared) has it."""
    name = request.node.name
    if request.param == "zookeeper":
        hosts = [request.getfixturevalue("zookeeper_server")]
        return {"zookeeper": {"hosts": hosts, "path": f"/{name}/lock", "auth": "platform:canary-secret-key"}}
    return {"s3": {**request.getfixturevalue("bucket"), "key": f"{name}/lock"}}
