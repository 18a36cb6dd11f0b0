"""Reading and parsing of Python files."""

from pathlib import Path

from football_assets_tests.house.sources import Source, read_sources


def test_python_files_of_the_given_folders_are_read_in_order(tmp_path: Path) -> None:
    for name in ("serve/b.py", "serve/page/a.py", "serve/page/a.js", "other/c.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\ny = 2\n")

    sources = read_sources(tmp_path, ["serve"])

    assert [(source.path, source.room, source.lines) for source in sources] == [
        ("serve/b.py", "serve/b.py", 2),
        ("serve/page/a.py", "serve/page", 2),
    ]


def test_imports_are_listed_wherever_they_are() -> None:
    text = "import a.b\nfrom c import d, e as f\ndef g():\n    from h.i import j\nfrom . import k\n"

    assert list(Source("serve/a.py", text).imports()) == [(1, "a.b"), (2, "c.d"), (2, "c.e"), (4, "h.i.j")]


def test_docstrings_are_those_of_modules_classes_and_functions() -> None:
    text = '"""M."""\nclass C:\n    """C."""\n    def f(self):\n        """F."""\n        "not one"\nx = """no"""\n'

    assert list(Source("serve/a.py", text).docstrings()) == [(1, "M."), (3, "C."), (5, "F.")]
