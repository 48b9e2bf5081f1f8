"""scaleio_user against the emulator."""

from __future__ import annotations

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_user
from tests.contract.scaleio_modules.world import in_one_version

MAIN = scaleio_user.main
PASSWORD = "First-Canary-77"
before_4_0 = pytest.mark.parametrize("world", ["2.0", "2.6", "3.6"], indirect=True)


@before_4_0
def test_a_user_comes_changes_and_goes(world, beats):
    user = {"name": "monitoring", "password": PASSWORD}
    result = beats(MAIN, ["create_user"], 1, role="Monitor", **user)
    assert (result["user"]["role"], result["user"]["password_change_required"]) == ("Monitor", True)
    assert "Canary" not in str({**result, "invocation": None})
    assert beats(MAIN, ["set_user_role"], 1, role="Configure", **user)["user"]["role"] == "Configure"
    assert beats(MAIN, ["remove_user"], 1, name="monitoring", state="absent")["user"] == {}


@in_one_version
def test_what_cannot_be_is_said_before_anything_is_written(world):
    assert "role is needed" in world.refused(MAIN, name="new", password=PASSWORD)["msg"]
    assert "password is needed" in world.refused(MAIN, name="new", role="Monitor")["msg"]
    assert "must stay" in world.refused(MAIN, name="admin", state="absent")["msg"]
    assert "cannot be changed" in world.refused(MAIN, name="admin", role="Monitor")["msg"]


@in_one_version
def test_the_systems_own_no_shows_no_password(world):
    result = world.run(MAIN, name="weak", role="Monitor", password="canarycanary")
    assert result["failure"]["error_code"] == 255
    assert "canarycanary" not in str(result)


@pytest.mark.parametrize("world", ["4.5"], indirect=True)
def test_later_versions_keep_users_elsewhere(world):
    result = world.refused(MAIN, name="new", role="Monitor", password=PASSWORD)
    assert result["failure"]["code"] == "not_supported"
    assert "PowerFlex Manager" in result["failure"]["remedy"]
