"""An extension of the tests that does what Regional Prompter does: it keeps the prompts of before, and puts them back."""

import os

from modules import scripts


class Rival(scripts.Script):
    def title(self):
        return "Rival of the tests"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def process(self, p, *args):
        self.before = p.all_prompts.copy() if "rival" in p.prompt else None
        self.first = p.all_prompts[0]

    def process_batch(self, p, *args, **kwargs):
        if self.before:
            here = slice(p.iteration * p.batch_size, (p.iteration + 1) * p.batch_size)
            p.all_prompts[here] = self.before[here]
            # what a WebUI writes at once
            with open(os.path.join(os.getcwd(), "params.txt"), "w", encoding="utf-8") as file:
                file.write("\n".join((*p.all_prompts[here], self.first)))
