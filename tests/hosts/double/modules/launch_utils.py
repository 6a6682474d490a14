"""The launcher's part: every extension's install.py, by the host's python, in the WebUI's folder."""

import os
import subprocess
import sys
import time

from modules import errors
from modules.paths_internal import extensions_dir, script_path


def git_tag():
    return "double"


def run_extensions_installers():
    for name in sorted(os.listdir(extensions_dir)):
        path = os.path.join(extensions_dir, name, "install.py")
        if not os.path.isfile(path):
            continue
        began, before = time.monotonic(), os.times()
        done = subprocess.run(
            [sys.executable, path],
            cwd=script_path,
            env={**os.environ, "PYTHONPATH": script_path},
            capture_output=True,
            text=True,
        )
        if done.stdout.strip():
            print(done.stdout.strip())
        if done.returncode:
            errors.report(f"Error running install.py for extension {path}: {done.stderr}")
        after = os.times()
        busy = after.children_user + after.children_system - before.children_user - before.children_system
        print(f"install.py of {name}: {time.monotonic() - began:.3f} s, {busy:.3f} s busy", flush=True)
