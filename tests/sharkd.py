"""sharkd, which looks at the frames of a capture in whatever order it is asked, as Wireshark's window does."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.tshark import DISSECTOR, NOT_ROOT, TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.tshark import Tshark


def program(tshark: Tshark) -> list[str]:
    """The sharkd beside a tshark; empty where there is none."""
    *loader, own = tshark.command
    beside = Path(own).with_name("sharkd")
    return [*loader, str(beside)] if beside.exists() else []


def ask(tshark: Tshark, path: Path, *requests: tuple[str, dict[str, Any]]) -> list[Any]:
    """What a sharkd with the dissector answers to requests about a capture, by method and parameters, in order."""
    calls = [("load", {"file": str(path)}), *requests]
    lines = [
        json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": parameters})
        for number, (method, parameters) in enumerate(calls, 1)
    ]
    with tempfile.TemporaryDirectory(prefix="xenmig-sharkd-") as home:
        plugins = Path(home) / ".local" / "lib" / "wireshark" / "plugins"
        plugins.mkdir(parents=True)
        (plugins / DISSECTOR.name).write_bytes(DISSECTOR.read_bytes())
        done = subprocess.run(
            [*NOT_ROOT, *program(tshark), "-"],
            input="\n".join(lines) + "\n",
            env={**os.environ, **tshark.environment, "HOME": home, "XDG_CONFIG_HOME": f"{home}/.config"},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    assert "Lua Error" not in done.stdout + done.stderr, done.stderr[-2000:]
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(answers) == len(calls), done.stderr[-2000:]
    assert "error" not in answers[0], answers[0]
    return [answer["result"] for answer in answers[1:]]


def shown(tree: Iterable[dict[str, Any]]) -> list[str]:
    """The labels of the dissector's part of a tree, in order."""

    def labels(items: Iterable[dict[str, Any]]) -> list[str]:
        return [label for item in items for label in (item["l"], *labels(item.get("n", ())))]

    return [label for item in tree if item.get("f") == "xenmig" for label in (item["l"], *labels(item.get("n", ())))]
