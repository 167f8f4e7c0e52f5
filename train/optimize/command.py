"""What ``nst-optimize`` does: paint a picture, draw an atlas, show units."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from torch import Tensor

from nst.infer.command_line import EXIT_INTERRUPTED, print_line, terminate_as_interrupt
from nst.infer.errors import UserError
from nst.infer.pictures.colors import keep_colors
from nst.infer.pictures.images import on_white, read_image, write_image
from nst.models import LossForm, VGGFeatures, VGGPadding
from nst.train.errors import failed_work, wrong_settings
from nst.train.optimize.atlas import CONTENT_LAYERS, STYLE_LAYERS, render_atlas
from nst.train.optimize.coarse_to_fine import CoarseToFine, Moment, Pictures, plan_scales
from nst.train.optimize.film import Film, film_strip, write_video
from nst.train.optimize.jobs import CONTENT, NOISE, PAINTING, AtlasJob, PaintJob, UnitsJob
from nst.train.optimize.objective import ObjectiveSettings
from nst.train.optimize.progress import DescentProgress, SurveyProgress
from nst.train.optimize.units import choose_units, draw_units, receptive_field, survey_photos
from nst.train.painting import shrunk_size, to_picture
from nst.train.vgg_choice import VGGChoice
from nst.train.vgg_loading import FEATURES, GRADIENTS, load_vgg, refuse_large_pictures

PADDING: dict[LossForm, VGGPadding] = {
    "relative": "reflect",
    "gatys": "zeros",
    "course": "zeros",
    "johnson": "zeros",
}
"""The forms from the literature pad their VGG as the literature does."""


def paint(job: PaintJob, choice: VGGChoice) -> int:
    """Optimise one picture and write it, its snapshots, the film strip and the video.

    Returns:
        The exit status: 0, or 130 when interrupted; the best picture so far is written then too.
    Raises:
        UserError: for every mistake of the user.
    """
    with wrong_settings():
        settings = settings_of(job)
        vgg = load_vgg(settings.layers, choice, padding=PADDING[settings.form])
        run = prepare(job, settings, vgg)
    check_sizes(run)
    film = Film(job.snapshots, every=job.every)

    def on_moment(moment: Moment) -> None:
        progress.show(moment)
        if film.is_due(moment.step):
            film.add(moment.step, as_picture(moment.picture, job, run))

    run.on_moment = on_moment
    with failed_work(), DescentProgress(job.descending.steps) as progress:
        interrupted = is_interrupted(run)
    if run.descent is None:
        return EXIT_INTERRUPTED
    result = as_picture(run.descent.best, job, run)
    film.add(progress.done, result)
    write_image(result, job.out)
    write_image(film_strip(film.snapshots), job.strip)
    if job.video:
        write_video(film.snapshots, job.film)
    size, loss = f"{result.width}x{result.height}", run.descent.clamped_loss()
    print_line(f"{job.out}  {size}  loss {loss:.4g}  {progress.summary()}")
    return EXIT_INTERRUPTED if interrupted else 0


def settings_of(job: PaintJob) -> ObjectiveSettings:
    """The objective that the user asked for."""
    return ObjectiveSettings(
        form=job.descending.form,
        content_layers=job.content_layers,
        style_layers=job.style_layers,
        style_layer_weights=job.style_layer_weights,
        content_weight=job.content_weight,
        style_weight=job.style_weight,
        tv_weight=job.tv_weight,
    )


def prepare(job: PaintJob, settings: ObjectiveSettings, vgg: VGGFeatures) -> CoarseToFine:
    """Read the pictures and plan the scales.

    Raises:
        UserError: if a picture cannot be read.
        ValueError: if the scales do not fit.
    """
    photo, paintings = read(job.photo), [read(path) for path in job.paintings]
    if settings.balance.style_weight and not paintings:
        raise UserError("give at least one painting, or --style-weight 0")
    weights = job.painting_weights or [1.0] * len(paintings)
    size_px = min(job.size_px, max(photo.size))
    return CoarseToFine(
        Pictures(
            content=photo,
            paintings=list(zip(paintings, weights, strict=True)),
            start=first_picture(job, settings, photo, paintings),
            style_scale=(job.style_size_px or size_px) / size_px,
        ),
        settings,
        vgg=vgg,
        scales=plan_scales(size_px, steps=job.descending.steps, scales=job.scales),
        optimizer=job.descending.optimizer,
        seed=job.descending.seed,
    )


def first_picture(
    job: PaintJob,
    settings: ObjectiveSettings,
    photo: Image.Image,
    paintings: Sequence[Image.Image],
) -> Image.Image | None:
    """What the optimisation begins with, None for noise.

    By itself noise where one weight is 0: the photo has no content loss to lower, and would show
    in a texture.
    """
    start = job.start or (CONTENT if all(settings.balance) else NOISE)
    if start == PAINTING and not paintings:
        raise UserError("--start painting needs a painting")
    if start == PAINTING:
        return paintings[0]
    if start in (CONTENT, NOISE):
        return photo if start == CONTENT else None
    return read(Path(start))


def check_sizes(run: CoarseToFine) -> None:
    """Refuse pictures that are too small for the VGG, or too large for the memory.

    Raises:
        UserError: naming the size.
    """
    least_px = run.vgg.min_side_px(run.settings.layers)
    coarsest, finest = run.scales[0], run.scales[-1]
    content = run.pictures.content
    painting_px = run.painting_size_px(coarsest)
    paintings = [painting for painting, _ in run.pictures.paintings]
    for name, picture, size_px in (
        ("photo", content, coarsest.long_side_px),
        *(("painting", painting, painting_px) for painting in paintings),
    ):
        side = min(shrunk_size(picture, size_px))
        if min(picture.size) < least_px:
            raise UserError(
                f"the {name} is {picture.width}x{picture.height} px and needs {least_px} px on "
                "each side: use a larger one"
            )
        if side < least_px:
            raise UserError(
                f"the {name} is {side} px wide or high at the coarsest scale and needs {least_px}: "
                "use a larger --size, or fewer --scales"
            )
    refuse_large_pictures(run.vgg, shrunk_size(content, finest.long_side_px), GRADIENTS)
    for painting in paintings:
        size = shrunk_size(painting, run.painting_size_px(finest))
        refuse_large_pictures(run.vgg, size, FEATURES, flag="--style-size")


def as_picture(image: Tensor, job: PaintJob, run: CoarseToFine) -> Image.Image:
    """(1, 3, H, W) as it is shown, in the colours of the photo if that is asked for."""
    picture = to_picture(image[0])
    if not job.keep_colors:
        return picture
    photo = run.pictures.content.resize(picture.size, Image.Resampling.LANCZOS)
    return keep_colors(picture, photo)


def is_interrupted(run: CoarseToFine) -> bool:
    """Run to the end, or to Ctrl-C, or to SIGTERM."""
    try:
        with terminate_as_interrupt():
            run.run()
    except KeyboardInterrupt:
        return True
    return False


def draw_atlas(job: AtlasJob, choice: VGGChoice) -> int:
    """Write what each block of the VGG keeps. Returns the exit status.

    Raises:
        UserError: for every mistake of the user.
    """
    photo, painting = read(job.photo), read(job.painting)
    layers = [*CONTENT_LAYERS, *STYLE_LAYERS]
    with wrong_settings():
        vgg = load_vgg(layers, choice, padding=PADDING[job.descending.form])
    for picture, path in ((photo, job.photo), (painting, job.painting)):
        size_px = shrunk_size(picture, job.size_px)
        refuse_large_pictures(vgg, size_px, GRADIENTS)
        if min(size_px) < vgg.min_side_px(layers):
            raise UserError(f"{path} is too narrow for the deepest layer: use a larger --size")
    with failed_work(), DescentProgress(job.descending.steps * len(layers)) as progress:
        atlas = render_atlas(
            photo,
            painting,
            vgg=vgg,
            form=job.descending.form,
            optimizer=job.descending.optimizer,
            long_side_px=job.size_px,
            steps=job.descending.steps,
            seed=job.descending.seed,
            on_moment=progress.show,
        )
    write_image(atlas, job.out)
    print_line(f"{job.out}  {atlas.width}x{atlas.height}  {progress.summary()}")
    return 0


def show_units(job: UnitsJob, choice: VGGChoice) -> int:
    """Write the patches that excite nine units of a layer most. Returns the exit status.

    Raises:
        UserError: for every mistake of the user.
    """
    if not job.layer.startswith("relu"):
        raise UserError(f"--units takes a layer such as relu3_1, not {job.layer}")
    with wrong_settings():
        vgg = load_vgg([job.layer], choice)
    with failed_work():
        with SurveyProgress(len(job.photos)) as progress:
            survey = survey_photos(
                job.photos,
                vgg=vgg,
                layer=job.layer,
                short_side_px=job.short_side_px,
                on_photo=progress.show,
                on_unusable=progress.skip,
            )
        sheet = draw_units(
            survey.strongest,
            choose_units(survey),
            job.photos,
            field=receptive_field(job.layer, vgg.arch),
            short_side_px=job.short_side_px,
        )
    write_image(sheet, job.out)
    print_line(f"{job.out}  {job.layer}  {progress.summary()}")
    return 0


def read(path: Path) -> Image.Image:
    """A picture file in RGB, transparency on white."""
    return on_white(read_image(path))
