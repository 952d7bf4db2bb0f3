"""The interface of a dataset: where its source files are, and how they become uint8 arrays."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field

from breakeven.artifacts.dataset import Digests, Images
from breakeven.core.digests import digest_of
from breakeven.core.errors import UserError
from breakeven.core.paths import home
from breakeven.core.plugin import Plugin

Share = Annotated[float, Field(gt=0, lt=1)]


class RawDataset(NamedTuple):
    """A dataset as its source has it; `test` and `val` are None where the source has no such split."""

    train: Images
    test: Images | None
    classes: list[str]  # or the names of the numbers to predict
    vocabulary: int = 0  # how many tokens there are, for texts
    val: Images | None = None
    as_they_are: bool = False  # whether inputs are normalized already, or need none
    names: Mapping[
        str, Sequence[str]
    ] = {}  # train, val or test -> the file of each image, where there are files


class Dataset(Plugin, ABC):
    """Settings that all datasets share."""

    title: str = Field(description="the name that figures and tables quote")
    validation: Share = Field(0.1, description="share of train that becomes the validation split")
    test: Share = Field(0.2, description="share that becomes the test set where the source has none")
    mean: list[Annotated[float, Field(ge=0, le=1)]] | None = Field(
        None, description="of each channel, in units of 0 to 1, for weights that were trained so"
    )
    std: list[Annotated[float, Field(gt=0)]] | None = Field(
        None, description="likewise; null, as the mean: those of the training split"
    )
    split_seed: int = Field(0, ge=0, lt=2**32, description="draws the splits that the source does not have")

    learnable: ClassVar[bool] = True  # False: its targets are made up
    # The published digests of the source files: {path below a root: "sha256:..." or "md5:..."}
    known: ClassVar[Mapping[str, str]] = {}

    def facts(self) -> dict[str, int]:
        """Return the inputs' sizes and the classes, as far as they are known before anything is read."""
        return {}

    def sample(self, roots: Sequence[Path]) -> RawDataset:
        """Return a few samples of each class, for a trial; by default all.

        Raises:
            UserError: as of `read`.
        """
        return self.read(roots)

    def root(self, roots: Sequence[Path]) -> Path:
        """Return the first of `roots` that holds every file; download where none does.

        Raises:
            UserError: the files are in none of `roots`, and cannot be downloaded.
        """
        for root in roots:
            if all((root / name).is_file() for name in self.known):
                return root
        try:
            self.download(roots[0])
        except (OSError, RuntimeError, EOFError, HTTPException) as error:
            reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
            raise UserError(
                f"{self.title}: {', '.join(self.known)} not found in {' or '.join(map(str, roots))}, and the "
                f"download failed ({reason}). Put the files there, or set BREAKEVEN_DATA to the folder "
                f"that holds them."
            ) from None
        return roots[0]

    def own_path(
        self, path: str, roots: Sequence[Path], what: str, is_there: Callable[[Path], bool] = Path.exists
    ) -> Path:
        """Return a file or folder of the user's own, in the first of `roots` that has it, or in the project.

        Args:
            path: below one of `roots` or the project, or absolute.
            what: the user should put there, for the message.
            is_there: tells whether a path is what is meant, for example `Path.is_file`.

        Raises:
            UserError: it is in none of them.
        """
        paths = [root / path for root in [*roots, home()]]
        if found := next((each for each in paths if is_there(each)), None):
            return found
        raise UserError(
            f"{self.title}: {' or '.join(dict.fromkeys(map(str, paths)))} not found. Put the {what} there, "
            f"or set BREAKEVEN_DATA to the folder that holds {path}."
        )

    def download(self, root: Path) -> None:
        """Download the source files into `root`.

        Raises:
            OSError, RuntimeError, EOFError, HTTPException: they cannot be downloaded.
        """
        raise RuntimeError("this dataset cannot be downloaded")

    def digests(self, roots: Sequence[Path]) -> Digests:
        """Return the sha256 of each source file.

        Raises:
            UserError: a file has another digest than the published one.
        """
        root = self.root(roots)
        for name, published in self.known.items():
            algorithm, _, expected = published.partition(":")
            if (actual := digest_of(root / name, algorithm)) != expected:
                raise UserError(
                    f"{root / name} is damaged or is another file: its {algorithm} is {actual[:12]}…, and "
                    f"should be {expected[:12]}…. Replace it with the original, or delete it to download "
                    f"it again."
                )
        return {name: digest_of(root / name) for name in self.known}

    @abstractmethod
    def read(self, roots: Sequence[Path]) -> RawDataset:
        """Return the inputs and targets of the source, as of `Images`, neither scaled nor normalized.

        Raises:
            UserError: a file is missing or damaged.
        """
