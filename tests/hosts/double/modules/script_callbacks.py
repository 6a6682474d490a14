"""Callbacks that extensions register; cleared and registered anew at every "Reload UI"."""
# ruff: noqa: BLE001 - a WebUI swallows whatever an extension raises

import inspect

from modules import errors

KINDS = (
    *(
        "app_started",
        "before_reload",
        "model_loaded",
        "ui_tabs",
        "ui_settings",
        "before_ui",
        "script_unloaded",
    ),
    *(
        "before_image_saved",
        "image_saved",
        "cfg_denoiser",
        "cfg_denoised",
        "cfg_after_cfg",
        "infotext_pasted",
    ),
    *("before_component", "after_component"),
)
registered = {kind: [] for kind in KINDS}


def clear_callbacks():
    for callbacks in registered.values():
        callbacks.clear()


def _register(kind):
    def on(callback, *, name=None):
        caller = inspect.stack()[1].filename
        registered[kind].append((caller, callback))

    return on


def _call(kind, *args, **kwargs):
    results = []
    for caller, callback in list(registered[kind]):
        try:
            results.append(callback(*args, **kwargs))
        except Exception:
            errors.report(f"Error executing callback {kind} for {caller}", exc_info=True)
    return results


for _kind in KINDS:
    globals()[f"on_{_kind}"] = _register(_kind)


def app_started_callback(demo, app):
    _call("app_started", demo, app)


def app_reload_callback():
    _call("before_reload")


def model_loaded_callback(model):
    _call("model_loaded", model)


def ui_tabs_callback():
    return [tab for tabs in _call("ui_tabs") for tab in tabs or []]


def ui_settings_callback():
    _call("ui_settings")


def before_ui_callback():
    _call("before_ui")


def script_unloaded_callback():
    _call("script_unloaded")


def infotext_pasted_callback(infotext, params):
    _call("infotext_pasted", infotext, params)


def before_component_callback(component, **kwargs):
    _call("before_component", component, **kwargs)


def after_component_callback(component, **kwargs):
    _call("after_component", component, **kwargs)
