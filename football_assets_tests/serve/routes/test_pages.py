"""The files of the page and of the documentation."""

import pytest

from football_assets_tests.builders.answers import refused
from football_assets_tests.builders.running import Client


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html"),
        ("/page/page.js", "text/javascript"),
        ("/page/page.css", "text/css"),
        ("/page/favicon.svg", "image/svg+xml"),
        ("/docs", "text/html"),
        ("/docs/swagger-ui-bundle.js", "text/javascript"),
        ("/docs/swagger-ui.css", "text/css"),
    ],
)
def test_files_of_the_page_and_the_documentation_have_their_media_type(
    client: Client, path: str, media_type: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == media_type
    assert len(answer.content) > 100


def test_all_that_the_page_refers_to_is_served(client: Client) -> None:
    import re

    text = client.get("/").text
    references = re.findall(r'(?:src|href)="([^"#]+)"', text)
    assert len(references) >= 3
    for reference in references:
        assert client.get(f"/{reference.lstrip('./')}").status_code == 200, reference


@pytest.mark.parametrize("path", ["/page/nothing.js", "/docs/nothing.js", "/page/", "/nothing"])
def test_a_path_that_is_not_there_is_a_problem_document(client: Client, path: str) -> None:
    refused(client.get(path), 404)
