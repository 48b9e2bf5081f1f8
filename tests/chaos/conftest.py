"""One draw for all processes of a run: they must agree on which tests there are."""

from __future__ import annotations

import os
import time

os.environ.setdefault("CHAOS_SEED", str(int(time.time())))
