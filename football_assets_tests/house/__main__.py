"""Print what breaks a rule of the house; exit with 1 where something does.

`--dialect` lists every phrase of the old dialect and the count of each room, `--dialect serve` those of one folder.
"""

import sys
from pathlib import Path

from football_assets_tests.house.dialect import count_by_room, find_all
from football_assets_tests.house.sources import read_sources
from football_assets_tests.house.violations import all_violations


def main(arguments: list[str]) -> int:
    """Check the project that this package lies in."""
    root = Path(__file__).parents[2]
    if arguments[:1] == ["--dialect"]:
        return print_dialect(root, tuple(arguments[1:]) or ("",))
    violations, findings = all_violations(root)
    for line in (*violations, *findings):
        print(line)
    return 1 if violations or findings else 0


def print_dialect(root: Path, folders: tuple[str, ...]) -> int:
    """Print the phrases of the dialect below some folders and how many each room has."""
    findings = [finding for finding in find_all(root, read_sources(root)) if finding.path.startswith(folders)]
    for finding in findings:
        print(finding)
    for room, count in count_by_room(findings).most_common():
        print(f"{count:5} {room}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
