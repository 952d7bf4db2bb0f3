"""Notes every source file that a stage opens, in its own process and in all that it starts.

Python imports a module of this name by itself when it starts. A line holds the modules that were at work when
a file was opened, the innermost first, and the file.
"""

import os
import re
import sys
from collections.abc import Iterator

FOLDER = os.environ.get("BREAKEVEN_TEST_OPENED")
STAGE = "BREAKEVEN_TEST_STAGE"  # variable of the environment, for the processes that a stage starts
PIPELINE = "breakeven.pipeline"
COMPILED = re.compile(r"__pycache__/(\w+)\.cpython-\d+(\.opt-\d)?\.pyc$")
SOURCE = re.compile(r"/(src/breakeven|cpp)/.*\.(py|html|js|css|cpp|hpp|txt)$")
# Their functions import what others name.
LOADERS = ("breakeven.core.plugin", "breakeven.config.schema")
STARTER = "breakeven.pipeline.__main__"  # it runs the stage that the command line names


def stage() -> str:
    """Return the stage that this process belongs to, with its instance: `train-cnn`; or nothing."""
    words = sys.orig_argv
    for number, word in enumerate(words):
        if word == PIPELINE:
            return "-".join(words[number + 1 :])
    return os.environ.get(STAGE, "")


def openers() -> Iterator[str]:
    """Yield the innermost module at work, and each that imports the one before it."""
    frame = sys._getframe(2)
    imports = True  # whether a function of the next module opens or imports the file
    while frame:
        spec = frame.f_globals.get("__spec__")
        name = spec.name if spec else str(frame.f_globals.get("__name__"))
        is_body = frame.f_code.co_name == "<module>"
        is_ours = name.split(".")[0] == "breakeven" and name != STARTER
        if is_ours:
            if is_body or (imports and name not in LOADERS):
                yield name
            imports = is_body
        frame = frame.f_back


def note(event: str, arguments: tuple[object, ...]) -> None:
    """Write down a source file that is opened."""
    if event != "open" or not isinstance(arguments[0], str):
        return
    path = COMPILED.sub(r"\1.py", os.path.abspath(arguments[0]))
    if SOURCE.search(path):
        with open(f"{FOLDER}/{os.environ[STAGE]}", "a") as log:
            log.write(f"{' '.join(openers())}\t{path}\n")


if FOLDER and stage():
    os.environ[STAGE] = stage()
    os.makedirs(FOLDER, exist_ok=True)
    sys.addaudithook(note)
