"""Pictures as bytes and as addresses."""

import base64

from football_assets.orchestration.figures import data_url, new_figure, to_png

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def test_a_figure_is_drawn_as_a_png_of_its_size_and_resolution() -> None:
    drawn = to_png(new_figure(3, 2), dpi=100)
    assert drawn.startswith(PNG_SIGNATURE)
    assert (int.from_bytes(drawn[16:20]), int.from_bytes(drawn[20:24])) == (300, 200)


def test_an_address_holds_the_picture() -> None:
    kind, _, text = data_url(b"picture").partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(text) == b"picture"
