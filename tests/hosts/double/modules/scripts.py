"""Extensions' scripts: loaded by path, one instance a tab and once more a tab for the API."""
# ruff: noqa: BLE001 - a WebUI swallows whatever an extension raises

import contextlib
import inspect
import os
import sys

import gradio as gr

from modules import errors, extensions, script_callbacks, script_loading
from modules.paths_internal import script_path
from modules.shared_cmd_options import cmd_opts

AlwaysVisible = object()


class PostprocessImageArgs:
    def __init__(self, image):
        self.image = image


class PostSampleArgs:
    def __init__(self, samples):
        self.samples = samples


class Script:
    name = section = filename = tabname = group = controls = None
    args_from = args_to = None
    alwayson = is_txt2img = is_img2img = False
    create_group = True
    infotext_fields = paste_field_names = None
    sorting_priority = 0

    def title(self):
        raise NotImplementedError

    def ui(self, is_img2img):
        pass

    def show(self, is_img2img):
        return True

    def run(self, p, *args):
        pass

    def setup(self, p, *args):
        pass

    def before_process(self, p, *args):
        pass

    def process(self, p, *args):
        pass

    def before_process_batch(self, p, *args, **kwargs):
        pass

    def after_extra_networks_activate(self, p, *args, **kwargs):
        pass

    def process_batch(self, p, *args, **kwargs):
        pass

    def process_before_every_sampling(self, p, *args, **kwargs):
        pass

    def post_sample(self, p, ps, *args):
        pass

    def postprocess_batch(self, p, *args, **kwargs):
        pass

    def postprocess_image(self, p, pp, *args):
        pass

    def postprocess(self, p, processed, *args):
        pass

    def before_component(self, component, **kwargs):
        pass

    def after_component(self, component, **kwargs):
        pass

    def elem_id(self, item):
        kind = "img2img" if self.is_img2img else "txt2img"
        title = "".join(c for c in self.title().lower().replace(" ", "_") if c.isalnum() or c == "_")
        return f"script_{kind}_{title}_{item}"


current_basedir = script_path
scripts_data = []


def basedir():
    """The folder of the extension that is being loaded."""
    return current_basedir


def list_scripts(folder, ending):
    """(extension's folder, file) of every script of the active extensions."""
    return [(e.path, path) for e in extensions.active() for path in e.list_files(folder, ending)]


def load_scripts():
    """Load `scripts/*.py` of every extension.

    While one is loaded its folder comes first on `sys.path`. Forge and its kin leave all of them there; A1111 puts the path
    back after each.
    """
    global current_basedir
    scripts_data.clear()
    script_callbacks.clear_callbacks()
    found = list_scripts("scripts", ".py")
    if cmd_opts.host != "a1111":
        for folder, _ in found:
            if folder not in sys.path:
                sys.path.insert(0, folder)
    for folder, path in found:
        before = list(sys.path)
        try:
            sys.path.insert(0, folder)
            current_basedir = folder
            module = script_loading.load_module(path)
            for item in vars(module).values():
                if inspect.isclass(item) and issubclass(item, Script) and item is not Script:
                    scripts_data.append((item, path))
        except Exception:
            errors.report(f"Error loading script: {os.path.basename(path)}", exc_info=True)
        finally:
            sys.path[:] = before
            current_basedir = script_path


class ScriptRunner:
    """The scripts of one tab; `self.inputs` are the arguments of all of them, one after the other."""

    def __init__(self, is_img2img):
        self.is_img2img = is_img2img
        self.scripts, self.infotext_fields, self.inputs = [], [], [None]
        for kind, path in scripts_data:
            try:
                script = kind()
                script.filename = path
                script.is_img2img, script.is_txt2img = is_img2img, not is_img2img
                script.tabname = "img2img" if is_img2img else "txt2img"
                shown = script.show(is_img2img)
            except Exception:
                errors.report(f"Error: failed to initialize script {path}", exc_info=True)
                continue
            if shown is AlwaysVisible:
                script.alwayson = True
            if shown:
                self.scripts.append(script)

    def setup_ui(self):
        for script in self.scripts:
            script.args_from = script.args_to = len(self.inputs)
            group = gr.Group() if script.create_group else contextlib.nullcontext()
            with group as script.group:
                controls = self.call(script, "ui", self.is_img2img)
            script.name = (self.call(script, "title") or script.filename).lower()
            if controls is None:
                continue
            script.controls = controls
            self.inputs += controls
            script.args_to = len(self.inputs)
            self.infotext_fields += script.infotext_fields or []
        return self.inputs[1:]

    def call(self, script, method, *args, **kwargs):
        """What fails is logged and swallowed: the generation goes on without it."""
        try:
            return getattr(script, method)(*args, **kwargs)
        except Exception:
            errors.report(f"Error running {method}: {script.filename}", exc_info=True)
            return None

    def all(self, method, p, *front, **kwargs):
        for script in self.scripts:
            if script.alwayson:
                args = p.script_args[script.args_from : script.args_to]
                self.call(script, method, p, *front, *args, **kwargs)

    def component(self, method, component, **kwargs):
        for script in self.scripts:
            self.call(script, method, component, **kwargs)


scripts_txt2img = scripts_img2img = None
