"""Marathon, as far as the role meets it: flags read strictly, ZooKeeper looked for, and the pages that say it is well.

It schedules nothing: no framework is registered, and apps are refused with 501. The tests of the marathon_* modules
have a stand-in of their own that keeps apps (tests/contract/mesos/marathon_double.py).
"""

from __future__ import annotations

import base64
import json
import os
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lab.container_storage import calls, marathon_flags
from lab.scaleio.daemons.service import note, until_terminated

VERSION = "1.10.19"
NO_ZOOKEEPER, BAD_FLAG = 100, 112  # exit statuses of the real one
SECRETS = ("http_credentials", "mesos_authentication_secret", "ssl_keystore_password")


def zookeeper_answers(url: str) -> bool:
    servers = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    for server in servers.split(","):
        host, _, port = server.rpartition(":")
        try:
            with socket.create_connection((host, int(port)), 5):
                return True
        except OSError:
            continue
    return False


class Handler(BaseHTTPRequestHandler):
    flags: dict[str, Any] = {}

    def do_GET(self) -> None:
        credentials = str(self.flags.get("http_credentials", ""))
        wanted = "Basic " + base64.b64encode(credentials.encode()).decode()
        if credentials and self.path != "/ping" and self.headers.get("Authorization") != wanted:
            return self._send(401, {"message": "Invalid username or password."})
        here = f"{self.flags['hostname']}:{self.flags['http_port']}"
        shown = {name: value for name, value in self.flags.items() if name not in SECRETS}
        info = {"name": "marathon", "version": VERSION, "buildref": "stand-in of the lab", "elected": True,
                "leader": here, "frameworkId": None, "marathon_config": shown}  # fmt: skip
        pages = {"/v2/info": info, "/v2/leader": {"leader": here}, "/v2/apps": {"apps": []}}
        if self.path == "/ping":
            return self._send(200, "pong")
        if self.path in pages:
            return self._send(200, pages[self.path])
        return self._refuse()

    def _refuse(self) -> None:
        calls.log("marathon", f"{self.command} {self.path}", error="501")
        self._send(501, {"message": "The lab's Marathon runs no apps."})

    do_PUT = do_POST = do_DELETE = _refuse

    def _send(self, status: int, answer: Any) -> None:
        data = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(answer, str) else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


def main() -> int:
    found = marathon_flags.flags(os.environ)
    if wrong := marathon_flags.problems(found):
        for text in wrong:
            note(f"[scallop] Error: {text}")
        return BAD_FLAG
    if not zookeeper_answers(str(found.get("zk", "zk://localhost:2181/marathon"))):
        note("marathon: no connection to ZooKeeper")
        return NO_ZOOKEEPER
    Handler.flags = {"hostname": socket.gethostname(), "http_port": "8080", **found}
    address = (str(found.get("http_address", "0.0.0.0")), int(Handler.flags["http_port"]))
    server = ThreadingHTTPServer(address, Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    until_terminated({"listens": f"{address[0]}:{address[1]}"})
    server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
