"""Source is parsed whatever finalizers do."""

import ast
import gc

import pytest

from football_assets_tests.builders.ast_parsing import parse_without_collection

SOURCE = "\n".join(f"x{number} = [a + {number}, (b, c)]" for number in range(2000))


class Parsing:
    """A reference cycle whose finalizer parses source, deeper in the stack than the test."""

    parsed = 0

    def __init__(self) -> None:
        self.cycle = self

    def __del__(self) -> None:
        self.parse(20)

    def parse(self, depth: int) -> None:
        if depth:
            self.parse(depth - 1)
        else:
            ast.parse("a + b")
            Parsing.parsed += 1


def test_finalizers_that_parse_source_do_not_break_parsing() -> None:
    gc.collect()
    gc.disable()
    for _ in range(50):
        Parsing()
    gc.enable()

    tree = ast.parse(SOURCE)

    assert isinstance(tree, ast.Module)
    assert len(tree.body) == 2000
    gc.collect()
    assert Parsing.parsed == 50


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_as_it_was_after_a_syntax_error(enabled: bool) -> None:
    if not enabled:
        gc.disable()
    try:
        with pytest.raises(SyntaxError):
            parse_without_collection()("a +")
        assert gc.isenabled() is enabled
    finally:
        gc.enable()
