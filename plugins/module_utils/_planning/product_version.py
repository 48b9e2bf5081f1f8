# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a daemon of ScaleIO runs what its package brought: the two write the same version differently."""

from __future__ import annotations

import re
from typing import Optional

PACKAGE = re.compile(r"(\d+)\.(\d+)-(\d+)(?=\D|$)")  # 2.0-13000.211, 3.6-700.103.el7
DAEMON = re.compile(r"R(\d+)_(\d+)\.(\d+)(?=\D|$)")  # R2_0.13000.0, DellEMC PowerFlex Version: R3_6.700.103


def release(text: Optional[str]) -> Optional[tuple[int, ...]]:
    """Major, minor and build; the number behind them is 0 in what MDMs say. None where the text has another shape."""
    found = PACKAGE.match(text or "") or DAEMON.search(text or "")
    return tuple(int(number) for number in found.groups()) if found else None


def same_release(reported: Optional[str], package: str) -> bool:
    """A package version of another shape proves nothing, so it is never held against the daemon."""
    wanted = release(package)
    return wanted is None or release(reported) == wanted
