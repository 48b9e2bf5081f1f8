"""The Gateway service of a host: the REST server in front of whichever MDM is master."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lab.scaleio.daemons import wire
from lab.scaleio.daemons.codes import MUST_CHANGE_PASSWORD, NO_SESSION
from lab.scaleio.daemons.files import read_json, read_properties, write_json, write_text
from lab.scaleio.daemons.mdm_client import MdmClient, MdmUnreachable
from lab.scaleio.daemons.service import Arguments, until_terminated
from lab.scaleio.gateway import BackendDown, Configuration, Gateway
from lab.scaleio.refusal import Refusal
from lab.scaleio.web import WebServer

FAIL_OVER_SECONDS = 8.0  # a master is replaced within this; clients should not notice more than a delay
HASH_ROUNDS = 100_000
CERTIFICATE_SECONDS = 5.0
ROOT = Path("/opt/emc/scaleio/gateway")
PROPERTIES = ROOT / "webapps/ROOT/WEB-INF/classes/gatewayUser.properties"
KEYSTORE = ROOT / "conf/certificates/.keystore"
MDM_ADDRESSES = "mdm.ip.addresses"


class RemoteMdm:
    """The Gateway's backend on a host: asks the master MDM with the token of whoever logged in last."""

    def __init__(self, ips: list[str], port: int, trusts: Callable[[str], bool], source_ip: str | None) -> None:
        self._client = MdmClient(ips, port, trusts=trusts, source_ip=source_ip, timeout_seconds=20.0)
        self._token: str | None = None

    def point_to(self, ips: list[str]) -> None:
        self._client.ips = ips

    def check_login(self, user: str, password: str) -> None:
        answer = self._ask({"op": "login", "username": user, "password": password}, repeatable=True)
        if answer["must_change_password"]:
            raise Refusal(MUST_CHANGE_PASSWORD)
        self._token = answer["token"]

    def rest(self, method: str, path: str, query: dict[str, str], body: object) -> tuple[int, object]:
        request = {"op": "rest", "token": self._token, "method": method, "path": path, "query": query, "body": body}
        reads = method == "GET" or path.rpartition("/")[2].startswith("query")
        answer = self._ask(request, repeatable=reads)
        return answer["status"], answer["payload"]

    def _ask(self, request: dict, repeatable: bool) -> dict:
        if not self._client.ips:
            raise BackendDown(f"{MDM_ADDRESSES} is empty in gatewayUser.properties")
        try:
            return self._client.ask(request, FAIL_OVER_SECONDS, repeatable)
        except MdmUnreachable as exc:
            raise BackendDown(str(exc)) from exc
        except wire.Untrusted as exc:
            raise BackendDown(
                f"the {exc}: approve it, or set security.bypass_certificate_check=true in gatewayUser.properties"
            ) from exc
        except Refusal as refusal:
            if refusal.code == NO_SESSION:
                raise Refusal(0, "Unauthorized", status=401) from refusal
            raise


class StoredConfiguration(Configuration):
    """Knows the administrator's password only as a salted hash in a file, and the MDMs that it trusts by another."""

    def __init__(self, secret_file: Path, trust_file: Path, fields: dict) -> None:
        port = int(fields["mdmPort"])
        super().__init__(fields=fields, mdm_certificate=lambda host: certificate_of(host, port))
        self._secret_file = secret_file
        self._trust_file = trust_file
        self.trusted = set((read_json(trust_file) or {}).get("certificates", []))

    def trust(self, form: bytes) -> None:
        super().trust(form)
        write_json(self._trust_file, {"certificates": sorted(self.trusted)})

    def require_trust(self) -> None:
        """Each connection to an MDM is checked when it is made."""

    def trusts(self, fingerprint: str) -> bool:
        known = {hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest() for pem in self.trusted}
        return self.fields["bypassCertificateCheck"] == "true" or fingerprint in known

    def accepts(self, password: str) -> bool:
        if not self._secret_file.exists():
            return False
        salt, wanted = self._secret_file.read_text().split()
        return hmac.compare_digest(_digest(password, salt), wanted)


def certificate_of(host: str, port: int) -> str:
    return ssl.get_server_certificate((host, port), timeout=CERTIFICATE_SECONDS)


def _digest(password: str, salt: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), bytes.fromhex(salt), HASH_ROUNDS).hex()


def save_password(secret_file: Path, password: str) -> None:
    salt = os.urandom(16).hex()
    write_text(secret_file, f"{salt} {_digest(password, salt)}\n")


def configured_addresses(properties: dict[str, str]) -> list[str]:
    return [ip for ip in re.split(r"[,;\s]+", properties.get(MDM_ADDRESSES, "")) if ip]


def set_property(path: Path, key: str, value: str) -> None:
    lines = path.read_text().splitlines() if path.exists() else []
    kept = [line for line in lines if line.partition("=")[0].strip() != key]
    write_text(path, "\n".join([*kept, f"{key}={value}"]) + "\n", 0o644)


def load_keystore(context: ssl.SSLContext, keystore: Path, password: str) -> None:
    """Python reads PEM files only, so the content of the PKCS12 file is one for a moment, for this user only."""
    command = ["openssl", "pkcs12", "-in", str(keystore), "-nodes", "-passin", "env:KEYSTORE_PASSWORD"]
    environment = {**os.environ, "KEYSTORE_PASSWORD": password}
    pem = subprocess.run(command, env=environment, check=True, capture_output=True).stdout
    with tempfile.NamedTemporaryFile() as plain:
        plain.write(pem)
        plain.flush()
        context.load_cert_chain(plain.name)


class _Redirect(BaseHTTPRequestHandler):
    """Everything on port 80 is sent to HTTPS."""

    https_port = 443

    def _redirect(self) -> None:
        host = (self.headers.get("Host") or self.server.server_address[0]).partition(":")[0]
        port = "" if self.https_port == 443 else f":{self.https_port}"
        self.send_response(302)
        self.send_header("Location", f"https://{host}{port}{self.path}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = _redirect

    def log_message(self, format: str, *args: object) -> None:
        pass


def _start_redirect(listen: str, port: int, https_port: int) -> ThreadingHTTPServer:
    handler = type("Redirect", (_Redirect,), {"https_port": https_port})
    server = ThreadingHTTPServer((listen, port), handler)
    threading.Thread(target=server.serve_forever, args=(0.2,), daemon=True).start()
    return server


def _parser() -> Arguments:
    parser = Arguments(prog="scaleio-gateway", description="The ScaleIO Gateway of a lab host.")
    parser.add_argument("--properties", type=Path, default=PROPERTIES)
    parser.add_argument("--certificate", type=Path, help="PEM with key and certificate, instead of the keystore")
    parser.add_argument("--secret", type=Path, default=ROOT / "conf/admin.secret", help="the admin password's hash")
    parser.add_argument("--truststore", type=Path, default=ROOT / "conf/truststore.json", help="MDMs that it trusts")
    parser.add_argument("--listen", default="0.0.0.0", metavar="IP")
    parser.add_argument("--catalina", type=Path, default=ROOT / "conf/catalina.properties", help="names the ports")
    parser.add_argument("--https-port", type=int, help="instead of ssl.port")
    parser.add_argument("--http-port", type=int, help="instead of http.port")
    parser.add_argument("--mdm-port", type=int, default=6611)
    parser.add_argument("--save-password", action="store_true", help="hash the password on standard input and end")
    return parser


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.save_password:
        save_password(options.secret, sys.stdin.readline().rstrip("\n"))
        return 0
    properties = read_properties(options.properties)
    ports = read_properties(options.catalina)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        if options.certificate:
            context.load_cert_chain(options.certificate)
        else:
            load_keystore(context, Path(ports.get("keystore.file", KEYSTORE)), ports.get("keystore.password", ""))
    except (OSError, subprocess.CalledProcessError) as exc:
        parser.error(f"certificate: {exc}")
    addresses = configured_addresses(properties)
    bypass = properties.get("security.bypass_certificate_check", "false").lower() == "true"
    source_ip = options.listen if options.listen != "0.0.0.0" else None
    fields = {
        "mdmAddresses": addresses,
        "mdmPort": str(options.mdm_port),
        "bypassCertificateCheck": str(bypass).lower(),
    }
    configuration = StoredConfiguration(options.secret, options.truststore, fields)
    mdm = RemoteMdm(addresses, options.mdm_port, configuration.trusts, source_ip)

    def reconfigure(changed: dict) -> None:
        ips = [str(ip) for ip in changed.get("mdmAddresses") or []]
        set_property(options.properties, MDM_ADDRESSES, ",".join(ips))
        mdm.point_to(ips)

    configuration.changed = reconfigure
    gateway = Gateway(mdm, configuration=configuration)
    https_port = options.https_port or int(ports.get("ssl.port", "443"))
    http_port = options.http_port or int(ports.get("http.port", "80"))
    try:
        server = WebServer((options.listen, https_port), gateway.handle, context)
        redirect = _start_redirect(options.listen, http_port, https_port)
    except OSError as exc:
        parser.error(f"cannot listen on {options.listen}: {exc.strerror}")
    server.start()
    until_terminated({"url": f"https://{options.listen}:{https_port}", "mdm": addresses})
    redirect.shutdown()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
