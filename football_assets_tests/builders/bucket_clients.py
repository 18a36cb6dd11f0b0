"""What other processes do to a bucket in its tests; imports little, as each process imports it."""

from football_assets.errors import PreconditionFailed
from football_assets.storage.bucket import ABSENT
from football_assets.storage.opening import open_bucket


def increment(root: str, times: int) -> None:
    """Add to a counter by conditional writes, again after each failed precondition."""
    bucket = open_bucket(root)
    for _ in range(times):
        while True:
            info = bucket.stat("counter")
            assert info is not None
            count = int(bucket.read("counter"))
            if bucket.stat("counter") != info:
                continue
            try:
                bucket.write("counter", str(count + 1).encode(), if_version=info.version)
                break
            except PreconditionFailed:
                continue


def claim(root: str, name: str, claimant: str) -> str | None:
    """Who won, if it was this process."""
    try:
        open_bucket(root).write(name, claimant.encode(), if_version=ABSENT)
    except PreconditionFailed:
        return None
    return claimant


def alternate(root: str) -> None:
    """Write two contents in turn until killed."""
    bucket = open_bucket(root)
    while True:
        for letter in (b"a", b"b"):
            bucket.write("big", letter * 3_000_000)
