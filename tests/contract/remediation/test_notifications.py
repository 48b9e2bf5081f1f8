"""Somebody is told, once, by a webhook and by mail; and a run ends as it would have when nobody can be told."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from email import message_from_string, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lab import playbook
from lab.paths import CHECKOUT
from tests.contract.remediation.site import Site, site


class Webhook(ThreadingHTTPServer):
    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), WebhookRequest)


class WebhookRequest(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        self.server.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_given: Any) -> None:
        pass


class MailServer(socketserver.ThreadingTCPServer):
    def __init__(self) -> None:
        self.mails: list[str] = []
        super().__init__(("127.0.0.1", 0), MailSession)


class MailSession(socketserver.StreamRequestHandler):
    """As much of SMTP as a client without a password needs."""

    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            verb = line.strip().upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                content = iter(self.rfile.readline, b".\r\n")
                self.server.mails.append(b"".join(content).decode())
            self.wfile.write(b"250 fine\r\n" if verb != b"QUIT" else b"221 bye\r\n")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        yield made


@pytest.fixture
def listeners() -> Iterator[tuple[Webhook, MailServer]]:
    servers = (Webhook(), MailServer())
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield servers
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.slow
def test_a_cap_is_told_once_and_who_cannot_be_told_changes_nothing(world: Site, listeners: Any) -> None:
    webhook, mail = listeners
    address = f"http://127.0.0.1:{webhook.server_address[1]}/canary-webhook"
    server = {"host": "127.0.0.1", "port": mail.server_address[1], "secure": "never"}
    told = {"webhook_url": address, "mail": {**server, "from": "platform@example.com", "to": ["ops@example.com"]}}
    world.fill(90)
    capped = {"remediation_policy": world.policy(monthly_usd=1), "remediation_notify": told}
    runs = [world.play("-vvv", **capped) for _run in range(2)]
    assert [run.report["status"] for run in runs] == ["capped", "capped"], runs[0].output
    assert "canary-webhook" not in runs[0].output
    (document,) = webhook.told
    assert document["status"] == "capped"
    assert "a cap keeps a pool from growing" in document["text"]
    (text,) = mail.mails
    message = message_from_string(text, policy=policy.default)
    assert message["Subject"].endswith("a cap keeps a pool from growing")
    assert [part.get_filename() for part in message.walk() if part.get_filename()] == [
        f"{runs[0].report['run_id']}.html"
    ]

    (world.reports / "notified.json").unlink()
    webhook.shutdown()
    webhook.server_close()
    run = world.play(**capped)
    assert run.report["status"] == "capped"
    assert "Nobody was told by the webhook" in run.output
    assert len(mail.mails) == 2


def test_a_webhook_needs_no_other_collection_and_a_mail_says_which_one_it_needs(tmp_path: Path, listeners: Any) -> None:
    """Where only this collection is installed, as in an environment that somebody has built for themselves."""
    webhook, mail = listeners
    told = {"webhook_url": f"http://127.0.0.1:{webhook.server_address[1]}/"}
    letter = {"host": "127.0.0.1", "port": mail.server_address[1], "from": "a@example.com", "to": ["b@example.com"]}
    report = {"plan_hash": None, "run_id": "1", "failure": {}}
    tell = {
        "name": "Tell",
        "ansible.builtin.include_role": {"name": "mesos_scaleio.platform.remediation", "tasks_from": "notify"},
        "vars": {
            "remediation_notify": "{{ item }}",
            "__remediation_report": {
                "notification": {"status": "capped", "subject": "A cap"},
                "text": "more",
                "page": "",
                "report": report,
            },
        },
        "loop": [told, {**told, "mail": letter}],
    }
    play = tmp_path / "tell.yml"
    reached = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    play.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "vars": reached, "tasks": [tell]}]))
    alone = {"ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false", "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "collections")}
    run = playbook.run("localhost,", str(play), environment=alone)
    assert run.status == 0, run.output
    assert [document["status"] for document in webhook.told] == ["capped", "capped"], run.output
    assert run.output.count("Nobody was told by mail") == 1
    assert "ansible-galaxy collection install community.general" in " ".join(run.output.split())
