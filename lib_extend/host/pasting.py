"""Paste a picture's infotext into the panel, and the host's own prompt into its field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lib_extend.errors import UserError
from lib_extend.generation import infotext, tipo_infotext
from lib_extend.generation.panel import Panel
from lib_extend.host.detect import module


def value(params: Mapping[str, Any]) -> str:
    """For the hosts' paste fields: the panel's value; "" for a picture without the extension, which switches it off.

    An unusable infotext gives a panel that is off, with the reason in `problem`.
    """
    try:
        restored = infotext.read(params)
    except UserError as error:
        return _text({"enabled": False, "problem": str(error)})
    if restored is not None:
        return _text(Panel.of(restored).to_json(brief=True))
    # of another extension's picture only how it was expanded is taken over: its prompt has the tags already
    expansion = tipo_infotext.expansion_of(params)
    return "" if expansion is None else _text({"enabled": False, "expansion": expansion.to_json(brief=True)})


def infotext_pasted(text: str, params: dict[str, Any]) -> None:
    """For `on_infotext_pasted`: the prompt is the compiled one there, the user's own goes into the fields."""
    try:
        restored = infotext.read(params)
    except UserError:
        return  # `value` reports it
    if restored is None:
        return
    main, negative = restored.main, restored.main_negative
    styles = getattr(module("modules.shared"), "prompt_styles", None)
    if params.get("Styles array") and styles is not None:
        # the host has removed them from the compiled prompt and will apply them again
        _, main, negative = styles.extract_styles_from_prompt(main, negative)
    compiled = params.get("Prompt", ""), params.get("Negative prompt", "")
    params["Prompt"], params["Negative prompt"] = main, negative
    for key, before in zip(("Hires prompt", "Hires negative prompt"), compiled, strict=True):
        if params.get(key) == before:
            params[key] = ""


def _text(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
