"""What ``nst-train --help`` shows of some hundred settings, most of them Lightning's."""

from argparse import Action, RawDescriptionHelpFormatter

from jsonargparse import DefaultHelpFormatter

USAGE = "nst-train --style PAINTING... [settings]"
TRAINER = {
    "max_steps": "length of the run in steps. (default: 3000, no limit if a time is given)",
    "max_time": "length of the run as DD:HH:MM:SS; what comes first ends it.",
    "accelerator": "cpu, gpu or auto: a GPU where there is one. (default: auto)",
    "devices": "how many GPUs, or processes on CPUs, per machine. (default: 1)",
    "num_nodes": "how many machines. (default: 1)",
    "precision": "32-true, bf16-mixed or 16-mixed. (default: bf16-mixed where the hardware has it)",
    "accumulate_grad_batches": "batches whose gradients make one step. (default: 1)",
}
"""Settings of Lightning's trainer that people need, in our words."""
LIGHTNINGS_HEADING = "Customize every aspect of training via flags"
TRAINER_HEADING = "How long, and on what"
PART = "Path to a configuration file."
"""What the parser says of a flag that takes a file for a group of settings."""


def is_usual(setting: str) -> bool:
    """Whether ``trainer.max_steps`` or the like is ours, or one of Lightning's that people need."""
    group, _, name = setting.partition(".")
    return group != "trainer" or name in TRAINER


class FullHelp(RawDescriptionHelpFormatter, DefaultHelpFormatter):
    """Keeps the line breaks of the description."""

    def _get_help_string(self, action: Action) -> str:
        text = TRAINER.get(action.dest.removeprefix("trainer."))
        return text or super()._get_help_string(action)


class ShortHelp(FullHelp):
    """Leaves out types, files for groups of settings, and most of Lightning's own."""

    def start_section(self, heading: str | None) -> None:
        """Begin a group of settings."""
        super().start_section(TRAINER_HEADING if heading == LIGHTNINGS_HEADING else heading)

    def add_argument(self, action: Action) -> None:
        """Show a setting, if it is one of ours or of the usual ones."""
        if is_usual(action.dest) and action.help != PART:
            super().add_argument(action)

    def _get_type_str(self, _action: Action) -> None:
        return None
