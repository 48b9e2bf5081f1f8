"""pyscaleio 0.1.7 against ScaleIO 2.x. It is older than Python 3.10: what that took away comes back first."""

from __future__ import annotations

import collections
import collections.abc
import inspect
import json
import sys

for name in ("Mapping", "MutableMapping", "MutableSequence", "Sequence"):
    setattr(collections, name, getattr(collections.abc, name))
inspect.getargspec = inspect.getfullargspec

import pyscaleio  # noqa: E402 (not before its shims)
from pyscaleio.exceptions import ScaleIOAuthError, ScaleIOError  # noqa: E402


def refused(code: int, function, *args, **kwargs) -> None:  # type: ignore[no-untyped-def]
    try:
        function(*args, **kwargs)
    except ScaleIOError as error:
        if error.error_code != code:
            raise AssertionError(f"{function} was refused otherwise") from error
    else:
        raise AssertionError(f"{function} was not refused")


def main() -> None:
    facts = json.load(sys.stdin)
    place = f"{facts['host']}:{facts['port']}"
    secure = facts["ca_file"] is not None
    wrong = pyscaleio.ScaleIOClient.from_args(place, facts["username"], "wrong", is_secure=secure)
    try:
        wrong.get_version()
    except ScaleIOAuthError:
        pass
    else:
        raise AssertionError("a wrong password was accepted")
    client = pyscaleio.ScaleIOClient.from_args(place, facts["username"], facts["password"], is_secure=secure)
    pyscaleio.add_client(client)
    done = 1

    assert client.get_version() == facts["profile"]
    assert client.system["id"] == facts["system_id"]
    assert client.system.is_restricted is False
    assert len(client.get_all_instances()["sdsList"]) == 3
    done += 4

    (domain,) = pyscaleio.ProtectionDomain.all()
    pool = pyscaleio.StoragePool.one_by_name("default", "default")
    assert pool["protectionDomainId"] == domain["id"]
    made = pyscaleio.StoragePool.create(domain["id"], checksum=True, rfcache=True, name="mine")
    assert (made.name, made.checksum_enabled, made.rfcache_enabled) == ("mine", True, True)
    unnamed = pyscaleio.StoragePool.create(domain["id"])
    assert not unnamed.name
    assert len(pyscaleio.StoragePool.all([pool["id"], made["id"]])) == 2
    made.delete()
    unnamed.delete()
    refused(171, pyscaleio.StoragePool.one, made["id"])
    done += 8

    first, second = pyscaleio.Sdc.all()
    assert first.is_connected
    assert pyscaleio.Sdc.one_by_ip(second.ip)["id"] == second["id"]
    assert len(pyscaleio.Sdc.all_approved()) == 2
    done += 3

    volume = pool.create_volume(8, name="data", thin=True)
    assert (volume.size, volume.type, len(volume.exports)) == (8 * 1024**3, "ThinProvisioned", 0)
    refused(99, pool.create_volume, 8, name="data")
    refused(225, pool.create_volume, 9)
    volume.resize(16)
    volume.rename("renamed")
    volume.update()
    assert (volume.size, volume.name) == (16 * 1024**3, "renamed")
    assert pyscaleio.Volume.one_by_name("renamed")["id"] == volume["id"]
    volume.export(sdc_id=first["id"])
    refused(81, volume.export, sdc_id=first["id"])
    refused(306, volume.export, sdc_guid=second.guid)
    volume.export(sdc_guid=second.guid, multiple=True)
    volume.throttle(sdc_id=first["id"], iops=100, mbps=10)
    volume.update()
    assert first in volume.exports
    assert {(export["limitIops"], export["limitBwInMbps"]) for export in volume.exports} == {(100, 10), (0, 0)}
    refused(104, volume.delete)
    volume.unexport(sdc_id=first["id"])
    refused(84, volume.unexport, sdc_id=first["id"])
    volume.unexport()
    done += 17

    snapshot = volume.snapshot("before")
    assert (snapshot.type, snapshot["ancestorVolumeId"]) == ("Snapshot", volume["id"])
    assert pyscaleio.VTree.one(volume["vtreeId"])["baseVolumeId"] == volume["id"]
    volume.delete("WHOLE_VTREE")
    assert pyscaleio.Volume.all() == []
    refused(79, pyscaleio.Volume.one, volume["id"])
    done += 5

    client.session.logout()
    done += 1
    print(json.dumps({"operations": done}))


if __name__ == "__main__":
    main()
