"""Pages of the Describe answers: moto always sends everything."""

from __future__ import annotations

import base64
import binascii
import xml.etree.ElementTree as ET

from lab.ec2.errors import Ec2Error
from lab.ec2.world import Form

LISTS = {
    "DescribeVolumes": "volumeSet",
    "DescribeInstances": "reservationSet",
    "DescribeInstanceTypes": "instanceTypeSet",
    "DescribeVolumeStatus": "volumeStatusSet",
    "DescribeVolumesModifications": "volumeModificationSet",
}


def page(answer: bytes, form: Form) -> bytes:
    """The part of the answer that MaxResults and NextToken ask for."""
    if "MaxResults" not in form and "NextToken" not in form:
        return answer
    try:
        start = int(base64.b64decode(form.get("NextToken", "")) or b"0")
    except (ValueError, binascii.Error):
        raise Ec2Error("InvalidParameterValue", "Invalid value for nextToken.") from None
    size = int(form.get("MaxResults", 1000))
    if not 5 <= size <= 1000:
        raise Ec2Error("InvalidParameterValue", f"Value ( {size} ) for parameter maxResults is invalid: 5 to 1000.")
    root = ET.fromstring(answer)
    namespace = root.tag[: root.tag.index("}") + 1] if "}" in root.tag else ""
    if namespace:
        ET.register_namespace("", namespace.strip("{}"))
    items = root.find(namespace + LISTS[form["Action"]])
    if items is None:
        return answer
    everything = list(items)
    for number, item in enumerate(everything):
        if not start <= number < start + size:
            items.remove(item)
    if start + size < len(everything):
        ET.SubElement(root, namespace + "nextToken").text = base64.b64encode(str(start + size).encode()).decode()
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)
