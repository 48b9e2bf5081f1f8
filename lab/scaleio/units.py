"""Sizes in KiB."""

KIB_PER_MIB = 1024
KIB_PER_GIB = 1024 * 1024
VOLUME_STEP_KIB = 8 * KIB_PER_GIB


def floor_to(step_kib: int, size_kib: int) -> int:
    return max(size_kib, 0) // step_kib * step_kib
