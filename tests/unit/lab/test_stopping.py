"""A daemon ends when it is told to, whichever of its threads the kernel gives the signal to."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from lab.paths import CHECKOUT

# The main thread refuses signals, so that the kernel has only the other thread to give them to.
OTHER_THREAD_GETS_IT = """
import signal, sys, threading, time
from lab.stopping import StopSignal
stop = StopSignal()
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
print("ready", flush=True)
stop.wait()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_another_thread_gets_ends_the_wait(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER_THREAD_GETS_IT], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(timeout=10) == 0
    finally:
        process.kill()
        process.wait()
