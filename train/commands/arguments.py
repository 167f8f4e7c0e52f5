"""What is typed, before Lightning's command line reads it.

Lightning's command line makes one interface of three: a typed argument of
``StyleTransferSystem``, ``PhotoDataModule``, ``RunFolder`` or Lightning's ``Trainer`` is a flag is
a YAML key (``--model.style``, ``--data.content``, ``--run.out``, ``--trainer.max_steps``). The
short names stand for the flags that everybody needs. The flags that ask for something else than one
run are taken out here.
"""

import argparse
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

from nst.configs import config_names, config_path
from nst.infer.errors import UserError
from nst.infer.files import readable, require_file
from nst.infer.jobs.inputs import is_pattern, matching

SHORT_NAMES = {
    "--style": "--model.style",
    "--net": "--model.net",
    "--warm-start": "--model.warm_start",
    "--content": "--data.content",
    "--out": "--run.out",
}
HELP_ALL = "--help-all"
HELP = frozenset({"-h", "--help", HELP_ALL})
OWN_FLAGS = ("--resume", "--dry-run", "--try-strengths")
DESCRIPTION = """Train a style on one painting:

  nst-train --style painting.jpg
  nst-train --style painting.jpg --content photos/ --config quality --out runs/painting
  nst-train --resume runs/painting        go on where a run was interrupted; with --style, begin
                                          one if there is none yet
  nst-train --style paintings/*.jpg       one run for each, in folders of --out (default: runs);
                                          again, it goes on with those that are not finished
  nst-train --style painting.jpg --dry-run                  settings, speed, time, memory, disk
  nst-train --style painting.jpg --try-strengths 0.5,1,2    short runs and one picture of them

Short names: --style is --model.style, --net is --model.net, --warm-start is --model.warm_start,
--content is --data.content, --out is --run.out. --config takes a YAML file or the name of one that
comes with nst. --help-all shows what else Lightning's trainer can be told.
"""


@dataclass(frozen=True)
class Request:
    """What the user wants.

    Attributes:
        styles: paintings that were named with --style, in order.
        is_several: whether each gets a run in a folder of its own, as those of a pattern do.
        resume: folder of a run that is to go on.
        dry_run: tell settings, memory and time, and train nothing.
        strengths: of the style, for short runs.
        rest: what Lightning's command line reads.
    """

    styles: tuple[str, ...]
    is_several: bool
    resume: Path | None
    dry_run: bool
    strengths: tuple[float, ...]
    rest: tuple[str, ...]

    def settings(self, *more: str) -> list[str]:
        """The arguments of a run, for Lightning's command line; ``more`` come last and win.

        Raises:
            UserError: if --config names neither a file nor settings that come with nst.
        """
        styles = [f"--style={style}" for style in self.styles]
        return expand([*self.rest, *styles, *more])


class _Parser(argparse.ArgumentParser):
    """Raises instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (see nst-train --help)")


def read_request(arguments: Sequence[str]) -> Request:
    """Take out the flags that Lightning's command line does not know.

    Args:
        arguments: as typed.
    Raises:
        UserError: if they do not fit.
    """
    parser = _Parser(add_help=False, allow_abbrev=False, argument_default=None)
    parser.add_argument("--style", nargs="+", action="extend", default=[])
    parser.add_argument("--resume", type=Path)
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--try-strengths", type=strengths_from, default=())
    known, rest = parser.parse_known_args(list(arguments))
    has_pattern = any(map(is_pattern, known.style))
    known.style = [style for word in known.style for style in paintings(word)]
    if known.resume and len(known.style) > 1:
        raise UserError("--resume is for one run at a time: name one painting, or none")
    if known.try_strengths and (known.resume or known.dry_run or len(known.style) > 1):
        raise UserError("--try-strengths is for one painting: leave out --resume and --dry-run")
    if known.dry_run and len(known.style) > 1:
        raise UserError("--dry-run is for one painting at a time")
    one_run = known.resume or known.dry_run or known.try_strengths
    return Request(
        tuple(known.style),
        len(known.style) > 1 or (has_pattern and not one_run),
        known.resume,
        known.dry_run,
        known.try_strengths,
        tuple(rest),
    )


def refuse_missing_painting(request: Request) -> None:
    """Say so of a single painting before the seconds that PyTorch takes to load.

    Raises:
        UserError: if it is no file, and no help was asked for.
    """
    if len(request.styles) == 1 and not HELP.intersection(request.rest):
        require_file(Path(request.styles[0]))


def paintings(word: str) -> list[str]:
    """What follows ``--style``; not every shell replaces a pattern by the files that match.

    Raises:
        UserError: if it is a pattern that nothing matches.
    """
    paths = matching(word)
    if not paths:
        raise UserError(f"no painting {word}: no file matches")
    return [str(path) for path in paths]


def strengths_from(text: str) -> tuple[float, ...]:
    """``0.5,1,2`` as numbers.

    Raises:
        ArgumentTypeError: if it is something else, or a number is there twice.
    """
    try:
        strengths = tuple(float(part) for part in text.split(","))
    except ValueError:
        strengths = ()
    if not strengths or not all(0 < each < 1000 for each in strengths):
        raise argparse.ArgumentTypeError(f"{text} is not like 0.5,1,2")
    if len(set(strengths)) < len(strengths):
        raise argparse.ArgumentTypeError(f"{text} has a number twice")
    return strengths


def expand(arguments: Sequence[str]) -> list[str]:
    """Turn short names into full ones, and names of settings into paths.

    Args:
        arguments: as typed.
    Raises:
        UserError: if --config names neither a file nor settings that come with nst.
    """
    full: list[str] = []
    for argument in arguments:
        flag, equals, value = argument.partition("=")
        head, dot, tail = flag.partition(".")
        if flag in ("-c", "--config") and equals:
            full += ["--config", find_config(value)]
        elif full and full[-1] in ("-c", "--config"):
            full.append(find_config(argument))
        else:
            full.append(SHORT_NAMES.get(head, head) + dot + tail + equals + value)
    return full


def find_config(name: str) -> str:
    """Path of a YAML file, or of settings that come with nst.

    Raises:
        UserError: if there is neither, or it cannot be looked for, or the file is no YAML.
    """
    with readable(Path(name)):
        if Path(name).is_file():
            require_yaml(Path(name))
            return name
    if name in config_names():
        return str(config_path(name))
    known = ", ".join(config_names())
    raise UserError(f"no settings {name}: give a YAML file or one of {known}")


def require_yaml(path: Path) -> None:
    """Refuse a file whose error the parser would report without its name.

    Raises:
        OSError: if it cannot be read.
        UserError: if it is no YAML.
    """
    import yaml  # comes with the extra for training

    try:
        yaml.compose(path.read_bytes(), Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UserError(f"{path} is no YAML file: line {line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise UserError(
            f"{path} is no YAML file: it is not UTF-8, or holds control characters"
        ) from error
    except RecursionError as error:
        raise UserError(f"{path} is no file of settings: it is nested too deeply") from error


def did_you_mean(message: str, settings: Iterable[str]) -> str:
    """What may be meant by the first flag in a message about flags that there are not.

    Args:
        message: of the parser.
        settings: ``trainer.max_steps`` and the like. What follows the last dot is compared.
    Returns:
        ``", did you mean --trainer.max_steps?"``, or nothing.
    """
    unknown = re.search(r"[Uu]nrecognized arguments:.*?(--[\w.-]+)", message)
    if not unknown:
        return ""
    flags = (*(f"--{name}" for name in settings), *OWN_FLAGS, *SHORT_NAMES)
    by_name = {last_name(flag): flag for flag in flags}
    like = get_close_matches(last_name(unknown[1]), by_name, n=1)
    return f", did you mean {by_name[like[0]]}?" if like else ""


def last_name(flag: str) -> str:
    """``--trainer.max_steps`` to ``max_steps``, ``--dry-run`` to ``dry_run``."""
    return flag.removeprefix("--").rpartition(".")[2].replace("-", "_")


def plain(message: str) -> str:
    """The parser's message, with the flags as people type them."""
    for short, full in SHORT_NAMES.items():
        key = re.escape(full.removeprefix("--"))
        message = re.sub(rf'(--|")?\b{key}\b(?!\.\w)"?', short, message)
    return message
