"""Command-line flags: the host's, then those of the extensions' preload.py."""

import argparse

from modules import script_loading
from modules.paths_internal import data_path, extensions_dir, models_path

parser = argparse.ArgumentParser()
HOSTS = ("a1111", "forge", "neo", "classic", "reforge")
parser.add_argument("--host", choices=HOSTS, default="a1111", help="which WebUI to stand for")
parser.add_argument("--port", type=int, default=7860)
parser.add_argument("--skip-installers", action="store_true")
parser.add_argument("--data-dir", default=data_path)
parser.add_argument("--models-dir", default=models_path)
parser.add_argument("--lora-dir", default=models_path + "/Lora")
parser.add_argument("--listen", action="store_true")
parser.add_argument("--share", action="store_true")
parser.add_argument("--ngrok", default=None)
parser.add_argument("--server-name", default=None)
parser.add_argument("--subpath", default=None)
parser.add_argument("--gradio-auth", default=None)
parser.add_argument("--gradio-auth-path", default=None)
parser.add_argument("--api-auth", default=None)
parser.add_argument("--theme", default=None)
parser.add_argument("--enable-insecure-extension-access", action="store_true")
parser.add_argument("--cors-allow-origins", default=None)

script_loading.preload_extensions(extensions_dir, parser)

cmd_opts = parser.parse_args()
cmd_opts.webui_is_non_local = bool(
    cmd_opts.share or cmd_opts.listen or cmd_opts.ngrok or cmd_opts.server_name
)
cmd_opts.disable_extension_access = (
    cmd_opts.webui_is_non_local and not cmd_opts.enable_insecure_extension_access
)
