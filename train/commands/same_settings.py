"""Whether a run that is there is the one that is asked for."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from nst.infer.errors import UserError
from nst.models.checkpoints import ENTRY, LAST_CHECKPOINT
from nst.models.tensor_files import read_tensor_file
from nst.train.callbacks.run_files import CONFIG
from nst.train.painting import refuse_other_painting

SECTIONS = ("model", "data")
WITHOUT_EFFECT = frozenset({"model.style", "model.compile", "data.workers", "data.cache"})
"""On the network; the painting itself is compared, not its name."""
PATHS = frozenset({"data.content"})


def refuse_other_settings(
    folder: Path, wanted: Mapping[str, Any], *, style: Path, apart_from: frozenset[str]
) -> None:
    """Refuse to take a finished run for one with other settings, or of another painting.

    Args:
        folder: of the run.
        wanted: settings by section and name.
        style: the painting.
        apart_from: settings in which they may differ, such as model.style_strength.
    Raises:
        UserError: if it is another one, or cannot be read.
    """
    anew = "--run.overwrite true trains anew, another --out beside it"
    try:
        there = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
        names = sorted(differing(there, wanted) - WITHOUT_EFFECT - apart_from)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise UserError(f"cannot read the settings of the run in {folder}: {anew}") from error
    if names:
        raise UserError(f"{folder} holds a run with other settings ({', '.join(names)}): {anew}")
    about = read_tensor_file(folder / LAST_CHECKPOINT)[ENTRY]
    size_px = about["training"]["style_size_px"]
    refuse_other_painting(style, about["painting"], long_side_px=size_px)


def differing(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> set[str]:
    """Names of settings, as ``section.name``, in which two runs differ."""
    before = dict(named(there))
    return {name for name, value in named(wanted) if value != before.get(name)}


def named(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Settings by ``section.name``; folders as absolute paths."""
    for section in SECTIONS:
        for key, value in settings[section].items():
            name = f"{section}.{key}"
            yield name, str(Path(value).resolve()) if name in PATHS else value
