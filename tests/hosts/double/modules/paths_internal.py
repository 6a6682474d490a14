"""Folders. The WebUI's root is the current folder, as it is when a WebUI is started."""

import os
import sys

script_path = os.getcwd()
data_path = sys.argv[sys.argv.index("--data-dir") + 1] if "--data-dir" in sys.argv else script_path
models_path = os.path.join(data_path, "models")
extensions_dir = os.path.join(data_path, "extensions")
