"""An S3 for what runs keep outside of their controllers."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

SECRET = "canary-secret-key"


@pytest.fixture
def bucket() -> Iterator[dict[str, Any]]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    with contextlib.redirect_stdout(io.StringIO()):
        server.start()
    given = {
        "bucket": "records",
        "region": "us-east-1",
        "access_key": "key",
        "secret_key": SECRET,
        "endpoint_url": "http://{}:{}".format(*server.get_host_and_port()),
    }
    access = {"aws_access_key_id": "key", "aws_secret_access_key": SECRET, "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=given["endpoint_url"], **access).create_bucket(Bucket="records")
    yield given
    server.stop()
