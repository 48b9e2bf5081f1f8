"""Length-prefixed JSON over TCP or a Unix socket: how the daemons talk to each other and to the command line tools."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import socketserver
import ssl
import struct
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

LENGTH = struct.Struct(">I")
MAX_FRAME_BYTES = 256 * 1024 * 1024
TLS_HANDSHAKE = 0x16
IDLE_SECONDS = 60.0
CONNECT_SECONDS = 1.5
DEAD_PEER_SECONDS = 4  # a host that lost its power answers nothing: notice before the answer's own time is up

Address = tuple[str, int] | str  # (host, port), or the path of a Unix socket


class Unreachable(Exception):
    """No connection: the request was certainly not executed."""


class Interrupted(Exception):
    """The connection broke after the request was sent: nobody knows whether it was executed."""


class Untrusted(Exception):
    """The other side's certificate is unknown. `fingerprint` is its SHA-256."""

    def __init__(self, fingerprint: str) -> None:
        super().__init__(f"certificate with fingerprint {fingerprint} is not trusted")
        self.fingerprint = fingerprint


def send(connection: socket.socket, message: dict) -> None:
    body = json.dumps(message, separators=(",", ":")).encode()
    connection.sendall(LENGTH.pack(len(body)) + body)


def receive(connection: socket.socket) -> dict | None:
    """The next message; None at the orderly end of the connection."""
    head = _exactly(connection, LENGTH.size)
    if head is None:
        return None
    (length,) = LENGTH.unpack(head)
    if length > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {length} bytes is not a message of ours")
    body = _exactly(connection, length)
    message = json.loads(body) if body is not None else None
    if not isinstance(message, dict):
        raise ValueError("a message must be a JSON object")
    return message


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(min(size - len(parts), 1 << 20))
        if not part:
            if parts:
                raise ConnectionError("the connection ended inside a message")
            return None
        parts += part
    return bytes(parts)


def call(
    address: Address,
    request: dict,
    timeout_seconds: float,
    trusts: Callable[[str], bool] | None = None,
    source: str | None = None,
) -> dict:
    """Send one request, return its answer. With `trusts` the connection is TLS and trusts(fingerprint) decides."""
    connection = _connect(address, timeout_seconds, source)
    with connection:
        if trusts is not None:
            connection = _wrap_client(connection, trusts)
        try:
            with connection:
                send(connection, request)
                answer = receive(connection)
        except (OSError, ValueError) as exc:
            raise Interrupted(f"{_show(address)}: {exc}") from exc
    if answer is None:
        raise Interrupted(f"{_show(address)} closed the connection without an answer")
    return answer


def _connect(address: Address, timeout_seconds: float, source: str | None) -> socket.socket:
    try:
        if isinstance(address, str):
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(timeout_seconds)
            connection.connect(address)
            return connection
        quickly = min(timeout_seconds, CONNECT_SECONDS)
        connection = socket.create_connection(address, quickly, (source, 0) if source else None)
        connection.settimeout(timeout_seconds)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (
            (socket.TCP_NODELAY, 1),
            (socket.TCP_KEEPIDLE, 1),
            (socket.TCP_KEEPINTVL, 1),
            (socket.TCP_KEEPCNT, DEAD_PEER_SECONDS - 1),
            (socket.TCP_USER_TIMEOUT, DEAD_PEER_SECONDS * 1000),
        ):
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
        return connection
    except OSError as exc:
        raise Unreachable(f"{_show(address)}: {exc}") from exc


def _wrap_client(connection: socket.socket, trusts: Callable[[str], bool]) -> socket.socket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # MDM certificates are self-signed: the fingerprint is what gets approved
    try:
        secure = context.wrap_socket(connection)
    except OSError as exc:
        raise Unreachable(f"TLS: {exc}") from exc
    fingerprint = hashlib.sha256(secure.getpeercert(binary_form=True) or b"").hexdigest()
    if not trusts(fingerprint):
        secure.close()
        raise Untrusted(fingerprint)
    return secure


def _show(address: Address) -> str:
    return address if isinstance(address, str) else f"{address[0]}:{address[1]}"


Handler = Callable[[dict, str], dict]  # (request, IP of the client) -> answer


class Server:
    """Answers requests in threads. A listener with a certificate takes TLS and plain connections on the same port."""

    def __init__(self, address: Address, handler: Handler, certificate: Path | None = None) -> None:
        self._handler = handler
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self._unix = address if isinstance(address, str) else None
        if self._unix is not None:
            Path(self._unix).unlink(missing_ok=True)
        kind = _UnixServer if self._unix is not None else _TcpServer
        self._server = kind(address, self)
        if self._unix is not None:
            os.chmod(self._unix, 0o600)
        self.address = self._server.server_address
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.2,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        if self._unix is not None:
            Path(self._unix).unlink(missing_ok=True)

    def serve(self, connection: socket.socket, client_ip: str) -> None:
        connection.settimeout(IDLE_SECONDS)
        try:
            if self._tls is not None and connection.recv(1, socket.MSG_PEEK)[:1] == bytes([TLS_HANDSHAKE]):
                connection = self._tls.wrap_socket(connection, server_side=True)
            while (request := receive(connection)) is not None:
                send(connection, self._handler(request, client_ip))
        except (OSError, ValueError):
            return  # a client that went away or spoke another protocol; it can only ask again
        finally:
            connection.close()


class _RequestHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        client_ip = self.client_address[0] if isinstance(self.client_address, tuple) else "localhost"
        self.server.owner.serve(self.request, client_ip)


class _Threads(socketserver.ThreadingMixIn):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: Address, owner: Server) -> None:
        self.owner = owner
        super().__init__(address, _RequestHandler)

    def handle_error(self, request: object, client_address: object) -> None:
        print(f"request of {client_address} failed:\n{traceback.format_exc()}", file=sys.stderr, flush=True)


class _TcpServer(_Threads, socketserver.TCPServer):
    allow_reuse_address = True


class _UnixServer(_Threads, socketserver.UnixStreamServer):
    pass
