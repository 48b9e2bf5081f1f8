"""A ScaleIO system as its own REST interface shows it, asked without any code of ours, again and again during a run."""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
import urllib.error
import urllib.request
from typing import Any


class Rest:
    def __init__(self, address: str, password: str, user: str = "admin") -> None:
        self._url = f"https://{address}"
        self._context = ssl._create_unverified_context()
        self._token = ""
        self._token = json.loads(self._send("GET", "/api/login", user, password))

    def get(self, path: str) -> Any:
        return json.loads(self._send("GET", path, "", self._token))

    def cluster(self) -> dict[str, Any]:
        return dict(json.loads(self._send("POST", "/api/instances/System/queryMdmCluster", "", self._token, b"{}")))

    def _send(self, method: str, path: str, user: str, password: str, body: bytes | None = None) -> str:
        secret = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {secret}", "Content-Type": "application/json"}
        request = urllib.request.Request(self._url + path, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=20, context=self._context) as answer:
            return str(answer.read().decode())


class Watch:
    """What was away at once at the worst moment, looked at twice a second between `with` and its end."""

    def __init__(self, address: str, password: str) -> None:
        self._address, self._password = address, password
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.looks = 0
        self.data_servers_away: set[str] = set()  # at the worst moment
        self.members_away: set[str] = set()
        self.primaries: list[str] = []  # in the order in which they led
        self.failed_kib = 0

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._end.set()
        self._thread.join(30)

    def _run(self) -> None:
        rest = None
        while not self._end.wait(0.5):
            try:
                rest = rest or Rest(self._address, self._password)
                self._look(rest)
            except (OSError, ValueError, urllib.error.URLError):
                rest = None  # the Gateway or the primary changes places
                time.sleep(0.5)

    def _look(self, rest: Rest) -> None:
        tree, cluster = rest.get("/api/instances"), rest.cluster()
        away = {
            sds["name"]
            for sds in tree["sdsList"]
            if sds["mdmConnectionState"] != "Connected" or sds["maintenanceState"] != "NoMaintenance"
        }
        lost = {
            member["name"] for member in [*cluster["slaves"], *cluster["tieBreakers"]] if member["status"] != "Normal"
        }
        self.data_servers_away = max(self.data_servers_away, away, key=len)
        self.members_away = max(self.members_away, lost, key=len)
        if not self.primaries or self.primaries[-1] != cluster["master"]["name"]:
            self.primaries.append(cluster["master"]["name"])
        for pool in tree["storagePoolList"]:
            figures = rest.get(f"/api/instances/StoragePool::{pool['id']}/relationships/Statistics")
            self.failed_kib = max(self.failed_kib, figures["failedCapacityInKb"])
        self.looks += 1
