"""A VTree is a volume with its snapshots; it comes and goes with them."""

from __future__ import annotations

from collections.abc import Callable

ACTIONS: dict[str, Callable[..., object]] = {}
