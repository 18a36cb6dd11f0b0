"""The commit of the code that runs."""

from football_assets.runtime.git_commit import describe_commit
from football_assets.runtime.home import is_checkout, project_root
from football_assets.settings import Settings


def code_commit(settings: Settings) -> str | None:
    """Return the commit of the code; None for an installed package without FOOTBALL_COMMIT.

    In a clone with changes that are not committed it ends with `-dirty`.
    """
    if settings.commit is not None:
        return settings.commit
    return describe_commit(project_root()) if is_checkout() else None
