"""The settings page's options, kept in config.json."""

import json
import os


class OptionInfo:
    def __init__(
        self, default=None, label="", component=None, component_args=None, onchange=None, section=None,
        refresh=None, comment_before="", comment_after="", infotext=None, restrict_api=False, category_id=None,
    ):  # fmt: skip
        self.default, self.label = default, label
        self.component, self.component_args = component, component_args
        self.onchange, self.section, self.refresh = onchange, section, refresh
        self.comment_before, self.comment_after = comment_before, comment_after
        self.infotext, self.restrict_api, self.category_id = infotext, restrict_api, category_id

    def info(self, text):
        self.comment_after += f"<span class='info'>({text})</span>"
        return self

    def needs_restart(self):
        return self.info("requires restart")

    def needs_reload_ui(self):
        return self.info("requires Reload UI")


def options_section(section, options):
    for option in options.values():
        option.section = section
    return options


class Options:
    def __init__(self):
        object.__setattr__(self, "data_labels", {})
        object.__setattr__(self, "data", {})

    def add_option(self, key, info):
        self.data_labels[key] = info
        self.data.setdefault(key, info.default)

    def __getattr__(self, key):
        if key in self.data:
            return self.data[key]
        if key in self.data_labels:
            return self.data_labels[key].default
        raise AttributeError(key)

    def __setattr__(self, key, value):
        if key in self.data_labels:
            self.data[key] = value
        else:
            object.__setattr__(self, key, value)

    def set(self, key, value, run_callbacks=True):
        changed = self.data.get(key) != value
        setattr(self, key, value)
        onchange = self.data_labels[key].onchange
        if changed and run_callbacks and onchange is not None:
            onchange()
        return changed

    def load(self, filename):
        if os.path.exists(filename):
            with open(filename, encoding="utf-8") as file:
                self.data.update(json.load(file))

    def save(self, filename):
        with open(filename, "w", encoding="utf-8") as file:
            json.dump(self.data, file, indent=1)
