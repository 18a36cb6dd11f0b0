"""Which kind of bucket a URL opens."""

import subprocess
import sys
from pathlib import Path

import pytest

from football_assets.errors import BucketError
from football_assets.storage.opening import open_bucket


def test_a_scheme_that_is_not_supported_is_refused_with_advice() -> None:
    with pytest.raises(
        BucketError, match="'s3://matches' is not supported: set FOOTBALL_BUCKET to a local folder or"
    ):
        open_bucket("s3://matches")


def test_a_file_url_is_a_local_folder(tmp_path: Path) -> None:
    open_bucket(f"file://{tmp_path}/bucket").write("a", b"1")

    assert open_bucket(str(tmp_path / "bucket")).read("a") == b"1"


def test_a_local_bucket_loads_no_client_of_a_remote_one(tmp_path: Path) -> None:
    code = (
        "import sys; from football_assets.storage.opening import open_bucket;"
        f"open_bucket({str(tmp_path)!r}).write('a', b'');"
        "clients = ('google.auth', 'google.cloud.storage', 'dagster', 'requests');"
        "print(*(name for name in clients if name in sys.modules))"
    )

    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert loaded.stdout.split() == []
