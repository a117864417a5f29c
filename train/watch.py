"""Tell whoever waits for a training how far it is."""

from __future__ import annotations

from collections.abc import Callable

import msgspec


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """Functions that a training tells how far it is.

    Attributes:
        step: function that is called with the number of finished folds or fits, and with their number in the stage.
        stage: function that is called with the name of each stage when it begins.
        say: function that is called before the search with a sentence on how long the training will take, if that is
            half a minute or more.
    """

    step: Callable[[int, int], None] = lambda *_: None
    stage: Callable[[str], None] = lambda _: None
    say: Callable[[str], None] = lambda _: None
