"""A parser of command lines that answers a mistake with one sentence instead of a page of usage."""

import argparse
import re
from collections.abc import Sequence
from typing import NoReturn

from breakeven.core.plugin import did_you_mean

BAD_NUMBER = re.compile(r"argument (?P<name>\S+): invalid (?P<kind>int|float) value: (?P<given>.+)")
BAD_COMMAND = re.compile(r"argument COMMAND: invalid choice: '(?P<given>.*?)' \(choose from (?P<known>.*)\)")
NUMBERS = {"int": "a whole number", "float": "a number"}
EXIT_CODE = 2  # as argparse's own


class ArgumentParser(argparse.ArgumentParser):
    """An argparse parser, of which only the messages differ."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong, and which command shows what is right; end with exit code 2."""
        if found := BAD_NUMBER.fullmatch(message):
            message = f"{found['name']}: {found['given']} is not {NUMBERS[found['kind']]}"
        elif found := BAD_COMMAND.fullmatch(message):
            known = [name.strip("'\" ") for name in found["known"].split(",")]
            message = f"the command {found['given']!r} is {did_you_mean(found['given'], known)}"
        else:
            message = message.removeprefix("argument ")
        self.exit(EXIT_CODE, f"breakeven: {message.rstrip('.')}. `{self.prog} --help` says more.\n")

    def refuse(self, words: Sequence[str]) -> NoReturn:
        """End as `error` does, because of words that are neither options nor their values."""
        options = [option for action in self._actions for option in action.option_strings]
        unknown = words[0].partition("=")[0]
        if unknown.startswith("-"):
            self.error(f"the option {unknown} is {did_you_mean(unknown, options)}")
        self.error(f"{' '.join(words)}: nothing is expected here")
