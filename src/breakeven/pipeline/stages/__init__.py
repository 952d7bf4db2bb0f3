"""The stages of the DVC pipeline, one in each file."""

import sys

from breakeven.core import interrupts

if sys.argv[:1] == ["-m"]:  # Python is about to run one of these modules, whose imports take seconds
    interrupts.handle("interrupted; `dvc repro` goes on")
