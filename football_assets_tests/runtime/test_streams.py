"""Text on streams whose encoding lacks characters."""

import io
import sys

import pytest

from football_assets.runtime.streams import prepare_streams


def written(monkeypatch: pytest.MonkeyPatch, text: str, encoding: str, errors: str = "strict") -> bytes:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding, errors, newline="\n"))
    prepare_streams()
    sys.stdout.write(text)
    sys.stdout.flush()
    return raw.getvalue()


def test_what_an_encoding_lacks_is_replaced_character_by_character(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "✓ Almería – Sevilla 2 × …"

    assert written(monkeypatch, text, "ascii") == b"+ Almeria - Sevilla 2 x ."
    assert written(monkeypatch, text, "latin-1") == "+ Almería - Sevilla 2 × .".encode("latin-1")
    assert written(monkeypatch, text, "utf-8") == text.encode()
    assert written(monkeypatch, "日本 ﬁ", "ascii") == b"?? f"


def test_bytes_of_a_name_that_is_not_utf8_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(monkeypatch, "K\udcf6ln", "utf-8") == rb"K\xf6ln"
    assert written(monkeypatch, "K\udcf6ln", "ascii", "surrogateescape") == rb"K\xf6ln"


def test_a_replacement_that_somebody_asked_for_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(monkeypatch, "Köln", "ascii", "ignore") == b"Kln"
