"""The emulator as an object: two listeners, the shim and its control URL."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from lab.ec2.control import Control
from lab.ec2.devices import DeviceBackend
from lab.ec2.faults import Record
from lab.ec2.fleet import Instance, Wanted, launch
from lab.ec2.iam import Documents
from lab.ec2.latency import Latency
from lab.ec2.lifecycle import Lifecycle
from lab.ec2.shim import Shim
from lab.ec2.world import World

REGION = "us-east-1"
ACCESS_KEY = "lab-access-key"
SECRET_KEY = "lab-secret-key"


class QuietHandler(MotoRequestHandler):
    """The control URL has the log of requests; standard error is for trouble."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date of an answer; that of EC2 may be of another clock."""
        ahead_seconds = getattr(self.server.app, "date_ahead_seconds", 0.0)
        return super().date_time_string((time.time() if timestamp is None else timestamp) + ahead_seconds)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class Emulator:
    """An EC2 that runs until it is stopped."""

    def __init__(
        self,
        listen: tuple[str, int],
        control: tuple[str, int],
        devices: DeviceBackend,
        latency: Latency,
        storage_quota_tib: int = 50,
    ) -> None:
        lock = threading.RLock()
        self.record = Record()
        self._lifecycle = Lifecycle(lock, devices, latency)
        documents = Documents()
        self._shim = Shim(
            record=self.record,
            documents=documents,
            lifecycle=self._lifecycle,
            latency=latency,
            lock=lock,
            storage_quota_tib=storage_quota_tib,
        )
        self._latency = latency
        self._servers = [
            _listener(listen, self._shim),
            _listener(control, Control(self.record, documents, latency, self._shim)),
        ]
        self.endpoint_url, self.control_url = (f"http://{own.host}:{own.port}" for own in self._servers)
        self.instances: list[Instance] = []

    def start(self, wanted: Sequence[Wanted] = ()) -> None:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        client = boto3.client(
            "ec2",
            endpoint_url=self.endpoint_url,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )
        self.instances = launch(client, wanted)
        self.record.reset()
        self._latency.begin()

    def keep(self) -> None:
        """Have `restore` come back to the volumes that there are now."""
        self._shim.each_world(World.keep)

    def restore(self) -> None:
        """As if nothing had been asked since `keep`; for tests that begin again and again. Nobody may be calling."""
        self._lifecycle.stop()
        self._shim.each_world(World.restore)
        self._shim.reset()

    def stop(self) -> None:
        self._lifecycle.stop()
        for server in self._servers:
            server.shutdown()
            server.server_close()


def _listener(address: tuple[str, int], application: Callable[..., Any]) -> BaseWSGIServer:
    # Bound here, because make_server ends the process where it cannot bind.
    with socket.create_server(address) as bound:
        server = make_server(
            *address, application, threaded=True, request_handler=QuietHandler, fd=os.dup(bound.fileno())
        )
    server.daemon_threads = True
    return server
