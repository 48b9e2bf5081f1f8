"""Every module when no master leads, or when the one that does cannot be reached: one clear failure, and no change."""

from __future__ import annotations

import functools
import importlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import module as mesos_module
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.client import Masters

MODULES: list[tuple[str, dict[str, Any]]] = [
    ("info", {}),
    ("agent", {"agent": "agent1", "state": "drained"}),
    ("agent", {"agent": "agent1", "state": "gone"}),
    ("framework", {"name": "pf", "roles": ["storage"]}),
    ("framework", {"name": "pf", "state": "absent"}),
    ("maintenance", {"machines": ["agent1"], "state": "down"}),
    ("quota", {"role": "storage", "limits": {"cpus": 1}}),
    ("reservation", {"agent": "agent1", "role": "storage", "resources": {"cpus": 1}}),
    ("task", {"command": "true", "role": "storage"}),
    ("weight", {"role": "storage", "weight": 2}),
]


class Standby:
    """A master that does not lead, and answers everything the way one does."""

    def __init__(self) -> None:
        self.status, self.text, self.location = 503, "", ""
        standby = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(standby.status)
                if standby.location:
                    self.send_header("Location", standby.location)
                self.send_header("Content-Length", str(len(standby.text)))
                self.end_headers()
                self.wfile.write(standby.text.encode())

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture(scope="module")
def standby() -> Iterator[Standby]:
    one = Standby()
    yield one
    one.server.shutdown()
    one.server.server_close()


@pytest.fixture(autouse=True)
def no_real_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    patched = functools.partial(Masters, sleep=sleep, clock=lambda: now[0])
    monkeypatch.setattr(mesos_module, "Masters", patched)


def nobody() -> str:
    """An address at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def failure_of(noun: str, capsys: pytest.CaptureFixture[str], **params: Any) -> dict[str, Any]:
    program = importlib.import_module(f"ansible_collections.mesos_scaleio.platform.plugins.modules.mesos_{noun}")
    with patch_module_args(params), pytest.raises(SystemExit):
        program.main()
    result = json.loads(capsys.readouterr().out)
    assert result["failed"] is True
    assert not result.get("changed")
    return dict(result)


@pytest.mark.parametrize(
    "answer",  # its status, its text, and what of it the failure shows
    [
        (503, "No leader elected", "No leader elected"),
        (503, "Master has not finished recovery", "has not finished recovery"),
        (307, "", "refused"),  # the standby still names the leader that has died
    ],
)
@pytest.mark.parametrize(("noun", "params"), MODULES)
def test_standbys_only(
    standby: Standby,
    capsys: pytest.CaptureFixture[str],
    noun: str,
    params: dict[str, Any],
    answer: tuple[int, str, str],
) -> None:
    status, text, words = answer
    standby.status, standby.text = status, text
    standby.location = f"//{nobody()}/master/api/v1" if status == 307 else ""
    result = failure_of(noun, capsys, masters=[standby.address], **params)
    assert result["failure"]["code"] == "no_leader"
    assert result["msg"].startswith("No Mesos master answered as the leader within 30 s")
    assert words in result["failure"]["server"]
    assert (
        f"a majority of the masters and of ZooKeeper runs and that masters is right: http://{standby.address}"
        in (result["failure"]["remedy"])
    )


@pytest.mark.parametrize(("noun", "params"), MODULES)
def test_the_leader_is_one_that_credentials_are_not_for(
    standby: Standby, capsys: pytest.CaptureFixture[str], noun: str, params: dict[str, Any]
) -> None:
    standby.status, standby.text, standby.location = 307, "", "//192.0.2.7:5050/master/api/v1"
    secret = {"username": "ops", "password": "s3cret"}
    result = failure_of(noun, capsys, masters=[standby.address], **secret, **params)
    assert result["failure"]["object"] == "http://192.0.2.7:5050"
    assert "Add it to masters" in result["failure"]["remedy"]
    assert "s3cret" not in json.dumps(result)
