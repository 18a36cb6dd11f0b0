"""Write the OpenAPI document of the code, or compare it with the last release's: `make openapi`, `make openapi-check`.

    python -m football_assets_tests.ci.api_contract write FILE
    python -m football_assets_tests.ci.api_contract check

`check` exits with 1 and lists the changes that break clients of the release.
"""

import json
import sys
from pathlib import Path
from typing import Any

from football_assets_tests.ci.api_changes import breaking_changes
from serve.api import api_document

RELEASED = Path(__file__).with_name("released_openapi.json")
USAGE = "Give `write FILE`, or `check`."


def released_document() -> dict[str, Any]:
    """Read the OpenAPI document of the last release."""
    document: dict[str, Any] = json.loads(RELEASED.read_text(encoding="utf-8"))
    return document


def write_document(file: Path) -> None:
    """Write the OpenAPI document of the code as indented JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(api_document(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Run the program; returns its exit code."""
    match arguments:
        case ["write", file]:
            write_document(Path(file))
            return 0
        case ["check"]:
            changes = breaking_changes(released_document(), api_document())
            for change in changes:
                print(f"breaks clients: {change}", file=sys.stderr)
            if changes:
                print(
                    "Keep the old form beside the new one, or raise API_VERSION in serve/api.py.",
                    file=sys.stderr,
                )
            return int(bool(changes))
        case _:
            print(USAGE, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
