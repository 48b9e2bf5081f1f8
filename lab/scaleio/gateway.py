"""The Gateway: HTTP(S) in front of a system, with sessions, its own validation, and a request journal."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from lab.scaleio.faults import PAGE, Fault, Faults
from lab.scaleio.journal import Journal
from lab.scaleio.refusal import Refusal, invalid, unknown_path
from lab.scaleio.sessions import BEARER_SECONDS, Session, Sessions

UNAUTHORIZED = {"message": "Unauthorized", "httpStatusCode": 401, "errorCode": 0}
FORBIDDEN = {"message": "Forbidden", "httpStatusCode": 403, "errorCode": 0}
LARGE_BYTES = 65536
KEYCLOAK_PATH = "/auth/realms/powerflex/protocol/openid-connect/token"
TRUST_PATH = "/api/trustHostCertificate/Mdm"
NOT_JSON = (KEYCLOAK_PATH, TRUST_PATH)  # a form, and a file in a form
REFRESH_SECONDS = 1800
CERTIFICATE_PATH = "/api/getHostCertificate/Mdm"
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\n.+?\n-----END CERTIFICATE-----", re.DOTALL)


class Backend(Protocol):
    """A System in this process, or the way to a remote MDM."""

    def rest(self, method: str, path: str, query: dict[str, str], body: object) -> tuple[int, object]: ...

    def check_login(self, user: str, password: str) -> None: ...


class BackendDown(Exception):
    """The Gateway cannot reach an MDM."""


# From 4.0 on an ingress is in front and answers for what nobody behind it knows.
INGRESS_404 = b"<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1></body></html>"


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: dict[str, str]  # lower-case names
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    content_type: str = "application/json"
    drop: bool = False
    cut: bool = False  # the connection breaks in the middle of it


@dataclass
class Configuration:
    """The Gateway's own settings; `changed` is called after an administrator changed them."""

    admin_password: str = ""
    fields: dict[str, Any] = field(default_factory=lambda: {"mdmAddresses": [], "mdmPort": "6611"})
    changed: Callable[[dict[str, Any]], None] | None = None
    # What the MDM at an address shows, as PEM; raises OSError when nobody answers there.
    mdm_certificate: Callable[[str], str] | None = None
    trusted: set[str] = field(default_factory=set)

    def trust(self, form: bytes) -> None:
        """A file in a form: what counts is the certificate in it."""
        found = CERTIFICATE.search(form.decode("latin-1").replace("\r\n", "\n"))
        if found is None:
            raise invalid("Request message is not valid: the file holds no certificate")
        self.trusted.add(found[0])

    def require_trust(self) -> None:
        checks = str(self.fields.get("bypassCertificateCheck", "true")).lower() == "false"
        if checks and self.mdm_certificate and self.mdm_certificate("").strip() not in self.trusted:
            raise BackendDown("the certificate of the MDM is not trusted")

    def accepts(self, password: str) -> bool:
        wanted = self.admin_password
        return bool(wanted) and hmac.compare_digest(password.encode(), wanted.encode())


class Gateway:
    def __init__(
        self,
        backend: Backend,
        clock: Callable[[], float] = time.time,
        configuration: Configuration | None = None,
        permits: Callable[[str, str, str], None] = lambda user, method, path: None,
    ) -> None:
        """`permits` refuses what a user may not do; a backend that looks at the user itself needs none."""
        self.backend = backend
        self._permits = permits
        self.sessions = Sessions(clock)
        # They do the same as sessions but live longer, and idleness does not end them.
        self.refreshes = Sessions(clock, idle_seconds=REFRESH_SECONDS, most=None)
        self.journal = Journal()
        self.faults = Faults()
        self.configuration = configuration or Configuration()
        self._large: dict[int, tuple[object, bytes]] = {}

    def handle(self, request: Request) -> Answer:
        started = time.perf_counter()
        fault = self.faults.take(request.method, request.path)
        answer = self._faulty(fault, request) if fault else self._answer(request)
        status = 0 if answer.drop else answer.status
        self.journal.note(request.method, request.path, status, (time.perf_counter() - started) * 1000)
        return answer

    def _faulty(self, fault: Fault, request: Request) -> Answer:
        if fault.kind == "status":
            return self._encode(fault.status, fault.body())
        if fault.kind == "delay":
            time.sleep(fault.delay_seconds)
            return self._answer(request)
        if fault.kind == "drop":
            return Answer(0, drop=True)
        return _spoilt(fault.kind, self._answer(request))

    def _answer(self, request: Request) -> Answer:
        try:
            status, payload = self._route(request)
        except Refusal as refusal:
            status, payload = refusal.status, refusal.body()
        except BackendDown as down:
            message = f"The Gateway cannot connect to the MDM: {down}"
            status, payload = 502, {"message": message, "httpStatusCode": 502, "errorCode": 0}
        if status == 404 and self._offers_bearer():
            return Answer(404, INGRESS_404, "text/html")
        return self._encode(status, payload)

    def _route(self, request: Request) -> tuple[int, object]:
        path = request.path
        body = self._body(request) if request.method in ("POST", "PUT") and path not in NOT_JSON else None
        if (request.method, path) == ("GET", "/api/login"):
            return self._login(request)
        if (request.method, path) == ("GET", "/api/gatewayLogin"):
            return self._gateway_login(request)
        if (request.method, path) == ("POST", KEYCLOAK_PATH):
            return self._keycloak(request)
        if (request.method, path) == ("POST", "/rest/auth/login"):
            return self._bearer_login(body)
        if path == "/api/version" and "authorization" not in request.headers:
            return self.backend.rest("GET", path, {}, None)
        token, session = self._session(request)
        if session is None:
            return 401, UNAUTHORIZED
        if path in ("/api/logout", "/api/gatewayLogout"):
            self.sessions.close(token)
            return 200, ""
        if path == "/rest/auth/logout":
            self.sessions.close(token)
            if isinstance(body, dict):
                self.refreshes.close(str(body.get("refresh_token", "")))
            return 204, None
        if path in (CERTIFICATE_PATH, TRUST_PATH) and self.configuration.mdm_certificate:
            return self._mdm_certificate(session, request, self.configuration.mdm_certificate)
        if path in ("/api/Configuration", "/api/updateConfiguration"):
            return self._configuration(session, path, body)
        if session.administers_gateway and path != "/api/version":
            return 403, FORBIDDEN
        if not path.startswith("/api/"):
            raise unknown_path(path)
        self._permits(session.user, request.method, path)
        return self.backend.rest(request.method, path, dict(parse_qsl(urlsplit(request.target).query)), body)

    def _body(self, request: Request) -> object:
        content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if content_type != "application/json":
            raise invalid("Request header Content-Type should be application/json")
        try:
            return json.loads(request.body) if request.body.strip() else {}
        except ValueError:
            raise invalid("Request message is not valid: the body is not JSON") from None

    def _login(self, request: Request) -> tuple[int, object]:
        user, password = _basic(request)
        if not user:
            return 401, UNAUTHORIZED
        if self._refused(user, password):
            return 401, UNAUTHORIZED
        return 200, self.sessions.open(user)

    def _refused(self, user: str, password: str) -> bool:
        self.configuration.require_trust()
        try:
            self.backend.check_login(user, password)
        except Refusal as refusal:
            if refusal.status != 401:
                raise
            return True
        return False

    def _gateway_login(self, request: Request) -> tuple[int, object]:
        user, password = _basic(request)
        if user != "admin" or not self.configuration.accepts(password):
            return 401, UNAUTHORIZED
        return 200, self.sessions.open(user, administers_gateway=True)

    def _bearer_login(self, body: object) -> tuple[int, object]:
        if not self._offers_bearer():
            raise unknown_path("/rest/auth/login")
        credentials = body if isinstance(body, dict) else {}
        user = str(credentials.get("username", ""))
        if self._refused(user, str(credentials.get("password", ""))):
            return 401, UNAUTHORIZED
        return 200, self._tokens(user)

    def _keycloak(self, request: Request) -> tuple[int, object]:
        """What stands behind the 4.x login also answers itself, by password or by refresh token."""
        if not self._offers_bearer():
            raise unknown_path(KEYCLOAK_PATH)
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        grant = form.get("grant_type")
        if grant == "password":
            user = form.get("username", "")
            if self._refused(user, form.get("password", "")):
                return 401, {"error": "invalid_grant", "error_description": "Invalid user credentials"}
            return 200, self._tokens(user)
        if grant == "refresh_token":
            token = form.get("refresh_token", "")
            session = self.refreshes.use(token)
            if session is None:
                return 400, {"error": "invalid_grant", "error_description": "Invalid refresh token"}
            self.refreshes.close(token)
            return 200, self._tokens(session.user)
        return 400, {"error": "unsupported_grant_type", "error_description": "Unsupported grant_type"}

    def _tokens(self, user: str) -> dict[str, object]:
        return {
            "access_token": self.sessions.open(user, lifetime_seconds=BEARER_SECONDS),
            "refresh_token": self.refreshes.open(user, lifetime_seconds=REFRESH_SECONDS),
            "expires_in": BEARER_SECONDS,
            "refresh_expires_in": REFRESH_SECONDS,
            "token_type": "Bearer",
            "scope": "openid profile email",
        }

    def _offers_bearer(self) -> bool:
        status, version = self.backend.rest("GET", "/api/version", {}, None)
        return status == 200 and int(str(version).split(".", maxsplit=1)[0]) >= 4

    def _session(self, request: Request) -> tuple[str, Session | None]:
        """Basic with the token as password and any user, or Bearer: every version takes both."""
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        token = credentials.strip() if scheme.lower() == "bearer" else _basic(request)[1]
        return token, self.sessions.use(token)

    def _configuration(self, session: Session, path: str, body: object) -> tuple[int, object]:
        if path == "/api/Configuration":
            return 200, self.configuration.fields
        if not session.administers_gateway:
            return 403, FORBIDDEN
        if isinstance(body, dict):
            self.configuration.fields.update(body)
            if self.configuration.changed:
                self.configuration.changed(self.configuration.fields)
        return 200, {}

    def _mdm_certificate(self, session: Session, request: Request, shown: Callable[[str], str]) -> tuple[int, object]:
        if not session.administers_gateway:
            return 403, FORBIDDEN
        if request.path == TRUST_PATH:
            self.configuration.trust(request.body)
            return 200, {}
        host = dict(parse_qsl(urlsplit(request.target).query)).get("host")
        if not host:
            raise invalid("Request message is not valid: host is missing")
        try:
            return 200, shown(host).encode()  # as it is: scripts give the very same bytes back as a file to trust
        except OSError as error:
            raise BackendDown(f"{host}: {error}") from error

    def _encode(self, status: int, payload: object) -> Answer:
        if payload is None:
            return Answer(status)
        if isinstance(payload, bytes):
            return Answer(status, payload, "application/x-pem-file")
        if kept := self._large.get(id(payload)):
            return Answer(status, kept[1])
        encoded = json.dumps(payload, separators=(",", ":")).encode()
        if len(encoded) > LARGE_BYTES:
            # A system hands out the same object until its state changes: encode a big one once. Kept beside
            # the bytes, the object stays alive, so its id means no other.
            self._large = {**dict(list(self._large.items())[-3:]), id(payload): (payload, encoded)}
        return Answer(status, encoded)


def _spoilt(kind: str, answer: Answer) -> Answer:
    if kind == "drop_after":
        return Answer(0, drop=True)
    if answer.status >= 400:
        return answer
    if kind == "cut":
        return replace(answer, cut=True)
    if kind == "page":
        return Answer(200, PAGE, "text/html")
    bodies = {"half": answer.body[: len(answer.body) // 2], "empty": b"", "other": b'{"answer":"other"}'}
    return replace(answer, body=bodies[kind])


def _basic(request: Request) -> tuple[str, str]:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(credentials.strip()).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password
