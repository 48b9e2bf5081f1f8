"""The instances that exist from the start."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Wanted:
    """An instance as the lab describes it."""

    name: str
    private_ip: str
    az: str
    type: str = "m5.large"


@dataclass(frozen=True)
class Instance:
    """An instance as the emulator made it."""

    instance_id: str
    name: str
    private_ip: str
    az: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def launch(client: Any, wanted: Sequence[Wanted]) -> list[Instance]:
    """Create the instances through EC2's own calls. A zone gets a network of its own, so that hosts of one address
    range may lie in several zones, which real subnets cannot offer."""
    image_id = client.register_image(Name="lab", RootDeviceName="/dev/sda1")["ImageId"] if wanted else ""
    subnets: dict[tuple[str, str], str] = {}
    made = []
    for host in wanted:
        network = str(ipaddress.ip_network(f"{host.private_ip}/24", strict=False))
        if (host.az, network) not in subnets:
            vpc_id = client.create_vpc(CidrBlock=network)["Vpc"]["VpcId"]
            subnet = client.create_subnet(VpcId=vpc_id, CidrBlock=network, AvailabilityZone=host.az)["Subnet"]
            subnets[host.az, network] = subnet["SubnetId"]
        answer = client.run_instances(
            ImageId=image_id,
            InstanceType=host.type,
            MinCount=1,
            MaxCount=1,
            SubnetId=subnets[host.az, network],
            PrivateIpAddress=host.private_ip,
            TagSpecifications=[
                {
                    "ResourceType": "instance",
                    "Tags": [
                        {"Key": "Name", "Value": host.name},
                        {"Key": "mesos-scaleio:cluster-host", "Value": host.name},
                    ],
                }
            ],
        )
        made.append(Instance(answer["Instances"][0]["InstanceId"], host.name, host.private_ip, host.az))
    return made
