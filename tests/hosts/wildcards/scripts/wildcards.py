"""An extension of the tests that does what dynamic prompts do: each picture's prompt gets words of its own."""

import re

from modules import scripts

WORDS = {"hair": ["red hair", "blue hair", "green hair"]}


class Wildcards(scripts.Script):
    def title(self):
        return "Wildcards of the tests"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def process(self, p, *args):
        if not any("__" in prompt for prompt in p.all_prompts):
            return
        p.extra_generation_params["Template"] = p.all_prompts[0]
        p.all_prompts = [
            re.sub(r"__(\w+?)__", lambda m, n=n: WORDS[m[1]][n % 3], prompt)
            for n, prompt in enumerate(p.all_prompts)
        ]
        if getattr(p, "all_hr_prompts", None):
            p.all_hr_prompts = p.all_prompts
