"""The colours by what they stand for: light and dark, told apart with every common form of colour blindness.

Hues are those of Okabe and Ito, https://jfly.uni-koeln.de/color/; on dark ground the same hues, lighter.
"""

from __future__ import annotations

from typing import NamedTuple


class Colour(NamedTuple):
    """One colour as ``#rrggbb`` on a light and on a dark page."""

    light: str
    dark: str


COLOURS = {
    # The page.
    "ground": Colour("#f5f6f8", "#12161c"),
    "surface": Colour("#ffffff", "#1a2029"),
    "ink": Colour("#1a2230", "#e8ecf2"),
    "muted": Colour("#566175", "#9daabd"),
    "rule": Colour("#d8dde5", "#343e4c"),
    "accent": Colour("#005a8f", "#7cc5f2"),
    # What a verdict says; never by colour alone.
    "good": Colour("#00704f", "#4fd3a6"),
    "warning": Colour("#8a5a00", "#f2bd4e"),
    "bad": Colour("#b03a00", "#ff9a66"),
    # Phases.
    "setup": Colour("#8b95a5", "#8792a4"),
    "live": Colour("#0072b2", "#56b4e9"),
    "suspend": Colour("#e69f00", "#f0b53a"),
    "stop": Colour("#d55e00", "#ff8647"),
    "state": Colour("#b05a8a", "#e29fc6"),
    "handover": Colour("#009e73", "#38c79b"),
    # What happened to pages.
    "again": Colour("#e8a33d", "#f3c066"),
    "throughput": Colour("#3c4a5e", "#b8c4d4"),
    # How much of a range was sent, from a little to all of it.
    "density-1": Colour("#d6e6f4", "#1d3a52"),
    "density-2": Colour("#a9cde8", "#235d84"),
    "density-3": Colour("#66abd8", "#2f86b8"),
    "density-4": Colour("#2b7fb9", "#63b5e2"),
    "density-5": Colour("#084a85", "#c2e6fb"),
}
"Colours by role. No two are the same on light ground, where plots are drawn; they become roles again in the page."

LIGHT = {role: colour.light for role, colour in COLOURS.items()}
ROLES = {colour.light: role for role, colour in COLOURS.items()}
assert len(ROLES) == len(COLOURS)


def variables() -> str:
    """The colours as CSS variables: ``--ink`` and so on, following the page's colour scheme."""
    light = "".join(f"--{role}:{colour.light};" for role, colour in COLOURS.items())
    both = "".join(f"--{role}:light-dark({colour.light},{colour.dark});" for role, colour in COLOURS.items())
    # Browsers from before 2024 do not know light-dark() and show the light page.
    return f":root{{{light}}}@supports (color:light-dark(red,red)){{:root{{{both}}}}}"
