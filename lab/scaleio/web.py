"""HTTP/1.1 with keep-alive over plain sockets or TLS, one thread per connection."""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lab.scaleio.gateway import Answer, Request

IDLE_CONNECTION_SECONDS = 120


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_CONNECTION_SECONDS
    wbufsize = -1  # headers and body leave in one piece
    disable_nagle_algorithm = True
    server: WebServer

    def setup(self) -> None:
        if self.server.tls:
            self.request.settimeout(self.timeout)
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()
        self.server.opened(self.request)

    def finish(self) -> None:
        self.server.closed(self.request)
        super().finish()

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        if len(body) < length:
            # The client died in the middle of its request, which is none.
            self.close_connection = True
            return
        headers = {key.lower(): value for key, value in self.headers.items()}
        answer = self.server.answer(Request(self.command, self.path, headers, body))
        if answer.drop:
            self.close_connection = True
            return
        self.send_response(answer.status)
        if answer.status != 204:
            self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if answer.cut:
            self.close_connection = True
            self.wfile.write(answer.body[: len(answer.body) // 2])
            return
        self.wfile.write(answer.body)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """The journal keeps what is worth keeping."""


class WebServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        answer: Callable[[Request], Answer],
        tls: ssl.SSLContext | None = None,
        connected: Callable[[], None] = lambda: None,
    ) -> None:
        self.answer = answer
        self.tls = tls
        self._connected = connected
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    @property
    def host(self) -> str:
        return str(self.server_address[0])

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def stop(self) -> None:
        """No new connections, and none of the open ones survives."""
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def opened(self, connection: socket.socket) -> None:
        self._open.add(connection)
        self._connected()

    def closed(self, connection: socket.socket) -> None:
        self._open.discard(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, TimeoutError, ssl.SSLError)):
            super().handle_error(request, client_address)
