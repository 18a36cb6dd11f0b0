"""All pages of the site: the documents of the project and the reference that is generated from its code."""

import shutil
from pathlib import Path

from football_assets.settings import Settings
from football_assets_tests.site.pages import Pages

FOLDER = Path("build") / "docs"  # `docs_dir` of zensical.toml


def collect(root: Path, settings: Settings) -> Pages:
    """Collect the pages of the project in a folder.

    Parameters
    ----------
    settings
        FOOTBALL_GIT_URL and FOOTBALL_GIT_BRANCH: where pages of source files link to.
    """
    # Imported here: dagster, dbt and dataframely take seconds to import, and `check` needs none of them.
    from football_assets.definitions import build_definitions
    from football_assets.features.dbt_project import load_manifest
    from football_assets_tests.site.alerts import add_alerts
    from football_assets_tests.site.asset_pages import AssetReference
    from football_assets_tests.site.automation import add_automation
    from football_assets_tests.site.commands import add_commands
    from football_assets_tests.site.documents import add_documents
    from football_assets_tests.site.features import add_features
    from football_assets_tests.site.http_api import add_http_api, openapi_of_application
    from football_assets_tests.site.run_config import add_run_config
    from football_assets_tests.site.tables import add_tables
    from football_assets_tests.site.variables import add_variables

    pages = Pages(root, settings.git_url, settings.git_branch)
    # With FOOTBALL_GIT_URL the code references of assets are addresses; without it files and lines, which pages need.
    definitions = build_definitions(settings.model_copy(update={"git_url": None}))
    nodes = load_manifest()["nodes"]
    add_documents(pages)
    add_commands(pages)
    add_variables(pages)
    add_http_api(pages, openapi_of_application())
    AssetReference(pages, definitions, nodes).add()
    add_automation(pages, definitions)
    add_run_config(pages, definitions)
    add_features(pages)
    add_tables(pages, definitions, nodes)
    add_alerts(pages)
    return pages


def write(pages: Pages, folder: Path) -> int:
    """Write all pages, pictures and style sheets to a folder, which is emptied before; return the number of pages."""
    from football_assets_tests.site.documents import copy_other_files
    from football_assets_tests.site.http_api import openapi_of_application, write_document

    shutil.rmtree(folder, ignore_errors=True)
    pages.write(folder)
    copy_other_files(pages, folder)
    write_document(openapi_of_application(), folder)
    return len(list(folder.rglob("*.md")))
