"""`/`, `/page` and `/docs`: the page for people and the documentation of the API."""

from importlib import resources
from pathlib import Path

from fastapi import FastAPI, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse

from serve.problems import ProblemError

SWAGGER_UI = "fastapi_swagger.resources"
"""Package with the files of Swagger UI 5. Version 4 does not render OpenAPI 3.1."""
PAGE = Path(__file__).parents[1] / "page"


def add_pages(api: FastAPI, title: str) -> None:
    """Add the routes of the page and of the documentation."""
    files = {path.name: path for path in PAGE.iterdir() if path.is_file()}

    @api.get("/", include_in_schema=False)
    async def page() -> Response:
        return FileResponse(files["index.html"], headers={"Cache-Control": "no-cache"})

    @api.get("/page/{name}", include_in_schema=False)
    async def page_file(name: str) -> Response:
        if name not in files:
            raise ProblemError(404, f"The page has no file {name!r}.")
        return FileResponse(files[name], headers={"Cache-Control": "no-cache"})

    @api.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title=title,
            swagger_js_url="docs/swagger-ui-bundle.js",
            swagger_css_url="docs/swagger-ui.css",
            swagger_favicon_url="page/favicon.svg",
        )

    @api.get("/docs/{name}", include_in_schema=False)
    async def docs_file(name: str) -> Response:
        if name not in {"swagger-ui-bundle.js", "swagger-ui.css"}:
            raise ProblemError(404, f"The documentation has no file {name!r}.")
        return FileResponse(Path(str(resources.files(SWAGGER_UI))) / name)
