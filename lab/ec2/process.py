"""The emulator as a process of its own, for those who start it from Python."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

import boto3
from botocore.config import Config

from lab.paths import CHECKOUT


class EmulatorProcess:
    """Runs from the construction until stop()."""

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        command = [str(CHECKOUT / "lab/bin/ec2-emulator"), "--listen", "127.0.0.1:0", *arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError(f"the EC2 emulator ended with {self._process.wait()}")
        self.ready: Mapping[str, Any] = json.loads(line)

    @property
    def instance_ids(self) -> list[str]:
        return [instance["instance_id"] for instance in self.ready["instances"]]

    @property
    def connection(self) -> dict[str, str]:
        return {key: self.ready[key] for key in ("endpoint_url", "region", "access_key", "secret_key")}

    def client(self, **config: Any) -> Any:
        return self.boto3_client("ec2", **config)

    def client_as(self, access_key: str) -> Any:
        """EC2 with a key of one's own choice; which rights it has, `allow` says."""
        return self.boto3_client("ec2", access_key)

    def boto3_client(self, service: str, access_key: str = "", **config: Any) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.ready["endpoint_url"],
            region_name=self.ready["region"],
            aws_access_key_id=access_key or self.ready["access_key"],
            aws_secret_access_key=self.ready["secret_key"],
            config=Config(**config),
        )

    def control(self, path: str, body: Any = None) -> Any:
        """GET without a body, POST with one."""
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(f"{self.ready['control_url']}/{path}", data=data, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise ValueError(f"{path}: {error.code}: {error.read().decode()}") from None

    def fault(self, action: str, kind: str, **more: Any) -> None:
        self.control("fault", {"action": action, "kind": kind, **more})

    def allow(self, access_key: str, documents: Sequence[Mapping[str, Any]] | None) -> None:
        """Hold an access key to IAM policies; None: no longer."""
        self.control("iam", {"access_key": access_key, "documents": documents})

    def counters(self) -> dict[str, int]:
        return dict(self.control("counters"))

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait(timeout=20)
