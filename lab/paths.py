"""Where the lab keeps what it makes: one cache folder for all labs and checkouts of a user."""

from __future__ import annotations

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def home() -> Path:
    """The cache folder (env LAB_HOME): built Mesos, packages, image, and the state of each lab."""
    if named := os.environ.get("LAB_HOME"):
        return Path(named).resolve()
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(cache) / "mesos_scaleio_lab"
