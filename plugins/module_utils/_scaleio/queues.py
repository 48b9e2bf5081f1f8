# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the queues of one phase side by side, each in its own order."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Callable, Optional

from .._planning.topology_steps import Step
from .errors import ScaleioError

WORKERS = 10


@dataclass(frozen=True)
class Attempt:
    step: Step
    error: Optional[ScaleioError]


def run_phase(steps: Iterable[Step], write: Callable[[Step], None]) -> list[Attempt]:
    """What was tried, in plan order. After a failure nothing new is begun, but what runs is let finish."""
    queues: dict[str, list[Step]] = {}
    for step in steps:
        queues.setdefault(step.queue, []).append(step)
    stop = threading.Event()

    def run(queue: list[Step]) -> list[Attempt]:
        attempts = []
        for step in queue:
            if stop.is_set():
                break
            try:
                write(step)
            except ScaleioError as error:
                stop.set()
                attempts.append(Attempt(step, error))
            else:
                attempts.append(Attempt(step, None))
        return attempts

    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        return [attempt for attempts in pool.map(run, queues.values()) for attempt in attempts]
