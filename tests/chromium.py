"""A headless Chromium, driven by the DevTools protocol over a pipe: what it loads, complains about and shows."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

PROGRAM = shutil.which("chromium")
PATIENCE = 60
"Seconds until an answer must have come."

requires_chromium = pytest.mark.skipif(
    PROGRAM is None and os.environ.get("CI") != "true", reason="chromium is not installed: make tools"
)
"For tests that look at a page in a browser. Continuous integration has one, so there its absence is a failure."

_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-extensions", "--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip


class Chromium:
    """One browser with one page."""

    def __init__(self, profile: Path) -> None:
        """Start it with an empty profile in the folder ``profile``."""
        assert PROGRAM is not None, "chromium is not installed: make tools"
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        # The browser takes commands from descriptor 3 and answers on 4.
        shuffle = f'exec "$0" "$@" 3<&{commands} 4>&{answers}'
        self._process = subprocess.Popen(
            ["bash", "-c", shuffle, PROGRAM, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(commands, answers),
        )
        os.close(commands)
        os.close(answers)
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        """End the browser."""
        self._session = None
        try:
            self.call("Browser.close")
            self._process.wait(10)
        except (OSError, AssertionError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        finally:
            os.close(self._commands)
            os.close(self._answers)

    def call(self, method: str, **parameters: Any) -> Any:
        """Send a command and return its result; what happens meanwhile goes into ``events``."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            found = self._receive()
            if found.get("id") == self._number:
                assert "error" not in found, (method, found["error"])
                return found["result"]
            self.events.append(found)

    def open(self, path: Path, *, width: int = 1280, dark: bool = False) -> None:
        """Show a file in a window ``width`` pixels wide; ``events`` begins anew."""
        self.events.clear()
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.wait_for("Page.loadEventFired")

    def wait_for(self, event: str) -> None:
        """Wait until something has happened."""
        while all(one.get("method") != event for one in self.events):
            self.events.append(self._receive())

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page; the page's own policy does not hold for it."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def screenshot(self) -> bytes:
        """The whole page as a PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"])

    @property
    def requests(self) -> list[str]:
        """The addresses of everything that was asked for since :meth:`open`, the page itself included."""
        return [one["params"]["request"]["url"] for one in self._of("Network.requestWillBeSent")]

    @property
    def complaints(self) -> list[str]:
        """What stands in the console: exceptions, violations of the page's policy, warnings, messages."""
        entries = [one["params"]["entry"]["text"] for one in self._of("Log.entryAdded")]
        thrown = [str(one["params"]["exceptionDetails"]) for one in self._of("Runtime.exceptionThrown")]
        return entries + thrown + [str(one["params"]["args"]) for one in self._of("Runtime.consoleAPICalled")]

    def _of(self, method: str) -> list[dict[str, Any]]:
        return [one for one in self.events if one.get("method") == method]

    def _receive(self) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], max(0, until - time.monotonic()))
            assert ready, f"chromium has not answered for {PATIENCE} seconds"
            more = os.read(self._answers, 1 << 20)
            assert more, "chromium has ended"
            self._buffer += more
        message, _, self._buffer = self._buffer.partition(b"\0")
        found = json.loads(message)
        assert isinstance(found, dict)
        return found
