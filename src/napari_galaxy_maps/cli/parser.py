"""A parser of options whose mistakes are one sentence, like those of the commands."""

from __future__ import annotations

import argparse
import re
from typing import Any, NoReturn

from ..exceptions import InputError


class Parser(argparse.ArgumentParser):
    """Raises what is wrong with options, in place of printing how they are used; a declination of
    -09:54:50 is a value, as every negative number is.
    """

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self._negative_number_matcher = re.compile(r"^-\.?\d")

    def error(self, message: str) -> NoReturn:
        """Raise `InputError` with a message of argparse's."""
        words = message.removeprefix("argument ")
        if words == message:
            raise InputError(f"{message[0].upper()}{message[1:]}; see {self.prog} --help.")
        raise InputError(f"{words.removesuffix('.')}.")
