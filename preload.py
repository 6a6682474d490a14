"""Command-line flags for the WebUI; they are seen in its `cmd_opts`, and nothing else happens here."""

import argparse


def preload(parser: argparse.ArgumentParser) -> None:
    """Add Prompt Extend's flags to the WebUI's."""
    parser.add_argument(
        "--prompt-extend-models",
        metavar="DIR",
        default=None,
        help="Prompt Extend: folder for downloaded models (default: the Hugging Face cache)",
    )
    parser.add_argument(
        "--prompt-extend-worker-python",
        metavar="PATH",
        default=None,
        help="Prompt Extend: run models with this python instead of an environment made beside the WebUI's",
    )
    parser.add_argument(
        "--prompt-extend-root",
        metavar="DIR",
        action="append",
        default=[],
        help="Prompt Extend: a dataset folder that may be used when the server is shared (repeatable)",
    )
