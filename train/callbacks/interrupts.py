"""Ctrl-C, SIGTERM and SIGHUP between two steps: from within one no run could go on exactly."""

import signal
from contextlib import ExitStack
from types import FrameType

from pytorch_lightning.utilities.exceptions import SIGTERMException

from nst.train.signals import handling


class Interrupts:
    """Holds requests to end back until a step is done; a second Ctrl-C ends the run at once.

    Attributes:
        pending: number of the signal that was held back; 0 for none.
        is_raised: whether one was passed on between two steps.
    """

    def __init__(self) -> None:
        self.is_raised = False
        self.pending = 0
        self._handled = ExitStack()

    def install(self) -> None:
        """Begin to hold back."""
        self._handled.enter_context(handling(self._hold_back))

    def remove(self) -> None:
        """Let what was there before handle them."""
        self._handled.close()

    def pass_on(self, number: int) -> None:
        """Raise what was held back, in this process or in another one.

        Args:
            number: of the signal; 0 for none.
        Raises:
            KeyboardInterrupt: for Ctrl-C.
            SIGTERMException: for SIGTERM and SIGHUP.
        """
        if number:
            self.is_raised = True
            raise KeyboardInterrupt if number == signal.SIGINT else SIGTERMException

    def _hold_back(self, number: int, frame: FrameType | None) -> None:
        if self.pending and number == signal.SIGINT:
            signal.default_int_handler(number, frame)
        self.pending = number
