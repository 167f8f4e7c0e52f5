from pathlib import Path

import pytest

from nst.infer.errors import UserError
from nst.train.commands.arguments import read_request


def test_a_pattern_that_the_shell_has_left_is_replaced(tmp_path: Path) -> None:
    for name in ("b.jpg", "a.jpg", "c.png", "[d].jpg"):
        (tmp_path / name).touch()
    request = read_request(["--style", str(tmp_path / "?.jpg"), str(tmp_path / "[d].jpg")])
    expected = tuple(str(tmp_path / name) for name in ("a.jpg", "b.jpg", "[d].jpg"))
    assert request.styles == expected


def test_a_pattern_that_nothing_matches(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no painting .*none\*: no file matches"):
        read_request(["--style", str(tmp_path / "none*")])
