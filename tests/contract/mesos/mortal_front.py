"""Stands before a real master, counts its requests, and kills it at a chosen moment of a chosen one."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

BEFORE, UNANSWERED, ANSWERED = "before", "unanswered", "answered"


@dataclass(frozen=True)
class Blow:
    """Kills the master when a request with this mark comes: before it sees it, or before or after the answer is out."""

    mark: bytes
    moment: str
    kill: Callable[[], None]


class MortalFront:
    """Listens on 127.0.0.1 for one master; a connection carries one request, as our client makes them.

    `renamed` maps addresses in what the master answers: a standby's Location has to name the leader's own front.
    """

    def __init__(self, server: str) -> None:
        host, _colon, port = server.partition(":")
        self.server, self.renamed = (host, int(port)), dict[bytes, bytes]()
        self.blow: Blow | None = None
        self.requests = 0
        self._port = 0
        self.open()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """As of a process that is gone, connections are refused."""
        # a thread that waits in accept is only woken by a shutdown
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _peer = listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            request = whole_request(connection)
            self.requests += 1
            blow = self.blow if self.blow and self.blow.mark in request else None
            if blow and blow.moment == BEFORE:
                self._strike(blow)
                return
            with socket.create_connection(self.server, 10) as master:
                master.settimeout(None)
                master.sendall(request)
                answer = master.recv(65536)
                if blow:
                    self._strike(blow)
                    if blow.moment == UNANSWERED:
                        return
                threading.Thread(target=self._notice_end, args=(connection, master), daemon=True).start()
                while answer:
                    for old, new in self.renamed.items():
                        answer = answer.replace(b"Location: //" + old, b"Location: //" + new)
                    connection.sendall(answer)
                    answer = master.recv(65536)

    def _strike(self, blow: Blow) -> None:
        self.blow = None
        blow.kill()
        self.close()

    def _notice_end(self, connection: socket.socket, master: socket.socket) -> None:
        """The client's end is the master's: a stream ends when either lets go."""
        with contextlib.suppress(OSError):
            while connection.recv(65536):
                pass
        with contextlib.suppress(OSError):
            master.shutdown(socket.SHUT_RDWR)


def whole_request(connection: socket.socket) -> bytes:
    """A request with its body, of which the headers give the length."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += received(connection)
    head, _gap, body = data.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0]):
        body += received(connection)
    return head + b"\r\n\r\n" + body


def received(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("the client ended its request too early")
    return data
