"""So much of AWX's REST API as its own modules use to define things: it keeps what it is given and answers with it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

ENCRYPTED = "$encrypted$"


class Controller:
    def __init__(self, token: str) -> None:
        self.token = token
        self.objects: dict[str, list[dict[str, Any]]] = {"organizations": [], "credentials": []}
        self.linked: dict[str, list[int]] = {}
        self.surveys: dict[str, Any] = {}
        self.secrets: dict[int, dict[str, Any]] = {}
        self.writes: list[str] = []
        controller = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:
                pass

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length) or b"{}")
                allowed = self.headers.get("Authorization") == f"Bearer {controller.token}"
                status, data = controller.answer(self.command, self.path, body) if allowed else (401, {})
                self.send_response(status)
                self.end_headers()
                if data is not None:
                    self.wfile.write(json.dumps(data).encode())

            do_GET = do_POST = do_PATCH = answer

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def named(self, kind: str) -> dict[str, dict[str, Any]]:
        return {item["name"]: item for item in self.objects.get(kind, [])}

    def add(self, kind: str, fields: dict[str, Any]) -> dict[str, Any]:
        number = sum(map(len, self.objects.values())) + 1
        url = f"/api/v2/{kind}/{number}/"
        item = {"organization": None, **fields, "id": number, "url": url, "type": kind[:-1]}
        item["related"] = {"survey_spec": f"{url}survey_spec/"}
        item["summary_fields"] = {}
        item["scm_revision"] = ""
        self.objects.setdefault(kind, []).append(self._hide(item))
        return item

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        parts = urlsplit(path)
        kind, *rest = parts.path.removeprefix("/api/v2/").strip("/").split("/")
        if method != "GET":
            self.writes.append(f"{method} {parts.path}")
        if not rest:
            if method != "POST":
                return 200, self._list(kind, dict(parse_qsl(parts.query)))
            refused = self._refused(body)
            return (400, {"extra_vars": [refused]}) if refused else (201, self.add(kind, body))
        (item,) = [item for item in self.objects[kind] if item["id"] == int(rest[0])]
        if len(rest) == 1:
            if method == "PATCH":
                item.update(body)
                self._hide(item)
            return 200, item
        if rest[1] == "survey_spec":
            if method == "POST":
                self.surveys[item["name"]] = body
            return 200, self.surveys.get(item["name"], {})
        if rest[1] == "create_approval_template":
            made = self.add("workflow_approval_templates", body)
            item["unified_job_template"] = made["id"]
            item["related"]["unified_job_template"] = made["url"]
            return 201, made
        if kind == "workflow_approval_templates":
            return 404, {"detail": "Not found."}
        linked = self.linked.setdefault(parts.path, [])
        if method == "POST":
            linked.append(body["id"])
            return 204, None
        return 200, {"count": len(linked), "results": [{"id": number} for number in linked], "next": None}

    def _list(self, kind: str, query: dict[str, str]) -> Any:
        kind = "job_templates" if kind == "unified_job_templates" else kind
        found = [item for item in self.objects.get(kind, []) if all(str(item.get(k)) == v for k, v in query.items())]
        return {"count": len(found), "results": found, "next": None}

    def _refused(self, body: dict[str, Any]) -> str:
        """Why a schedule or node may not give a job these variables: it takes what its survey asks for."""
        asked = [
            item["name"]
            for item in self.objects.get("job_templates", [])
            if item["id"] == body.get("unified_job_template")
        ]
        questions = {one["variable"]: one for name in asked for one in self.surveys.get(name, {}).get("spec", [])}
        for name, value in (body.get("extra_data") or {}).items():
            if name not in questions:
                return f"Variables {name} are not allowed on launch."
            if value not in questions[name].get("choices", [value]):
                return f"Value {value} for '{name}' expected to be one of {questions[name]['choices']}."
        return ""

    def _hide(self, item: dict[str, Any]) -> dict[str, Any]:
        """Secrets of credentials are kept apart, and never shown again."""
        if "password" in (inputs := item.get("inputs", {})) and inputs["password"] != ENCRYPTED:
            self.secrets[item["id"]] = dict(inputs)
            item["inputs"] = {**inputs, "password": ENCRYPTED}
        return item
