"""Ctrl-C and SIGTERM between two steps: from the middle of one no run could go on exactly."""

import signal
import threading
from types import FrameType

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.exceptions import SIGTERMException

AGREE_STEPS = 10
"""How often several processes ask each other whether one of them was interrupted."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Holds requests to end back until a step is done; a second Ctrl-C ends the run at once.

    Attributes:
        is_raised: whether one was passed on between two steps.
    """

    def __init__(self) -> None:
        self.is_raised = False
        self._pending = 0
        self._before: dict[signal.Signals, object] = {}

    def install(self) -> None:
        """Begin to hold back. In the main thread alone, as Python has it with signals."""
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._hold_back)

    def remove(self) -> None:
        """Let what was there before handle them."""
        while self._before:
            signal.signal(*self._before.popitem())  # type: ignore[arg-type]

    def raise_pending(self, trainer: pl.Trainer) -> None:
        """Pass on what was held back, in all processes after the same step.

        Args:
            trainer: which has just done a step.
        Raises:
            KeyboardInterrupt: for Ctrl-C.
            SIGTERMException: for SIGTERM.
        """
        number = self._pending
        if trainer.world_size > 1:
            if trainer.global_step % AGREE_STEPS:
                return
            pending = torch.tensor(number, device=trainer.strategy.root_device)
            number = int(trainer.strategy.reduce(pending, reduce_op="max"))
        if number:
            self.is_raised = True
            raise SIGTERMException if number == signal.SIGTERM else KeyboardInterrupt

    def _hold_back(self, number: int, frame: FrameType | None) -> None:
        if self._pending and number == signal.SIGINT:
            signal.default_int_handler(number, frame)
        self._pending = number
