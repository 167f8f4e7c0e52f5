import errno

import pytest

from nst.infer.errors import UserError, one_line, os_error_reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("a\nb", "a b"),
        ("a \r\n\n  b\n", "a b"),
        ("two  spaces stay", "two  spaces stay"),
        ("caf\u00e9 \U0001f408", "caf\u00e9 \U0001f408"),
        ("red \x1b[31m", "red \\x1b[31m"),
        ("undecodable \udc80", "undecodable \\udc80"),
        ("", ""),
    ],
)
def test_one_line(text: str, expected: str) -> None:
    assert one_line(text) == expected


def test_user_error_is_one_line() -> None:
    assert str(UserError("no\nway")) == "no way"


def test_os_error_reason_has_no_number_and_no_path() -> None:
    assert os_error_reason(OSError(errno.ENOSPC, "No space left on device", "a.jpg")) == (
        "No space left on device"
    )
    assert os_error_reason(OSError("only a message")) == "only a message"
    assert os_error_reason(OSError()) == "OSError"
