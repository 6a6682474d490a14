"""What everything shares."""

import os
import threading

from modules import options
from modules.options import OptionInfo, options_section  # noqa: F401 - extensions take them from here
from modules.paths_internal import data_path, models_path, script_path  # noqa: F401
from modules.shared_cmd_options import cmd_opts  # noqa: F401

config_filename = os.path.join(data_path, "config.json")
demo = None
opts = options.Options()
opts.add_option("samples_format", OptionInfo("png", "File format", section=("saving", "Saving")))
opts.add_option("send_seed", OptionInfo(True, "Send seed", section=("ui", "User interface")))
opts.load(config_filename)


class State:
    """Wishes of the UI to the server's loop, and the running job."""

    def __init__(self):
        self.job, self.interrupted = "", False
        self._command, self._wanted = None, threading.Event()

    def begin(self, job="(unknown)"):
        self.job, self.interrupted = job, False

    def end(self):
        self.job = ""

    def interrupt(self):
        self.interrupted = True

    def request_restart(self):
        self.request("restart")

    def request(self, command):
        self._command = command
        self._wanted.set()

    def wait_for_server_command(self, timeout=None):
        if self._wanted.wait(timeout):
            self._wanted.clear()
            return self._command
        return None


state = State()


def __getattr__(name):
    if name == "sd_model":  # reading it loads the checkpoint
        from modules import sd_models

        return sd_models.model_data.get_sd_model()
    raise AttributeError(name)
