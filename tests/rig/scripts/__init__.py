"""Scripts of the hostile server: one small class for each quirk of the catalogue, found by `all_scripts()`."""

import importlib
import pkgutil

from tests.rig.liar import Liar


def all_scripts() -> list[type[Liar]]:
    """Every script of every module of this package."""
    found: list[type[Liar]] = []
    for module in pkgutil.iter_modules(__path__):
        names = vars(importlib.import_module(f"{__name__}.{module.name}"))
        found += [each for each in names.values() if isinstance(each, type) and issubclass(each, Liar)]
    return [each for each in found if each is not Liar and not each.__name__.startswith("_")]
