"""Parses Python source without garbage collection, for the CPython releases in which a collection breaks it.

CPython 3.11.7 counts the recursion of `ast.parse` in one place an interpreter (gh-106905). A finalizer that formats a
traceback calls `ast.parse` again. If the collector runs it inside of an outer call, the outer call fails with
`SystemError: AST constructor recursion depth mismatch`. Hypothesis, schemathesis and onnxscript parse source in tests.
"""

import ast
import gc
from collections.abc import Callable
from functools import wraps
from typing import Any


def parse_without_collection(parse: Callable[..., ast.AST] = ast.parse) -> Callable[..., ast.AST]:
    """A function that parses as `parse` does, during which the garbage collector is off."""

    @wraps(parse)
    def guarded(*arguments: Any, **options: Any) -> ast.AST:
        enabled = gc.isenabled()
        gc.disable()
        try:
            return parse(*arguments, **options)
        finally:
            if enabled:
                gc.enable()

    return guarded
