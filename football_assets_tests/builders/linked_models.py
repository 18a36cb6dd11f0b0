"""A registry of linked models that is a folder, in place of W&B's."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Shelf:
    """A registry that is a folder: the linked version, if one is linked."""

    folder: Path
    version: str | None = "v1"

    @property
    def name(self) -> str:
        return f"shelf/football-forecaster:{self.version}"

    @property
    def sizes(self) -> Mapping[str, int]:
        return {path.name: path.stat().st_size for path in self.folder.iterdir()}

    def production(self) -> "Shelf | None":
        return self if self.version else None

    def download(self, folder: Path) -> None:
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
