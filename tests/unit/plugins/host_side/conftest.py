"""Modules that run on managed hosts, run here in this process."""

import importlib
import json

import pytest
from ansible.module_utils.testing import patch_module_args

MODULES = "ansible_collections.mesos_scaleio.platform.plugins.modules"


@pytest.fixture
def run(capsys, monkeypatch):
    # Another test in this process may have loaded the controller's side of Ansible, which keeps warnings to itself.
    monkeypatch.setattr("ansible.module_utils._internal.is_controller", False)

    def run_module(module, /, check=False, **options):
        arguments = {**options, "_ansible_check_mode": check, "_ansible_diff": True}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            importlib.import_module(f"{MODULES}.{module}").main()
        return json.loads(capsys.readouterr().out.strip().splitlines()[-1])

    return run_module
