"""Run as ``python -m tools.conformance``."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from tools.conformance.cli import main


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


# A terminated run has to stop its servers just as an interrupted one.
signal.signal(signal.SIGTERM, _interrupt)
sys.exit(main())
