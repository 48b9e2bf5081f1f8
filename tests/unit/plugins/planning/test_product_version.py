"""Versions of packages and of the daemons in them."""

from __future__ import annotations

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.product_version import same_release


@pytest.mark.parametrize(
    ("reported", "package", "same"),
    [
        ("R3_6.700.103", "3.6-700.103", True),
        ("R3_6.700.0", "3.6-700.103.el7", True),  # MDMs leave the last number out
        ("DellEMC PowerFlex Version: R3_6.0.354", "3.6-0.354", True),
        ("R2_0.13000.0", "2.0-13000.211", True),
        ("R3_6.0.354", "3.6-700.103", False),
        ("R3_6.70.0", "3.6-700.103", False),
        ("R3_5.700.103", "3.6-700.103", False),
        (None, "3.6-700.103", False),
        ("", "3.6-700.103", False),
        ("R3_6.0.354", "2026.1", True),  # a package of another naming proves nothing
    ],
)
def test_same_release(reported: str | None, package: str, same: bool) -> None:
    assert same_release(reported, package) is same
