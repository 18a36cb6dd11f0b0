"""All rules on a small project."""

from pathlib import Path

from football_assets_tests.house.violations import all_violations


def test_violations_and_phrases_of_the_dialect_are_found_file_by_file(tmp_path: Path) -> None:
    for name in ("football_assets", "serve"):
        (tmp_path / name).mkdir()
    (tmp_path / "football_assets" / "long.py").write_text("X = 1\n" * 400)
    (tmp_path / "serve" / "page.py").write_text('"""Return what the sensor is told."""\n')

    violations, findings = all_violations(tmp_path)

    assert ("file_length", "football_assets/long.py", 400) in [
        (found.rule, found.place, found.size) for found in violations
    ]
    assert [(found.path, found.line) for found in findings] == [("serve/page.py", 1)]
