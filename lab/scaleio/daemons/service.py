"""What all daemons share: arguments that fail in one line, a ready line, and an orderly end."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import NoReturn

from lab.stopping import StopSignal


class Arguments(argparse.ArgumentParser):
    """One clear line and status 2 for bad arguments."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def until_terminated(ready: dict) -> None:
    """Say what is served, then wait for SIGTERM or SIGINT."""
    stop = StopSignal()
    print(json.dumps({**ready, "pid": os.getpid()}), flush=True)
    stop.wait()


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
