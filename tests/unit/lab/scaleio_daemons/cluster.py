"""ScaleIO daemons as processes on loopback addresses, for tests."""

from __future__ import annotations

import json
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from lab.paths import CHECKOUT
from lab.scaleio.daemons import wire
from lab.scaleio.daemons.gateway_service import save_password
from lab.scaleio.daemons.mdm_client import MdmClient

PASSWORD = "Scaleio-123"
GATEWAY_PASSWORD = "Gateway-1"
ROLES = {"127.0.0.1": "1", "127.0.0.2": "1", "127.0.0.3": "0"}


def free_ports(ips: list[str], count: int) -> list[int]:
    """Ports in a row, free on all addresses and below the ephemeral range, so that no client takes one meanwhile."""
    for _ in range(100):
        first = random.randrange(21000, 32000 - count)
        try:
            for port in range(first, first + count):
                for ip in ips:
                    socket.create_server((ip, port)).close()
        except OSError:
            continue
        return list(range(first, first + count))
    raise RuntimeError("no free ports")


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> float:
    """Seconds until the condition held."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > seconds:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)
    return time.monotonic() - started


def make_certificate(path: Path) -> Path:
    """Key and self-signed certificate for 127.0.0.1 in one file."""
    key = path.with_suffix(".key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(path)],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_text(key.read_text() + path.read_text())
    return path


class Daemons:
    """Starts daemons by name, keeps their output, ends what is left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[str, subprocess.Popen] = {}

    def start(self, name: str, module: str, *arguments: str) -> dict:
        log = (self.folder / f"{name}.log").open("a")
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, stderr=log, text=True, cwd=CHECKOUT
        )
        self.running[name] = process
        line = process.stdout.readline()
        assert line, (self.folder / f"{name}.log").read_text()
        return json.loads(line)

    def signal(self, name: str, number: signal.Signals) -> None:
        self.running[name].send_signal(number)

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def stop(self, name: str) -> int:
        process = self.running.pop(name)
        process.terminate()
        return process.wait(10)

    def close(self) -> None:
        for process in self.running.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
        for process in self.running.values():
            process.wait()
            process.stdout.close()


class MdmCluster(Daemons):
    """By default two managers and a tie-breaker, in three-node mode, with a known admin password."""

    def __init__(self, folder: Path, roles: dict[str, str] = ROLES) -> None:
        super().__init__(folder)
        self.roles = roles
        self.ips = list(roles)
        self.managers = [ip for ip in roles if roles[ip] == "1"]
        ports = free_ports(self.ips, 5)
        self.management_port, self.cluster_port, self.sds_port, self.https_port, self.http_port = ports
        self.disks = Path(tempfile.mkdtemp(prefix="sds-", dir="/dev/shm"))

        self.certificate = make_certificate(folder / "mdm.pem")

    def close(self) -> None:
        super().close()
        shutil.rmtree(self.disks)

    def start_mdm(self, ip: str) -> None:
        configuration = self.folder / f"{ip}.conf"
        configuration.write_text(f"actor_role_is_manager={self.roles[ip]}\n")
        self.start(
            ip, "lab.scaleio.daemons.mdm", "--config", str(configuration), "--repository", str(self.folder / ip),
            "--listen", ip, "--management-port", str(self.management_port), "--cluster-port", str(self.cluster_port),
            "--certificate", str(self.certificate),
        )  # fmt: skip

    def form(self) -> None:
        for ip in self.ips:
            self.start_mdm(ip)
        self.client = MdmClient(self.ips[:1], self.management_port)
        request = {"op": "create_mdm_cluster", "name": "mdm1", "ips": [self.ips[0]], "management_ips": []}
        self.client.ask(request)
        self.client = MdmClient(self.managers, self.management_port)
        self.login("admin")
        self.client.ask({"op": "set_password", "token": self.token, "old_password": "admin", "new_password": PASSWORD})
        self.login(PASSWORD)
        slaves, tie_breakers = self.managers[1:], [ip for ip in self.ips if ip not in self.managers]
        for number, ip in enumerate(slaves, start=2):
            self.post("/api/instances/System/action/addStandbyMdm", ips=[ip], role="Manager", name=f"mdm{number}")
        for number, ip in enumerate(tie_breakers, start=1):
            self.post("/api/instances/System/action/addStandbyMdm", ips=[ip], role="TieBreaker", name=f"tb{number}")
        self.post(
            "/api/instances/System/action/switchClusterMode",
            mode={3: "ThreeNodes", 5: "FiveNodes"}[len(self.ips)],
            addSlaveMdmIdList=slaves,
            addTBIdList=tie_breakers,
        )

    def login(self, password: str) -> None:
        self.token = self.client.ask({"op": "login", "username": "admin", "password": password})["token"]

    def rest(self, method: str, path: str, body: dict | None = None, retry_seconds: float = 8.0) -> object:
        request = {"op": "rest", "token": self.token, "method": method, "path": path, "body": body}
        answer = self.client.ask(request, retry_seconds)
        assert answer["status"] == 200, answer["payload"]
        return answer["payload"]

    def post(self, path: str, **body: object) -> object:
        return self.rest("POST", path, body)

    def get(self, path: str) -> object:
        return self.rest("GET", path)

    def status(self, ip: str) -> dict:
        try:
            return wire.call((ip, self.management_port), {"op": "status"}, 1.0)
        except (wire.Unreachable, wire.Interrupted):
            return {"serving": False, "in_sync": [], "change": None}

    def primary(self) -> str | None:
        return next((ip for ip in self.ips if self.status(ip)["serving"]), None)

    def cluster_state(self) -> str:
        return self.post("/api/instances/System/queryMdmCluster")["clusterState"]

    def start_gateway(self, bypass: bool = True) -> None:
        """In front of the first two managers; `bypass`: it takes any certificate of theirs."""
        save_password(self.folder / "admin.secret", GATEWAY_PASSWORD)
        properties = self.folder / "gatewayUser.properties"
        checks = f"security.bypass_certificate_check={str(bypass).lower()}"
        properties.write_text(f"mdm.ip.addresses={','.join(self.managers[:2])}\n{checks}\n")
        ready = self.start(
            "gateway", "lab.scaleio.daemons.gateway_service", "--properties", str(properties),
            "--certificate", str(self.certificate), "--secret", str(self.folder / "admin.secret"),
            "--truststore", str(self.folder / "truststore.json"),
            "--listen", "127.0.0.1", "--https-port", str(self.https_port), "--http-port", str(self.http_port),
            "--mdm-port", str(self.management_port),
        )  # fmt: skip
        assert ready["mdm"] == self.managers[:2]

    def start_sds(self, number: int) -> str:
        """An SDS with one sparse disk; returns the disk's path."""
        disk = self.disks / f"disk{number}"
        if not disk.exists():
            with disk.open("wb") as stream:
                stream.truncate(180 * 1024**3)
        self.start(
            f"sds{number}", "lab.scaleio.daemons.sds", "--folder", str(self.folder / f"sds{number}"),
            "--listen", f"127.0.0.{number}", "--port", str(self.sds_port), "--allow-files",
        )  # fmt: skip
        return str(disk)

    def start_sdc(self, name: str, ip: str) -> str:
        """An SDC; returns its control socket."""
        configuration = self.folder / f"{name}.txt"
        if not configuration.exists():
            configuration.write_text(f"ini_guid {str(uuid.uuid4()).upper()}\nmdm {','.join(self.ips[:2])}\n")
        control = str(self.folder / f"{name}.sock")
        self.start(
            name, "lab.scaleio.daemons.sdc", "--config", str(configuration), "--control", control,
            "--mdm-port", str(self.management_port), "--ip", ip,
        )  # fmt: skip
        return control
