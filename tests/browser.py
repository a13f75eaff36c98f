"""A headless Chromium for tests of pages, spoken to over pipes in its own protocol; tests skip without one.

No network port is opened and no driver is needed: two pipes carry JSON messages, each ended by a zero byte.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = (
    "chromium",
    "chromium-browser",
    "chromium-headless-shell",
    "chrome-headless-shell",
    "google-chrome",
    "google-chrome-stable",
)
# Chromium reads commands from descriptor 3 and writes answers to 4, whichever ours are.
WITH_PIPES = """
import fcntl, os, sys
reads, sends = (fcntl.fcntl(int(ours), fcntl.F_DUPFD, 10) for ours in sys.argv[1:3])
os.dup2(reads, 3)
os.dup2(sends, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
SECONDS = 60.0
"""The longest that the browser may take to answer."""


class Page:
    """A tab that keeps every message of the console and every request that it makes."""

    def __init__(self, sending: int, receiving: int) -> None:
        self._sending = sending
        self._receiving = receiving
        self._unread = b""
        self._number = 0
        self._session: str | None = None
        self.complaints: list[str] = []
        """Errors and warnings of the console, exceptions, and what the policy of the page refused."""
        self.requests: list[str] = []
        """Addresses of everything that was asked for."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser for something and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._sending, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return dict(answer["result"])

    def show(self, file: Path, width: int, height: int = 900, *, dark: bool = False) -> None:
        """Open a file in a window of this size, and wait until it is laid out."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media="", features=[scheme])
        self.call("Page.navigate", url=file.resolve().as_uri())
        until = time.monotonic() + SECONDS
        while self.value("location.protocol + document.readyState") != "file:complete":
            assert time.monotonic() < until, "the page was not loaded in time"
            time.sleep(0.02)

    def value(self, expression: str) -> Any:
        """The value of a JavaScript expression; promises are waited for."""
        result = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def picture(self, file: Path, *, whole: bool = True) -> None:
        """Write what is seen as PNG."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(shot["data"]))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            more = os.read(self._receiving, 1 << 20)
            assert more, "the browser ended"
            self._unread += more
        text, _, self._unread = self._unread.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        parameters = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
            case "Log.entryAdded" if parameters["entry"]["level"] in ("error", "warning"):
                self.complaints.append(parameters["entry"]["text"])
            case "Runtime.consoleAPICalled" if parameters["type"] in ("error", "warning", "assert"):
                self.complaints.append(str(parameters["args"]))
            case "Runtime.exceptionThrown":
                self.complaints.append(str(parameters["exceptionDetails"]))
        return message


def find_chromium() -> str:
    """The path of a Chromium; without one the test is skipped."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    return pytest.skip(f"needs a Chromium: none of {', '.join(NAMES)} is on the path")


@contextmanager
def chromium(profile: Path) -> Iterator[Page]:
    """A page of a headless Chromium that ends with the block; its profile is kept in an empty folder."""
    there_reads, here_sends = os.pipe()
    here_reads, there_sends = os.pipe()
    options = [
        "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-extensions",
        "--disable-background-networking", "--disable-component-update", "--no-first-run",
        "--disable-dev-shm-usage", "--hide-scrollbars", f"--user-data-dir={profile}",
    ]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", WITH_PIPES, str(there_reads), str(there_sends), find_chromium(), *options],
        pass_fds=(there_reads, there_sends),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(profile)},
    )
    os.close(there_reads)
    os.close(there_sends)
    try:
        yield Page(here_sends, here_reads)
    finally:
        os.close(here_sends)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(here_reads)
