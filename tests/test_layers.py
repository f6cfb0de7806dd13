"""Data flows one way through core/, and so do imports."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

CORE = Path(__file__).resolve().parent.parent / "core"
FLOW = (("definitions",), ("sources",), ("decode",), ("check", "analysis"), ("scrub", "report", "cli"))
"Folders of core/ from the left to the right; those that stand together may use each other."
PLACE = {folder: place for place, folders in enumerate(FLOW) for folder in folders}


def imported(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it, for type checkers too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
        elif isinstance(node, ast.Import):
            found.update(one.name for one in node.names)
    return found


@pytest.mark.parametrize("folder", PLACE)
def test_nothing_imports_from_the_right(folder: str) -> None:
    files = list((CORE / folder).rglob("*.py"))
    assert files
    for path in files:
        for module in imported(path):
            layer = module.removeprefix("xenmig.core.").partition(".")[0] if module.startswith("xenmig.core.") else ""
            assert PLACE.get(layer, 0) <= PLACE[folder], f"{path.name} imports {module}"


def test_the_sources_know_nothing_of_definitions() -> None:
    modules = {module for path in (CORE / "sources").rglob("*.py") for module in imported(path)}
    assert not [module for module in modules if module.startswith("xenmig.core.definitions")]


def test_core_never_imports_scapy_or_pyshark() -> None:
    modules = {module.partition(".")[0] for path in CORE.rglob("*.py") for module in imported(path)}
    assert modules.isdisjoint({"scapy", "pyshark"})
