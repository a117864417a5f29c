"""Stance corpora in Python: cut texts into sentences, measure agreement, train and use the classifier.

Each name below is loaded when it is first used, so that `import stance` is instant. The command line has its own
module, `stance.command_line`.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corpus.near_duplicates import near_duplicates
    from corpus.sentences.split import sentence_spans
    from labeling.statistics.agreement import cohen_kappa, fleiss_kappa, gwet_ac1, krippendorff_alpha
    from labeling.statistics.dawid_skene import dawid_skene
    from stance.api import split, train
    from train.examples.load import load_examples
    from train.model.files import load_model

__all__ = [
    "cohen_kappa",
    "dawid_skene",
    "fleiss_kappa",
    "gwet_ac1",
    "krippendorff_alpha",
    "load_examples",
    "load_model",
    "near_duplicates",
    "sentence_spans",
    "split",
    "train",
]

_MODULES = {
    "cohen_kappa": "labeling.statistics.agreement",
    "dawid_skene": "labeling.statistics.dawid_skene",
    "fleiss_kappa": "labeling.statistics.agreement",
    "gwet_ac1": "labeling.statistics.agreement",
    "krippendorff_alpha": "labeling.statistics.agreement",
    "load_examples": "train.examples.load",
    "load_model": "train.model.files",
    "near_duplicates": "corpus.near_duplicates",
    "sentence_spans": "corpus.sentences.split",
    "split": "stance.api",
    "train": "stance.api",
}
_PACKAGES = ("corpus", "labeling", "train", "release")


def __getattr__(name: str) -> Any:
    """Load a name of the API at its first use."""
    if name not in _MODULES:
        raise AttributeError(f"module 'stance' has no attribute {name!r}; it has {', '.join(__all__)}")
    _check_packages()
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _check_packages() -> None:
    """Make sure that the packages which Python would import are stance's.

    Python looks into the working folder first. A user's own `train.py` or `corpus/` there would be imported, and run,
    in place of stance's package of that name.

    Raises:
        ImportError: another file or folder hides one of stance's packages.
    """
    root = Path(__file__).resolve().parent.parent
    for name in _PACKAGES:
        spec = find_spec(name)
        if spec is None:
            raise ImportError(f"the package {name} of stance is not there: install stance again")
        place = spec.origin or next(iter(spec.submodule_search_locations or []), "")
        if Path(place).resolve().parent.parent == root and Path(place).name == "__init__.py":
            continue
        imported = " (it is imported already)" if name in sys.modules else ""
        raise ImportError(
            f"{place}{imported} hides the package `{name}` that stance needs: rename it, or start Python in another "
            "folder",
            name=name,
            path=place,
        )


if sys.argv[:1] != ["-m"]:  # `python -m stance`: there the command itself puts stance's packages first
    _check_packages()
