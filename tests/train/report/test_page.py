"""The page of a run that was not exported."""

import base64
import csv
import html as html_entities
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from nst.infer.errors import UserError
from nst.models.checkpoints import LAST_CHECKPOINT
from nst.train.report.page import write_report
from tests.train.report.conftest import STEPS


def page_of(run: Path, photos: Sequence[Tensor]) -> str:
    path = write_report(run, photos=photos, device="two hamsters")
    assert path == run / "report.html"
    return path.read_text(encoding="utf-8")


def section(page: str, name: str) -> str:
    found = re.search(rf'<section id="{name}">.*?</section>', page, re.DOTALL)
    assert found is not None
    return found[0]


class Tags(HTMLParser):
    """All tags of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def pictures(page: str) -> dict[str, Image.Image]:
    """By their alternative text."""
    found: dict[str, Image.Image] = {}
    for tag, attributes in Tags(page).found:
        if tag == "img":
            _, data = (attributes["src"] or "").split(",")
            found[attributes["alt"] or ""] = Image.open(BytesIO(base64.b64decode(data)))
    return found


def test_nothing_is_loaded_from_elsewhere(run: Path, previewed: list[Tensor]) -> None:
    page = page_of(run, previewed)
    tags = Tags(page).found
    assert not {tag for tag, _ in tags} & {"script", "link", "iframe", "object", "use", "base"}
    for _, attributes in tags:
        assert not set(attributes) & {"href", "srcset", "xlink:href", "style", "onload"}
        assert (attributes.get("src") or "data:").startswith("data:image/jpeg;base64,"[:5])
    assert "://" not in page
    assert "@import" not in page
    assert "url(" not in page


def test_pictures_are_those_of_the_previews(run: Path, previewed: list[Tensor]) -> None:
    found = pictures(page_of(run, previewed))
    steps = [5, 10, 15, 25, 40]
    names = [f"Photo {photo} after step {step}" for photo in (1, 2, 3) for step in steps]
    assert set(found) == {"The painting", "Photo 1", "Photo 2", "Photo 3", *names}
    assert found["The painting"].size == (96, 72)
    strip = Image.open(run / "preview" / f"step_{STEPS:06d}.png")
    left = 0
    for number, photo in enumerate(previewed, start=1):
        height, width = photo.shape[1:]
        stylized = strip.crop((left, 0, left + width, height))
        below = strip.crop((left, strip.height // 2, left + width, strip.height // 2 + height))
        apart = distance(stylized, below)
        assert distance(found[f"Photo {number} after step {STEPS}"], stylized) < apart / 3
        assert distance(found[f"Photo {number}"], below) < apart / 3
        left += width


def distance(a: Image.Image, b: Image.Image) -> float:
    """Root mean square difference in levels of 255."""
    assert a.size == b.size
    difference = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    return float(np.sqrt(np.mean(difference**2)))


def test_charts_go_from_the_lowest_to_the_highest_value(run: Path, previewed: list[Tensor]) -> None:
    page = section(page_of(run, previewed), "losses")
    rows = list(csv.DictReader((run / "history.csv").read_text().splitlines()))
    assert [row["kind"] for row in rows] == ["loss", "loss", "knob", "knob"]
    for term in ("content", "style"):
        values = [float(row[term]) for row in rows]
        ends = [f"{value:.4g}" for value in (min(values), max(values), values[-1])]
        label = "{}: from {} to {}, {} at the end".format(term, *ends)
        assert f'aria-label="{label}"' in page
    titles = re.findall(r"<figcaption>([a-z ]+)", page)
    assert [title.split()[0] for title in titles] == [
        *("total", "content", "style", "stability", "grid", "learning")
    ]
    assert page.count('class="raw knob"') == 3  # neither stability nor grid is learned then
    assert page.count('class="smooth knob"') == 4 + 1  # with the learning rate and the key
    assert page.count('class="band"') == 6


def test_numbers_are_those_of_the_files(run: Path, previewed: list[Tensor]) -> None:
    page = page_of(run, previewed)
    state = torch.load(run / LAST_CHECKPOINT, weights_only=True)
    seconds = state["callbacks"]["RunFolder"]["seconds"]
    told = section(page, "run")
    assert f"{seconds:,.1f} s" in told
    assert f"<td>{STEPS}</td>" in told
    assert f"<td>{2 * STEPS}</td>" in told  # two photos in each step
    assert f"<td>{2 * STEPS / seconds:.2f}</td>" in told
    assert "two hamsters" in told
    assert "<td>3</td>" in told
    assert "48 px, 2 in each step" in told
    losses = state["nst"]["training"]["losses"]
    assert f"<b>{losses['style']:.4g}</b>" in page
    assert f"{(run / 'config.yaml').stat().st_size / 1000:.1f} kB" in section(page, "files")
    assert html_entities.escape((run / "config.yaml").read_text(), quote=False) in (
        page.replace("&#39;", "'").replace("&#34;", '"')
    )


def test_credit_and_settings(run: Path, previewed: list[Tensor]) -> None:
    page = page_of(run, previewed)
    assert "<h1>waves</h1>" in page
    assert "<p>Ann &amp; Bo, 1889</p>" in page
    found = re.findall(r"<code>(--[a-z._]+)</code></td><td><code>(.*?)<", section(page, "settings"))
    assert dict(found).pop("--content").endswith("photos")
    assert [setting for setting in found if setting[0] != "--content"] == [
        *[("--trainer.max_steps", "40"), ("--model.style_size", "96")],
        *[("--model.knob_share", "0.5"), ("--data.crop_px", "48"), ("--data.batch_size", "2")],
        *[("--data.workers", "0"), ("--run.preview_every", "5")],
    ]


def test_commands_can_be_typed(run: Path, previewed: list[Tensor]) -> None:
    lines = re.findall("<pre>(.*)</pre>", section(page_of(run, previewed), "next"))
    typed = [html_entities.unescape(line) for line in lines]
    assert f"nst-infer photo.jpg --style '{run}/waves.onnx'" in typed
    assert f"nst-train --resume '{run}' --trainer.max_steps 80" in typed
    assert f"nst-export '{run}' -o waves.onnx --strength" in typed
    assert any(line.startswith(f"nst-evaluate '{run}/waves.onnx' --style ") for line in typed)


def test_notes_are_shown_as_text(run: Path, previewed: list[Tensor]) -> None:
    bad = "<img src=x onerror=alert(1)> & 'more'"
    (run / "notes.txt").write_text(f"skipped: cannot read {bad}.jpg\nstep 9: {bad}\n")
    page = page_of(run, previewed)
    told = section(page, "run")
    assert html_entities.escape(f"cannot read {bad}.jpg", quote=False) in (
        told.replace("&#39;", "'")
    )
    assert html_entities.escape(f"step 9: {bad}", quote=False) in told.replace("&#39;", "'")
    assert "<td>1</td>" in told
    assert not any("onerror" in attributes for _, attributes in Tags(page).found)
    assert page.count("skipped: ") == 0


def test_notes_and_settings_that_are_no_text(run: Path, previewed: list[Tensor]) -> None:
    (run / "notes.txt").write_bytes(b"caf\xe9\n")
    (run / "config.yaml").write_bytes(b"\xff: [")
    page = page_of(run, previewed)
    assert "caf\\xe9" in section(page, "run")
    assert "\\xff: [" in section(page, "settings")


def test_what_is_missing_is_told(run: Path, previewed: list[Tensor]) -> None:
    for path in (run / "preview").iterdir():
        path.unlink()
    (run / "history.csv").unlink()
    (run / "config.yaml").unlink()
    page = page_of(run, previewed)
    assert "there are no previews" in section(page, "pictures")
    assert "too short" in section(page, "losses")
    assert "config.yaml is missing" in section(page, "settings")
    assert "there is no waves.onnx" in section(page, "numbers")
    assert list(pictures(page)) == ["The painting"]


def test_previews_of_other_photos_are_left_out(run: Path, previewed: list[Tensor]) -> None:
    page = page_of(run, previewed[:2])
    assert "there are no previews of these photos" in section(page, "pictures")
    assert "there are no previews" in section(page_of(run, []), "pictures")


def test_broken_previews_are_left_out(run: Path, previewed: list[Tensor]) -> None:
    (run / "preview" / "step_000005.png").write_bytes(b"no picture")
    (run / "preview" / "step_000099.png").write_bytes(b"of a part that was given up")
    names = set(pictures(page_of(run, previewed)))
    assert "Photo 1 after step 10" in names
    assert "Photo 1 after step 5" not in names


def test_values_that_are_no_numbers(run: Path, previewed: list[Tensor]) -> None:
    path = run / "history.csv"
    header, first, *rest = path.read_text().splitlines()
    cells = first.split(",")
    cells[4:7] = "nan", "inf", "0"
    path.write_text("\n".join([header, ",".join(cells), *rest]))
    page = section(page_of(run, previewed), "losses")
    assert "nan" not in page
    assert "inf" not in page
    assert "style: from 0 to " in page


def test_a_run_without_a_checkpoint(run: Path, previewed: list[Tensor]) -> None:
    (run / LAST_CHECKPOINT).unlink()
    with pytest.raises(UserError, match="no such file"):
        write_report(run, photos=previewed, device="cpu")
    assert not (run / "report.html").exists()
