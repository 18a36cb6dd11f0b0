"""Checks of small built sites, each with one fault."""

from collections.abc import Callable
from pathlib import Path

import pytest

from football_assets_tests.site.built_site import BuiltSite

MakeSite = Callable[[dict[str, str]], BuiltSite]
HOME = '<a href="how-to/">How</a><link rel="stylesheet" href="site.css"><img src="p.png" alt="">'
SITE = {
    "index.html": HOME,
    "how-to/index.html": '<h2 id="one">One</h2><a href="..">Home</a> <a href="#one">1</a> <a href="../p.png">P</a>',
    "404.html": '<a href="/gone/">',
    "p.png": "",
    "site.css": "a { background: url('p.png') }",
}


@pytest.fixture
def make_site(tmp_path: Path) -> MakeSite:
    """Writes a site: the files of SITE, with changes."""

    def make(changes: dict[str, str]) -> BuiltSite:
        for name, text in {**SITE, **changes}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return BuiltSite(tmp_path)

    return make


def problems(site: BuiltSite) -> list[str]:
    return [*site.dead_links(), *site.requests_to_other_hosts(), *site.unreachable_pages()]


def test_a_sound_site_has_no_problem(make_site: MakeSite) -> None:
    outside = '<a href="https://example.org/x">X</a><link rel="canonical" href="https://example.org/">'
    mail = '<a href="mailto:a@b">mail</a>'

    assert problems(make_site({"index.html": HOME + outside + mail})) == []


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ('<a href="gone/">', "the link gone/ leads to no file of the site"),
        ('<a href="../../up.html">', "the link ../../up.html leads to no file of the site"),
        ('<a href="../how-to/">', "the link ../how-to/ leads to no file of the site"),
        ('<img src="q.png">', "the link q.png leads to no file of the site"),
        (
            '<a href="/how-to/">',
            "the link /how-to/ breaks where the site is published below a path: make it relative",
        ),
        (
            '<img src="/p.png">',
            "the link /p.png breaks where the site is published below a path: make it relative",
        ),
        (
            '<a href="how-to/#two">',
            "the link how-to/#two names an anchor that how-to/index.html does not have",
        ),
        ('<a href="#two">', "the link #two names an anchor that index.html does not have"),
    ],
)
def test_a_link_to_nothing_is_a_problem(make_site: MakeSite, link: str, problem: str) -> None:
    assert problems(make_site({"index.html": HOME + link})) == [f"index.html: {problem}"]


@pytest.mark.parametrize(
    "element",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//fonts.example/css">',
        '<link rel="preconnect" href="https://fonts.example">',
        '<img srcset="p.png 1x, https://pictures.example/q.png 2x">',
        '<iframe src="http://frames.example/"></iframe>',
        '<p style="background: url(https://pictures.example/p.png)">',
        "<style>@import 'https://fonts.example/css';</style>",
        '<pre class="mermaid">graph</pre>',
        '<a class="glightbox" href="p.png">P</a>',
        '<div data-md-component="source"></div>',
    ],
)
def test_an_element_that_asks_another_host_is_a_problem(make_site: MakeSite, element: str) -> None:
    (problem,) = problems(make_site({"index.html": HOME + element}))

    assert problem.startswith("index.html: ")
    assert "host" in problem


def test_a_style_sheet_that_asks_another_host_is_a_problem(make_site: MakeSite) -> None:
    site = make_site({"site.css": '@font-face { src: url("https://fonts.example/a.woff2") }'})

    assert problems(site) == ["site.css: loads https://fonts.example/a.woff2 from another host"]


def test_a_page_that_no_link_reaches_is_a_problem(make_site: MakeSite) -> None:
    site = make_site({"lost/index.html": '<a href="../">Home</a>'})

    assert problems(site) == ["lost/index.html: no links lead to it from index.html"]


def test_an_answer_is_within_three_clicks_and_exists(make_site: MakeSite) -> None:
    chain = {f"{step}/index.html": f'<a href="../{step + 1}/">next</a>' for step in range(1, 5)}
    site = make_site({"index.html": f'{HOME}<a href="1/">first</a>', **chain, "5/index.html": ""})

    assert [site.clicks[f"{step}/index.html"] for step in range(1, 6)] == [1, 2, 3, 4, 5]
    assert list(site.far_answers({"Near?": "3/", "Section?": "how-to/#one"})) == []
    assert list(site.far_answers({"Far?": "4/", "Gone?": "6/", "Which section?": "how-to/#two"})) == [
        "Far? The page 4/ is more than 3 clicks from index.html.",
        "Gone? The page 6/ does not exist.",
        "Which section? The page how-to/#two does not exist.",
    ]


def test_a_page_that_only_a_link_with_a_slash_in_front_names_is_unreachable(make_site: MakeSite) -> None:
    site = make_site({"index.html": f'{HOME}<a href="/lost/">lost</a>', "lost/index.html": ""})

    assert list(site.unreachable_pages()) == ["lost/index.html: no links lead to it from index.html"]


def test_an_answer_on_a_file_that_is_no_page_does_not_exist(make_site: MakeSite) -> None:
    site = make_site({})

    assert list(site.far_answers({"Section?": "p.png#one", "Picture?": "p.png"})) == [
        "Section? The page p.png#one does not exist.",
        "Picture? The page p.png does not exist.",
    ]
