"""A ScaleIO emulator of one's own for each test, and modules run in this process against it."""

import json
import os
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args

ROOT = Path(__file__).resolve().parents[4]


class Emulator:
    def __init__(self, *arguments):
        command = [ROOT / "lab/bin/scaleio-emulator", "--listen", "127.0.0.1:0", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())
        self.url = self.ready["url"]
        self.control("/pace", join_seconds=0.1, device_test_seconds=0.1)

    def options(self, **changes):
        """Connection options of a module that talks to this emulator."""
        options = {
            "gateway_host": self.ready["host"],
            "gateway_port": self.ready["port"],
            "gateway_username": self.ready["username"],
            "gateway_password": self.ready["password"],
            "timeout_seconds": 10,
        }
        if self.ready["ca_file"]:
            options["ca_path"] = self.ready["ca_file"]
        else:
            options["use_tls"] = False
        return {**options, **changes}

    def control(self, path, **body):
        request = urllib.request.Request(self.ready["control_url"] + path)
        if body or path not in ("/log", "/counters"):
            request.data = json.dumps(body).encode()
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def requests(self):
        """The requests since the last reset, as 'METHOD path'."""
        return [f"{entry['method']} {entry['path']}" for entry in self.control("/log")]

    def writes(self):
        reads = ("querySelectedStatistics", "queryMdmCluster", "/rest/auth/login", "/rest/auth/logout")
        return [request for request in self.requests() if request.startswith("POST") and not request.endswith(reads)]

    def stop(self):
        os.kill(self.process.pid, signal.SIGTERM)
        assert self.process.wait(timeout=10) == 0
        self.process.stdout.close()


@pytest.fixture
def three_agents():
    """A small topology: three servers with one disk each in one pool."""

    def build(**pool):
        sds = []
        for n in (4, 5, 6):
            device = {"path": "/dev/sdb", "storage_pool": "default"}
            sds.append({"name": f"agent{n - 3}", "ips": [f"198.18.0.1{n}"], "devices": [device]})
        domain = {"name": "default", "storage_pools": [{"name": "default", **pool}], "sds": sds}
        return {"protection_domains": [domain]}

    return build


@pytest.fixture
def start_emulator():
    started = []

    def start(*arguments):
        started.append(Emulator(*arguments))
        return started[-1]

    yield start
    for emulator in started:
        emulator.stop()


@pytest.fixture
def emulator(start_emulator):
    return start_emulator("--plain-http")


@pytest.fixture
def run_module(capsys):
    """Run a module's main() with these arguments and return what it printed as its result."""

    def run(main, check_mode=False, **arguments):
        with patch_module_args({**arguments, "_ansible_check_mode": check_mode, "_ansible_diff": True}):
            with pytest.raises(SystemExit):
                main()
        return json.loads(capsys.readouterr().out)

    return run
