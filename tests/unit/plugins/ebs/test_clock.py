"""How far our clock is from EC2's, by the Date of its answers."""

import time
from email.utils import formatdate

import boto3
import pytest
from botocore.stub import Stubber

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.client import Ec2


def ahead_seconds(headers):
    client = boto3.client("ec2", region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret")
    ec2 = Ec2(client)
    with Stubber(client) as stub:
        answer = {"Volumes": [], "ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": headers}}
        stub.add_response("describe_volumes", answer)
        ec2.describe_volumes({})
    return ec2.clock_ahead_seconds


@pytest.mark.parametrize("ahead", [0, 400, -172800])
def test_the_date_of_an_answer_tells(ahead):
    assert ahead_seconds({"date": formatdate(time.time() - ahead, usegmt=True)}) == pytest.approx(ahead, abs=3)


@pytest.mark.parametrize(
    "headers", [{}, {"date": ""}, {"date": "yesterday"}, {"date": "Mon, 99 Nov 2026 10:00:00 GMT"}], ids=str
)
def test_an_answer_without_a_date_tells_nothing(headers):
    assert ahead_seconds(headers) is None
