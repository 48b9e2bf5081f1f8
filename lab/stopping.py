"""Wait until a daemon or an emulator is told to stop."""

from __future__ import annotations

import signal
import socket


class StopSignal:
    """SIGTERM and SIGINT, from the construction on; made in the main thread.

    A handler that sets a threading.Event is not enough: the kernel may give the signal to any thread, and a main
    thread asleep in a lock then never comes to run the handler. Python's wake-up socket is written by whichever
    thread got it.
    """

    def __init__(self) -> None:
        self._woken, self._wake = socket.socketpair()
        self._wake.setblocking(False)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)

    def wait(self) -> None:
        """Returns after the first of the two, also when it came before this call."""
        while self._woken.recv(1)[0] not in (signal.SIGTERM, signal.SIGINT):
            pass
