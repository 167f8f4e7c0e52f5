"""Frames of a camera to stylized frames, in a style that may change at any time."""

from nst.infer.engine.frames import Frame
from nst.infer.live.resize import resized
from nst.infer.live.style_bank import Setting, Size, StyleBank, own_size
from nst.infer.live.working_size import WorkingSize
from nst.infer.steady import Steadier
from nst.infer.stylizer import Stylizer

STRENGTH_STEP = 0.1


class Painter:
    """Stylizes in one style until the next is ready.

    Args:
        bank: has the styles; closed by ``close``.
        strength: to begin with, 0 to 1.
        hold_fps: frames per second to hold with a smaller picture; None always works at full size.
        steady: how much frames are averaged over time, 0 to 1.
    """

    def __init__(
        self,
        bank: StyleBank,
        *,
        strength: float = 1.0,
        hold_fps: float | None = None,
        steady: float = 0.0,
    ) -> None:
        self._bank = bank
        self._hold_fps, self._steady = hold_fps, steady
        self._style, self._strength = 0, strength
        self._frame_size: Size | None = None
        self._working: WorkingSize | None = None
        self._asked: Setting | None = None
        self._shown: Setting | None = None
        self._stylizer: Stylizer | None = None
        self._steadier = Steadier(steady)

    @property
    def style(self) -> str:
        """Name of the style that is shown."""
        return self._bank.styles[0 if self._shown is None else self._shown.style].name

    @property
    def strength(self) -> float:
        """The strength that was asked for."""
        return self._strength

    @property
    def size(self) -> Size | None:
        """Width and height at which frames are stylized; None before the first."""
        if self._stylizer is None or self._shown is None:
            return None
        return own_size(self._stylizer, self._shown.size)

    @property
    def state(self) -> str:
        """Why what was asked for is not shown yet; "" if it is."""
        if self._frame_size is None or self._shown is None:
            return ""
        wanted = self._wanted(self._frame_size)
        if error := self._bank.error(wanted):
            return error
        name = self._bank.styles[wanted.style].name
        return "" if self._shown[:2] == wanted[:2] else f"loading {name} at {wanted.strength:.0%}"

    def change_style(self, step: int) -> None:
        """Go on to the next style, or back with -1."""
        self._style = (self._style + step) % len(self._bank.styles)

    def change_strength(self, step: int) -> None:
        """Go up by a tenth of full strength, or down with -1."""
        self._strength = min(1.0, max(0.0, round(self._strength + step * STRENGTH_STEP, 2)))

    def __call__(self, frame: Frame) -> Frame:
        """Stylize a frame.

        Args:
            frame: (H, W, 3), uint8, RGB.
        Returns:
            The same size.
        Raises:
            UserError: if the style cannot be run.
        """
        height, width = frame.shape[:2]
        stylizer, setting = self._newest_ready((width, height))
        seen = resized(frame, own_size(stylizer, setting.size))
        stylized = self._steadier(seen, stylizer(seen, strength=setting.strength))
        return resized(stylized, (width, height))

    def observe(self, busy_s: float, now_s: float) -> None:
        """Say how long the last frame took in all, see ``WorkingSize.observe``."""
        if self._working is None or self._shown is None or self._bank.running:
            return
        if self._shown.size == self._working.size:
            self._working.observe(busy_s, now_s)

    def close(self) -> None:
        """Close the bank."""
        self._bank.close()

    def _newest_ready(self, frame_size: Size) -> tuple[Stylizer, Setting]:
        """What was asked for if it is ready, else what was shown before."""
        wanted = self._wanted(frame_size)
        if self._stylizer is None or self._shown is None:
            return self._show(self._bank.wait_for(wanted), wanted)
        if wanted != self._asked:
            self._asked = wanted
            self._bank.want(wanted)
        if self._working and self._size_fails(wanted, self._shown):
            self._working.refuse()
        stylizer = self._bank.ready(wanted) if wanted != self._shown else None
        if stylizer is None:
            return self._stylizer, self._shown
        return self._show(stylizer, wanted)

    def _size_fails(self, wanted: Setting, shown: Setting) -> bool:
        """Whether what is shown cannot be run at another size."""
        return wanted[:2] == shown[:2] and wanted != shown and bool(self._bank.error(wanted))

    def _wanted(self, frame_size: Size) -> Setting:
        if frame_size != self._frame_size:
            self._frame_size = frame_size
            self._working = WorkingSize(self._hold_fps, frame_size) if self._hold_fps else None
        size = self._working.size if self._working else frame_size
        return Setting(self._style, self._strength, size)

    def _show(self, stylizer: Stylizer, setting: Setting) -> tuple[Stylizer, Setting]:
        if self._shown is None or self._shown[::2] != setting[::2]:
            self._steadier = Steadier(self._steady)
        self._stylizer, self._shown = stylizer, setting
        return stylizer, setting
