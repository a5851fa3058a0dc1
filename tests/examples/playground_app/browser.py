"""The playground as a process, and a headless Chromium that looks at it."""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).parents[3]
ANSWERING = 60_000  # milliseconds
PHONE = {"width": 390, "height": 844}


@contextlib.contextmanager
def playground(*arguments, **environment):
    """Runs the program; yields its process and the page's address."""
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
        process.communicate(timeout=60)


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
        folder: `pathlib.Path`, where screenshots go.
        viewport: dict of width and height.
    """

    def __init__(self, browser, address, folder, viewport=None):
        self.page = browser.new_page(
            viewport=viewport or {"width": 1280, "height": 800}
        )
        self.page.set_default_timeout(ANSWERING)
        self.requests = []
        self.complaints = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)
        self._folder = folder
        self.page.goto(address)
        self.page.get_by_role("tab").first.wait_for()

    def _hear(self, message):
        if message.type == "error":
            self.complaints.append(message.text)

    def tabs(self):
        """Returns the names of all tabs."""
        return self.page.get_by_role("tab").all_inner_texts()

    def open(self, name):
        """Opens a tab, from the menu where there is no room for all."""
        tab = self.page.get_by_role("tab", name=name, exact=True)
        if not tab.is_visible():
            self.page.locator(".overflow-menu > button").click()
            tab = self.page.locator(".overflow-dropdown button", has_text=name)
        tab.click()

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

    def shoot(self, name):
        """Saves a screenshot."""
        self.page.screenshot(path=self._folder / f"{name}.png", full_page=True)
