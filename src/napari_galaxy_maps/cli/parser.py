"""A parser of options whose mistakes are one sentence, like those of the commands."""

from __future__ import annotations

import argparse
from typing import NoReturn

from ..exceptions import InputError


class Parser(argparse.ArgumentParser):
    """Raises what is wrong with options, in place of printing how they are used."""

    def error(self, message: str) -> NoReturn:
        """Raise `InputError` with a message of argparse's."""
        words = message.removeprefix("argument ")
        if words == message:
            raise InputError(f"{message[0].upper()}{message[1:]}; see {self.prog} --help.")
        raise InputError(f"{words.removesuffix('.')}.")
