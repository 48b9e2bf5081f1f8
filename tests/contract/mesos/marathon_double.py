"""A stand-in for Marathon's REST API, as far as the marathon_* modules use it. Marathon itself cannot be had here.

Apps get defaults, a deployment ends after it has been asked about a few times, and an app that is being deployed is
locked. Tasks run when their app's `cmd` does not say otherwise.
"""

from __future__ import annotations

import base64
import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

DEFAULTS = {
    "cpus": 0.1,
    "mem": 128,
    "disk": 0,
    "instances": 1,
    "env": {},
    "labels": {},
    "constraints": [],
    "healthChecks": [],
    "upgradeStrategy": {"minimumHealthCapacity": 1, "maximumOverCapacity": 1},
    "backoffSeconds": 1,
    "unreachableStrategy": {"inactiveAfterSeconds": 0, "expungeAfterSeconds": 0},
}
LASTS_QUESTIONS = 2


class MarathonDouble:
    def __init__(self, credentials: str = "") -> None:
        self.credentials = credentials
        self.apps: dict[str, dict[str, Any]] = {}
        self.deployments: dict[str, dict[str, Any]] = {}
        self.writes: list[tuple[str, str, Any]] = []
        self.without_leader = 0
        double = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                status, found = double.handle(self.command, self.path, body, self.headers.get("Authorization", ""))
                data = json.dumps(found).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_DELETE = answer

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def handle(self, method: str, target: str, body: Any, authorization: str) -> tuple[int, Any]:
        if self.credentials and authorization != "Basic " + base64.b64encode(self.credentials.encode()).decode():
            return 401, {"message": "Authentication required"}
        if self.without_leader:
            self.without_leader -= 1
            return 503, {"message": "Could not determine the current leader"}
        parts = urlsplit(target)
        path, options = unquote(parts.path), {key: value[0] for key, value in parse_qs(parts.query).items()}
        if method != "GET":
            self.writes.append((method, target, body))
        if path.startswith("/v2/apps/"):
            return getattr(self, f"{method.lower()}_app")(path.removeprefix("/v2/apps"), body, options)
        pages = {
            "/v2/info": {"version": "1.10.19", "frameworkId": "f-0000", "name": "marathon"},
            "/v2/leader": {"leader": "master1:8080"},
            "/v2/apps": {"apps": [self.described(app_id) for app_id in self.apps]},
            "/v2/queue": {"queue": [self.queued(app_id) for app_id in self.apps if not self.runs(app_id)]},
        }
        if path == "/v2/deployments":
            return 200, self.list_deployments()
        return (200, pages[path]) if path in pages else (404, {"message": "Not Found"})

    def get_app(self, app_id: str, _body: Any, _options: dict[str, str]) -> tuple[int, Any]:
        if app_id not in self.apps:
            return 404, {"message": f"App '{app_id}' does not exist"}
        return 200, {"app": self.described(app_id)}

    def put_app(self, app_id: str, body: Any, options: dict[str, str]) -> tuple[int, Any]:
        if self.is_locked(app_id, options):
            return 409, {"message": "App is locked by one or more deployments."}
        if body.get("mem", 1) < 0:
            return 422, {"message": "Object is not valid", "details": [{"path": "/mem", "errors": ["is negative"]}]}
        created = app_id not in self.apps
        assert options["partialUpdate"] == "true"
        self.apps[app_id] = {**DEFAULTS, **self.apps.get(app_id, {}), **body, "version": uuid.uuid4().hex}
        return 201 if created else 200, {"version": "v", "deploymentId": self.deploy(app_id)}

    def delete_app(self, app_id: str, _body: Any, options: dict[str, str]) -> tuple[int, Any]:
        if app_id not in self.apps:
            return 404, {"message": f"App '{app_id}' does not exist"}
        if self.is_locked(app_id, options):
            return 409, {"message": "App is locked by one or more deployments."}
        return 200, {"version": "v", "deploymentId": self.deploy(app_id, removes=True)}

    def is_locked(self, app_id: str, options: dict[str, str]) -> bool:
        held = [key for key, one in self.deployments.items() if one["affectedApps"] == [app_id]]
        if options["force"] == "true":
            for key in held:
                del self.deployments[key]
            return False
        return bool(held)

    def deploy(self, app_id: str, removes: bool = False, questions: int = LASTS_QUESTIONS) -> str:
        key = uuid.uuid4().hex
        self.deployments[key] = {
            "id": key,
            "affectedApps": [app_id],
            "currentStep": 1,
            "totalSteps": 2,
            "left": questions,
            "removes": removes,
        }
        return key

    def list_deployments(self) -> list[dict[str, Any]]:
        for key, one in list(self.deployments.items()):
            one["left"] -= 1
            if one["left"] < 0:
                del self.deployments[key]
                if one["removes"]:
                    self.apps.pop(one["affectedApps"][0], None)
        return list(self.deployments.values())

    def runs(self, app_id: str) -> bool:
        return bool(self.apps[app_id].get("cmd") != "never fits")

    def described(self, app_id: str) -> dict[str, Any]:
        app = self.apps[app_id]
        here = [{"id": key} for key, one in self.deployments.items() if one["affectedApps"] == [app_id]]
        running = app["instances"] if self.runs(app_id) and not here else 0
        healthy = running if app["healthChecks"] else 0
        counts = {"tasksRunning": running, "tasksHealthy": healthy, "tasksUnhealthy": 0, "tasksStaged": 0}
        return {**app, **counts, "deployments": here}

    def queued(self, app_id: str) -> dict[str, Any]:
        refused = {"reason": "InsufficientMemory", "declined": 3, "processed": 3}
        return {
            "count": 1,
            "app": {"id": app_id},
            "processedOffersSummary": {"rejectSummaryLastOffers": [refused]},
        }
