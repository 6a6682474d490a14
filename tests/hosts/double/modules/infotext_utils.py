"""The text in a picture's metadata: "prompt / Negative prompt: … / Key: value, Key: "quoted value"."""

import json
import re

paste_fields = {}
_PAIR = re.compile(r'\s*([\w ()/-]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')


class ParamBinding:
    def __init__(self, paste_button, tabname, source_text_component=None, **others):
        self.paste_button, self.tabname = paste_button, tabname
        self.source_text_component = source_text_component


bindings = []


def register_paste_params_button(binding):
    bindings.append(binding)


def quote(value):
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if any(c in text for c in ',:\n"') else text


def unquote(text):
    try:
        return json.loads(text) if text.startswith('"') else text
    except ValueError:
        return text


def create(p, all_prompts, all_negative_prompts, all_seeds, index, use_main_prompt=False):
    """The infotext of a picture; entries may be lists, or functions that are given what is known here."""
    prompt, negative = all_prompts[index], all_negative_prompts[index]
    pairs = {
        "Steps": p.steps,
        "Seed": all_seeds[index],
        "Size": f"{p.width}x{p.height}",
        **p.extra_generation_params,
    }
    for key, value in pairs.items():
        if isinstance(value, list):
            pairs[key] = value[index]
        elif callable(value):
            pairs[key] = value(
                p=p, index=index, all_prompts=all_prompts, use_main_prompt=use_main_prompt, prompt_text=prompt
            )
    line = ", ".join(f"{k}: {quote(v)}" for k, v in pairs.items() if v is not None)
    return f"{prompt}\nNegative prompt: {negative}\n{line}" if negative else f"{prompt}\n{line}"


def parse_generation_parameters(text):
    *lines, last = text.strip().split("\n")
    if len(_PAIR.findall(last)) < 3:
        lines.append(last)
        last = ""
    prompt, negative, now = [], [], 0
    for line in lines:
        if line.startswith("Negative prompt:"):
            now, line = 1, line[len("Negative prompt:") :].strip()
        (prompt, negative)[now].append(line)
    params = {"Prompt": "\n".join(prompt), "Negative prompt": "\n".join(negative)}
    params.update({k.strip(): unquote(v.strip()) for k, v in _PAIR.findall(last)})
    return params


def values(fields, params):
    """What each (component, label or function) pair gets on paste; None: it stays as it is."""
    found = []
    for field in fields:
        component, label = field[0], field[1]
        value = label(params) if callable(label) else params.get(label)
        kind = type(component.value) if not callable(component.value) else str
        if isinstance(value, str) and kind in (int, float):
            value = kind(float(value))
        elif isinstance(value, str) and kind is bool:
            value = value == "True"
        found.append(value)
    return found
