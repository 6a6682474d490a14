"""The checkpoint: an object that knows where it is."""

import threading

from modules import script_callbacks
from modules.shared_cmd_options import cmd_opts


class Checkpoint:
    def __init__(self):
        self.device = "cuda"


class SdModelData:
    def __init__(self):
        self.sd_model = None
        self._lock = threading.Lock()

    def get_sd_model(self):
        with self._lock:
            if self.sd_model is None:
                self.sd_model = Checkpoint()
                script_callbacks.model_loaded_callback(self.sd_model)
        return self.sd_model


model_data = SdModelData()


def unload_model_weights(sd_model=None, info=None):
    if cmd_opts.host in ("forge", "neo"):
        from backend import memory_management

        memory_management.unload_all_models()
        return None
    if cmd_opts.host != "a1111":
        from ldm_patched.modules import model_management

        model_management.unload_all_models()
        return None
    (sd_model or model_data.sd_model).device = "cpu"
    return sd_model


def send_model_to_device(model):
    if cmd_opts.host == "a1111":
        model.device = "cuda"


def reload_model_weights(sd_model=None, info=None, forced_reload=False):
    return model_data.get_sd_model()
