"""The Chromium that tests and screenshots drive."""

import os
import shutil

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
DRAW = "Promise.all([...places].map(draw)).then(() => null)"  # also the charts further down
