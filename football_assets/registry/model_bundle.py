"""The files of a model bundle in memory, so that the bytes that were verified are the bytes that are parsed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from football_assets.errors import RegistryError
from football_assets.registry.manifest import is_bundle_file, read_bundle_files


@dataclass(frozen=True)
class ModelBundle:
    """The files of a model bundle.

    Attributes
    ----------
    files
        Content by name.
    place
        Where they were read from, for messages.
    """

    files: Mapping[str, bytes]
    place: str

    def __post_init__(self) -> None:
        """Check the names of the files.

        Raises
        ------
        RegistryError
            A file does not belong in a bundle.
        """
        for name in self.files:
            if not is_bundle_file(name):
                raise RegistryError(f"{name!r} of {self.place} does not belong in a model bundle.")

    @classmethod
    def of_folder(cls, folder: Path) -> "ModelBundle":
        """Read the files of a folder.

        Raises
        ------
        RegistryError
            The folder is empty or holds a file that does not belong in a bundle.
        """
        return cls(read_bundle_files(folder), str(folder))

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises
        ------
        RegistryError
            The bundle has no such file.
        """
        if name not in self.files:
            raise RegistryError(
                f"Model bundle {self.place} has no {name}: materialize 'registered_model' again."
            )
        return self.files[name]

    def __str__(self) -> str:
        """Name the place, for messages."""
        return self.place
