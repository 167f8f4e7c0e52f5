"""What the terminal shows while ``nst-optimize`` works."""

from nst.train.live_line import PhotoWork, Work
from nst.train.optimize.coarse_to_fine import Moment


class DescentProgress(Work):
    """Step, size, losses, steps per second, time left."""

    def show(self, moment: Moment) -> None:
        """Say where the optimisation is."""
        self.advance(moment.step)
        height, width = moment.picture.shape[-2:]

        def text(wide: bool) -> str:
            total, content, style = (float(term) for term in moment.terms[:3])
            parts = f" (content {content:.4g}, style {style:.4g})" if wide else ""
            return (
                f"step {self.done}/{self.total}  {width}x{height}  loss {total:.4g}{parts}  "
                f"{self.per_second:.1f} steps/s  {self.time_left} left"
            )

        self.line.update(self.done / self.total, text)

    def summary(self) -> str:
        """For the line at the end: steps and seconds."""
        return f"{self.done} steps  {self.elapsed_s:.0f} s"


class SurveyProgress(PhotoWork):
    """Photos looked at, photos per second, time left."""

    def show(self, photos: int) -> None:
        """Say how many photos have been looked at."""
        self.advance(photos)
        self.line.update(
            photos / self.total,
            lambda _: (
                f"{photos}/{self.total} photos  {self.per_second:.1f} photos/s  "
                f"{self.time_left} left"
            ),
        )

    def summary(self) -> str:
        """For the line at the end: photos and seconds."""
        return f"{self.done - self.skipped} photos  {self.elapsed_s:.0f} s"
