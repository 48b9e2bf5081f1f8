"""siolib 2.0.3, OpenStack Nova's client, against ScaleIO 2.x: names in the path, encoded twice."""

from __future__ import annotations

import json
import sys

import siolib


def refused(kind, function, *args, **kwargs) -> None:  # type: ignore[no-untyped-def]
    try:
        function(*args, **kwargs)
    except kind:
        return
    raise AssertionError(f"{function} was not refused")


def main() -> None:
    facts = json.load(sys.stdin)
    place = {"rest_server_ip": facts["host"], "rest_server_port": facts["port"]}
    wrong = siolib.ScaleIO(**place, rest_server_username=facts["username"], rest_server_password="wrong")
    refused(siolib.Unauthorized, wrong.get_scaleio_api_version)
    client = siolib.ScaleIO(
        **place, rest_server_username=facts["username"], rest_server_password=facts["password"],
        verify_server_certificate=False,
    )  # fmt: skip
    done = 1

    assert client.get_scaleio_api_version() == facts["profile"]
    assert [item["name"] for item in client.list_protection_domain_infos()] == ["default", "odd/name#1%"]
    domain_id = client.get_domain_id("odd/name#1%")
    assert client.get_protection_domain_properties("odd/name#1%")["id"] == domain_id
    assert [item["name"] for item in client.list_storage_pool_infos("odd/name#1%")] == ["odd/pool,1"]
    assert client.get_storage_pool_properties("odd/name#1%", "odd/pool,1")["protectionDomainId"] == domain_id
    assert client.get_pool_id("odd/name#1%", "odd/pool,1")
    refused(siolib.Error, client.get_domain_id, "absent")
    done += 8

    used, total, free = client.storagepool_size("default", "default")
    assert (used >= 0, total - used) == (True, free)
    assert client.systempool_size()[0] == 0
    names = ["capacityInUseInKb", "thinCapacityAllocatedInKm"]
    assert list(client.get_storage_pool_statistics("default", "default", names)) == names
    assert "mdmAddresses" in client.get_configuration()
    done += 4

    guid, other = facts["guids"]
    volume_id, _name = client.create_volume("data?", "default", "default", "thin", 8)
    assert client.get_volumeid("data?") == volume_id
    assert client.list_volume_infos({"name_prefix": "dat"}) == [{"id": volume_id, "name": "data?"}]
    refused(siolib.VolumeExists, client.create_volume, "data?", "default", "default", "thick", 8)
    refused(siolib.VolumeNotFound, client.get_volumeid, "absent!")
    client.extend_volume("data?", 16)
    refused(siolib.SizeTooSmall, client.extend_volume, "data?", 16)
    assert client.get_volumesize("data?") == 16 * 1024 * 1024
    client.attach_volume("data?", guid)
    client.attach_volume("data?", other)
    refused(siolib.VolumeAlreadyMapped, client.attach_volume, "data?", guid)
    assert client.is_volume_attached("data?", guid)
    refused(siolib.Error, client.delete_volume, "data?")
    client.detach_volume("data?", guid)
    refused(siolib.VolumeNotMapped, client.detach_volume, "data?", guid)
    client.detach_volume("data?", unmap_all=True)
    client.rename_volume("data?", "other")
    assert client.get_volumename(volume_id) == "other"
    _group, (snapshot_id,) = client.snapshot_volume("other", "before")
    assert client.get_volume_properties(snapshot_id)["ancestorVolumeId"] == volume_id
    client.delete_volume("other", vtree=True, unmap_on_delete=True)
    refused(siolib.VolumeNotFound, client.get_volume_properties, volume_id)
    client.delete_volume(volume_id)  # gone already is well enough
    done += 23
    print(json.dumps({"operations": done}))


if __name__ == "__main__":
    main()
