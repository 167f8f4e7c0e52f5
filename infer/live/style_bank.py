"""Styles kept open, so that the next one is there at once."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nst.infer.errors import UserError
from nst.infer.styles import NamedStyle
from nst.infer.stylizer import Stylizer

Size = tuple[int, int]

LEAVE_S = 1.0
"""How long the thread has to end: a network that is being opened cannot be stopped."""


class Setting(NamedTuple):
    """How frames are to be stylized.

    Attributes:
        style: its number.
        strength: 0 to 1.
        size: width and height that the network works at.
    """

    style: int
    strength: float
    size: Size


class StyleBank:
    """Opens styles in a thread of its own, and runs each once before it is needed.

    Devices compile for a new style, and some for a new strength or size too: that would stop the
    picture. All styles are opened; what is wanted and the two styles beside it have been run.

    Args:
        styles: at least one. The first is opened at once.
        open_style: makes a stylizer of the file of a style.
    Raises:
        UserError: if the first one cannot be opened.
    """

    def __init__(
        self, styles: Sequence[NamedStyle], open_style: Callable[[Path], Stylizer]
    ) -> None:
        self.styles = styles
        self._open_style = open_style
        self._opened = {0: open_style(styles[0].path)}
        self._ready: set[Setting] = set()
        self._open_errors: dict[int, str] = {}
        self._run_errors: dict[Setting, str] = {}
        self._bug: BaseException | None = None
        self._wanted: Setting | None = None
        self._running = False
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._prepare_all, name="nst-styles", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the thread is running a network, which takes time from the one that is shown."""
        return self._running

    def want(self, setting: Setting) -> None:
        """Say what is to be shown next; if it is something else, failed runs are tried again."""
        with self._changed:
            if setting != self._wanted:
                self._run_errors.clear()
            self._wanted = setting
            # Stylizers keep a few strengths alone: another one may have to be opened again.
            self._ready = {each for each in self._ready if each.strength == setting.strength}
            self._changed.notify_all()

    def ready(self, setting: Setting) -> Stylizer | None:
        """The stylizer of a setting, once it has run at this strength and size; None before."""
        with self._changed:
            self._raise_bug()
            return self._opened[setting.style] if setting in self._ready else None

    def wait_for(self, setting: Setting) -> Stylizer:
        """Want a setting, and wait until it is ready.

        Raises:
            UserError: if it cannot be.
        """
        self.want(setting)
        with self._changed:
            self._changed.wait_for(
                lambda: setting in self._ready or self.error(setting) or self._bug
            )
            self._raise_bug()
            if error := self.error(setting):
                raise UserError(error)
            return self._opened[setting.style]

    def error(self, setting: Setting) -> str:
        """Why a setting cannot be used, "" if nothing is known against it."""
        return self._open_errors.get(setting.style, "") or self._run_errors.get(setting, "")

    def close(self) -> None:
        """End the thread. May be called more than once."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(LEAVE_S)

    def _raise_bug(self) -> None:
        if self._bug is not None:
            raise self._bug

    def _prepare_all(self) -> None:
        while (task := self._wait_for_task()) is not None:
            try:
                self._prepare(task)
            except UserError as error:
                self._note(task, error)
            except BaseException as error:  # noqa: BLE001 # raised again by who wants a style
                self._bug = error
            with self._changed:
                self._changed.notify_all()

    def _note(self, task: Setting, error: UserError) -> None:
        """Keep what failed: a style that was opened may run at another size or strength."""
        with self._changed:
            if task.style in self._opened:
                self._run_errors[task] = str(error)
            else:
                self._open_errors[task.style] = str(error)

    def _wait_for_task(self) -> Setting | None:
        """What to prepare next; None when there is nothing more to do at all."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._bug or self._next() is not None)
            return None if self._closing or self._bug else self._next()

    def _next(self) -> Setting | None:
        """What to prepare now: what is wanted, the styles beside it, then the others."""
        if self._wanted is None:
            return None
        for setting in self._in_order(self._wanted):
            beside = abs(setting.style - self._wanted.style) in (0, 1, len(self.styles) - 1)
            done = setting in self._ready if beside else setting.style in self._opened
            if not done and not self.error(setting):
                return setting
        return None

    def _in_order(self, wanted: Setting) -> Iterator[Setting]:
        number = len(self.styles)
        for away in range(number // 2 + 1):
            for step in (away, -away):
                yield wanted._replace(style=(wanted.style + step) % number)

    def _prepare(self, setting: Setting) -> None:
        if setting.style not in self._opened:
            self._opened[setting.style] = self._open_style(self.styles[setting.style].path)
            return
        stylizer = self._opened[setting.style]
        width, height = own_size(stylizer, setting.size)
        self._running = True
        try:
            stylizer(np.zeros((height, width, 3), np.uint8), strength=setting.strength)
        finally:
            self._running = False
        with self._changed:
            if self._wanted is not None and setting.strength == self._wanted.strength:
                self._ready.add(setting)


def own_size(stylizer: Stylizer, size: Size) -> Size:
    """The size that a stylizer works at: the one that is wanted, or the only one it takes."""
    width, height = stylizer.fixed_size
    return width or size[0], height or size[1]
