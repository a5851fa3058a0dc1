"""The playground as a process, and a headless Chromium that looks at it.

Between it and its server there may be a relay, by which the server seems to go.
"""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).parents[3]
ANSWERING = 60_000  # milliseconds
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


@contextlib.contextmanager
def playground(*arguments, **environment):
    """Runs the program; yields its process and the page's address.

    It ends by SIGTERM unless it has ended, and must have written no error.
    """
    process = subprocess.Popen(
        [sys.executable, "examples/playground.py", "--port=0", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    try:
        printed = ""
        while not (page := re.search(r"http://\S+", printed)):
            printed = process.stdout.readline()
            assert printed, process.stderr.read()
        yield process, page[0]
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")


class Relay:
    """A port of this machine that passes on what comes for a server, while it is open.

    Args:
        target: `host:port` of the server.

    Attributes:
        address: `host:port`, the same each time it is open.
    """

    def __init__(self, target):
        host, port = target.split(":")
        self._target = host, int(port)
        self._port = 0
        self.open()
        self.address = f"127.0.0.1:{self._port}"

    def open(self):
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._port = self._listener.getsockname()[1]
        self._sockets = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        """Ends all connections, and takes no others."""
        for end in self._sockets:
            with contextlib.suppress(OSError):  # has ended
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self):
        with contextlib.suppress(OSError):  # closed
            while True:
                near, far = self._listener.accept()[0], socket.socket()
                far.connect(self._target)
                self._sockets += [near, far]
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=_pass_on, args=ends, daemon=True).start()


def _pass_on(source, sink):
    with contextlib.suppress(OSError):  # closed
        while some := source.recv(65_536):
            sink.sendall(some)


@contextlib.contextmanager
def chromium():
    """Yields a headless Chromium of the system, or skips the test, saying why."""
    pytest.importorskip("gradio")
    sync_api = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no Chromium is installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox"],  # which root needs
        )
        yield browser
        browser.close()


class Page:
    """A page of the playground, as someone at it sees and uses it.

    Args:
        browser: as `chromium` yields it.
        address: of the page.
    """

    def __init__(self, browser, address):
        self.page = browser.new_page(viewport=DESK)
        self.page.set_default_timeout(ANSWERING)
        self.requests = []
        self.complaints = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)
        self.page.goto(address)
        self.page.get_by_role("tab").first.wait_for()
        # A tab is built when it is first opened, and forgets what is typed meanwhile.
        for name in reversed(self.tabs()):
            self.open(name)
            self.page.get_by_role("tabpanel").locator(".prose").first.wait_for()

    def _hear(self, message):
        if message.type == "error":
            self.complaints.append(message.text)

    def tabs(self):
        """Returns the names of all tabs."""
        return self.page.get_by_role("tab").all_inner_texts()

    def open(self, name):
        """Opens a tab, from the menu where there is no room for all."""
        tab = self.page.get_by_role("tab", name=name, exact=True)
        in_menu = self.page.locator(".overflow-dropdown button", has_text=name)
        if not tab.is_visible():
            self.page.locator(".overflow-menu > button").click()
        # It may have moved from the one to the other meanwhile.
        tab.or_(in_menu).locator("visible=true").click()
        self.page.get_by_role("tab", name=name, exact=True, selected=True).wait_for()

    def seen(self, selector):
        """Returns what is visible of a selector."""
        return self.page.locator(selector).locator("visible=true")

    def type(self, label, text, key=None):
        """Replaces the text of the visible box with a label, and presses a key."""
        box = self.page.get_by_label(label).locator("visible=true").first
        box.fill(text)
        if key:
            box.press(key)

    def click(self, name):
        """Clicks the visible button of a name."""
        button = self.page.get_by_role("button", name=name, exact=True)
        button.locator("visible=true").click()

    def texts(self, selector, expected=None):
        """Returns the texts of a selector, once they are as expected or time is up.

        Where nothing is expected it returns them once there are any.
        """
        found = self.page.locator(selector)
        if expected is None:
            found.first.wait_for()
        end = time.monotonic() + ANSWERING / 1000
        while (texts := found.all_inner_texts()) != expected:
            if expected is None or time.monotonic() > end:
                break
            self.page.wait_for_timeout(100)
        return texts

    def wrong(self, beginning):
        """Returns the lines that say what is wrong, once there is one like that."""
        lines = self.seen(".wrong")
        lines.filter(has_text=beginning).wait_for()
        return lines.all_inner_texts()

    def contrast(self, selector):
        """Returns the ratio of luminances of a visible text and of what is behind."""
        return self.seen(selector).first.evaluate(CONTRAST)


# As WCAG defines it, of colours without transparency.
CONTRAST = """(element) => {
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const text = luminance(getComputedStyle(element).color);
  const clear = 'rgba(0, 0, 0, 0)';
  let behind = element;
  while (getComputedStyle(behind).backgroundColor === clear)
    behind = behind.parentElement;
  const ground = luminance(getComputedStyle(behind).backgroundColor);
  return Math.max(text, ground) / Math.min(text, ground);
}"""
