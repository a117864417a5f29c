"""Where the `stance` command begins: our own packages first, and nothing from the folder that it is typed in.

A researcher's folder may well hold a `train.py`, a `labeling.py` or a `corpus/` of its own. Where PYTHONPATH names that
folder, or Python puts it first by itself, as `python -m` does, those files would be imported, and run, in place of
ours. This module has a name that no such file is likely to have. A `stance.py` of the user's is run by `python -m
stance` before any line of ours could prevent it; the script `stance` never runs it.
"""

import os
import sys


def main() -> None:
    """Run the command."""
    own_first()
    from stance.command_line import main as run

    run()


def own_first() -> None:
    """Put the folder of our packages first on the path, and take off the working folder, for child processes too."""
    home = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    try:
        here = os.path.realpath(os.getcwd())  # noqa: PTH109
    except FileNotFoundError:  # it has been deleted meanwhile
        here = ""

    def foreign(entry: str) -> bool:
        return not os.path.isabs(entry) or os.path.realpath(entry) == here  # noqa: PTH117

    sys.path[:] = [home, *(entry for entry in sys.path if entry != home and not foreign(entry))]
    # Worker processes start in the working folder too.
    os.environ["PYTHONSAFEPATH"] = "1"
    if "PYTHONPATH" in os.environ:
        kept = [entry for entry in os.environ["PYTHONPATH"].split(os.pathsep) if not foreign(entry)]
        os.environ["PYTHONPATH"] = os.pathsep.join(kept)
        if not kept:
            del os.environ["PYTHONPATH"]


if __name__ == "__main__":
    main()
