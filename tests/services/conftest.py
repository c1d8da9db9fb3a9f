"""What the tests of tests/services share: a bucket of their own, media in it, real workers."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING, Any

import boto3
import pytest

if TYPE_CHECKING:
    from pathlib import Path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "services" in item.path.parts:
            item.add_marker(pytest.mark.services)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty bucket; its name and the keys are in the environment, for processes too."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "STLCATALOG_S3_BUCKET": f"media-{uuid.uuid4().hex}",
        "STLCATALOG_S3_ENDPOINT": os.environ["TEST_S3_ENDPOINT"],
        "STLCATALOG_S3_REGION": "eu-central-1",
        "STLCATALOG_S3_PREFIX": "catalogue",
    }.items():
        monkeypatch.setenv(name, value)
    s3 = boto3.resource(
        "s3", endpoint_url=os.environ["TEST_S3_ENDPOINT"], region_name="eu-central-1"
    )
    made = s3.Bucket(os.environ["STLCATALOG_S3_BUCKET"])
    made.create(CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return made


@pytest.fixture
def media_in_bucket(bucket: Any, settings: Any, tmp_path: Path) -> Any:
    """Media as the product's own settings would put them there; nothing is left on the disk."""
    from tests.factories.settings_of import settings_of

    settings.STORAGES = settings.STORAGES | {"default": settings_of("STORAGES")["default"]}
    settings.MEDIA_ROOT = tmp_path / "no-media"
    return bucket
