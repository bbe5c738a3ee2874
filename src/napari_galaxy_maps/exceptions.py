"""Errors meant for a person: a sentence that says what is wrong, in which file, and what to do."""


class GalaxyMapsError(Exception):
    """A mistake or an input that the person can put right; the message is shown as it stands,
    without a traceback.
    """


class InputError(GalaxyMapsError):
    """A file or folder that cannot be used as it is."""


class UnresolvedError(InputError):
    """An image whose band or unit has to be told by the person before it can be used."""


class RecipeError(GalaxyMapsError):
    """A setting that does not exist or has a value that makes no sense."""


class ModelError(GalaxyMapsError):
    """A model that is unknown, damaged, or cannot work with what it was given."""
