"""How many examples a property test tries that says so itself."""

from __future__ import annotations

from hypothesis import settings


def examples(number: int) -> int:
    """This number, or the share of it that the chosen profile asks for: see `tests/conftest.py`."""
    return max(2, number * settings.get_profile(settings.get_current_profile_name()).max_examples // 100)
