"""The option files of a user's own model and data, and a trial of them (`breakeven new`)."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from breakeven.config import conf_files
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.files import write_text
from breakeven.pipeline.new_family_files import Wish, data_file, family_file, kind_of, study_file

NAME = re.compile(r"[A-Za-z]\w*")
WORDS = ("on", "off", "yes", "no", "true", "false", "null", "y", "n")  # YAML takes them for values


def write(wish: Wish, conf: Path = paths.CONF) -> list[Path]:
    """Write the option files of a family and its study, and return them.

    Raises:
        UserError: a file exists, or the model or the data cannot be found.
    """
    if not NAME.fullmatch(wish.name) or wish.name.lower() in WORDS:
        raise UserError(f"{wish.name}: a name has letters, digits and _, and begins with a letter.")
    _require_used(wish, conf)
    data, data_text = data_file(wish, conf)
    texts = {
        f"data/{wish.name}.yaml": data_text,
        f"family/{wish.name}.yaml": family_file(wish, data, conf),
        f"study/{wish.name}.yaml": study_file(wish, data),
    }
    files = {conf / name: text for name, text in texts.items() if text}
    if there := [file for file in files if file.exists()]:
        raise UserError(f"{there[0]} exists: choose another name than {wish.name}, or delete it.")
    if taken := [name for name in texts if conf_files.find(conf, name).is_file()]:
        raise UserError(f"{wish.name}: the package has an option of this name ({taken[0]}): choose another.")
    for file, text in files.items():
        write_text(file, text)
    return [*files]


def _require_used(wish: Wish, conf: Path) -> None:
    """Refuse what would be dropped: an option that the chosen data or task does not use."""
    kind = kind_of(wish.data, conf)
    packaged = kind == "packaged"
    if packaged and Path(wish.data).exists():
        raise UserError(
            f"--data {wish.data}: is a dataset of the package, and a folder here: write ./{wish.data} for "
            "the folder."
        )
    name = "a packaged dataset" if packaged else f"the data {wish.data}"
    unused = {
        "--size": wish.size is not None and kind != "folder",
        "--target": wish.targets and kind != "table",
        "--vocabulary": wish.vocabulary and kind != "code",
    }
    if odd := [option for option, is_unused in unused.items() if is_unused]:
        raise UserError(f"{odd[0]}: does not go with {name}: leave it out.")
    if wish.task != "custom" and (wish.score or wish.metric or wish.loss):
        raise UserError(
            f"--task {wish.task}: has a score of its own: leave --score, --metric and --loss out."
        )


@contextmanager
def removed_on_error(files: list[Path]) -> Iterator[None]:
    """Remove the files if the block fails, so that the same command can be typed again."""
    try:
        yield
    except BaseException:
        for file in files:
            file.unlink(missing_ok=True)
            with suppress(OSError):  # it holds other files
                file.parent.rmdir()
        raise
