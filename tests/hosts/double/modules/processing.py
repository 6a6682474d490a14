"""A generation: the callbacks in their order and the prompts' way through them, around a picture of one color."""

import json
import random
import re

from PIL import Image

from modules import infotext_utils, shared
from modules.scripts import PostprocessImageArgs, PostSampleArgs

_EXTRA_NETWORK = re.compile(r"<(\w+):([^>]+)>")


class Processed:
    def __init__(self, p, images, infotexts):
        self.images, self.infotexts, self.index_of_first_image = images, infotexts, 0
        self.prompt, self.negative_prompt, self.seed = p.prompt, p.negative_prompt, p.seed
        self.all_prompts, self.all_negative_prompts = p.all_prompts, p.all_negative_prompts
        self.all_seeds, self.all_subseeds = p.all_seeds, p.all_subseeds
        self.comments = "".join(f"{comment}\n" for comment in p.comments)
        self.extra_images = []
        self.extra_generation_params = p.extra_generation_params

    def js(self):
        """What an API call is told. Most WebUIs write nothing for what is no JSON; Forge classic fails at it."""
        told = {"infotexts": self.infotexts, "comments": self.comments, "all_prompts": self.all_prompts,
                "prompt": self.prompt, "all_seeds": self.all_seeds,
                "extra_generation_params": self.extra_generation_params}  # fmt: skip
        if shared.cmd_opts.host == "classic":
            return json.dumps(told)
        return json.dumps(told, default=lambda o: None)


class StableDiffusionProcessing:
    sampler_name = "Euler a"
    is_api = disable_extra_networks = is_hr_pass = False
    iteration = batch_index = 0

    def __init__(self, prompt="", negative_prompt="", steps=1, seed=-1, width=64, height=64, cfg_scale=7.0,
                 batch_size=1, n_iter=1, styles=(), enable_hr=False, hr_prompt="", hr_negative_prompt="",
                 **others):  # fmt: skip
        self.prompt, self.negative_prompt = prompt, negative_prompt
        self.steps, self.width, self.height, self.cfg_scale = int(steps), int(width), int(height), cfg_scale
        self.seed = seed
        self.batch_size, self.n_iter = int(batch_size), int(n_iter)
        self.styles = list(styles)
        self.enable_hr, self.hr_prompt, self.hr_negative_prompt = enable_hr, hr_prompt, hr_negative_prompt
        self.hr_upscale_to_x, self.hr_upscale_to_y = self.width * 2, self.height * 2
        self.extra_generation_params, self.script_args, self.scripts = {}, (), None
        self.override_settings, self.comments = {}, {}
        self.sd_model = shared.sd_model

    def comment(self, text):
        self.comments[text] = 1

    def setup_prompts(self):
        """One prompt a picture, with the styles; what hires has none of it takes from these."""
        count = self.batch_size * self.n_iter
        self.all_prompts = self._all(self.prompt, count)
        self.all_negative_prompts = self._all(self.negative_prompt, count)
        self.main_prompt, self.main_negative_prompt = self.all_prompts[0], self.all_negative_prompts[0]
        if self.enable_hr:
            self.hr_prompt = self.hr_prompt or self.prompt
            self.hr_negative_prompt = self.hr_negative_prompt or self.negative_prompt
            self.all_hr_prompts = self._all(self.hr_prompt, count)
            self.all_hr_negative_prompts = self._all(self.hr_negative_prompt, count)

    def _all(self, text, count):
        found = text if isinstance(text, list) else [text] * count
        return [", ".join([prompt, *self.styles]) for prompt in found]

    def sample(self, conditioning, unconditional_conditioning, seeds, subseeds, subseed_strength, prompts):
        self.scripts.all("process_before_every_sampling", self, x=None, noise=None, c=None, uc=None)
        if self.enable_hr:
            self.is_hr_pass = True
            # Forge calls once more; what the first call patched is gone by then
            for _ in range(2 if shared.cmd_opts.host in ("forge", "neo") else 1):
                self.scripts.all("process_before_every_sampling", self, x=None, noise=None, c=None, uc=None)
            self.is_hr_pass = False


def process_images(p):
    run = p.scripts.all
    run("setup", p)
    run("before_process", p)
    if shared.cmd_opts.host == "a1111" and p.sd_model.device != "cuda":
        raise RuntimeError("Expected all tensors to be on the same device, but found cuda:0 and cpu!")
    if int(p.seed) == -1:
        p.seed = random.randrange(2**32)
    p.setup_prompts()
    p.all_seeds = [int(p.seed) + i for i in range(len(p.all_prompts))]
    p.all_subseeds = list(p.all_seeds)
    run("process", p)
    if shared.cmd_opts.host == "neo":
        # its comments: what the infotext shall have is kept as it was
        p._all_prompts_c = p.all_prompts.copy()
        p._all_negative_prompts_c = p.all_negative_prompts.copy()
        p.width, p.height = (max((side + 32) // 64 * 64, 64) for side in (p.width, p.height))
    images, infotexts = [], []
    for n in range(p.n_iter):
        p.iteration = n
        here = slice(n * p.batch_size, (n + 1) * p.batch_size)
        p.prompts, p.negative_prompts = p.all_prompts[here], p.all_negative_prompts[here]
        p.seeds, p.subseeds = p.all_seeds[here], p.all_subseeds[here]
        batch = {"batch_number": n, "prompts": p.prompts, "seeds": p.seeds, "subseeds": p.subseeds}
        run("before_process_batch", p, **batch)
        p.prompts = [_EXTRA_NETWORK.sub("", prompt) for prompt in p.prompts]
        p.extra_network_data = _EXTRA_NETWORK.findall(p.all_prompts[here][0])
        run("after_extra_networks_activate", p, **batch, extra_network_data=p.extra_network_data)
        run("process_batch", p, **batch)
        p.sample(None, None, p.seeds, p.subseeds, 0, p.prompts)
        run("post_sample", p, PostSampleArgs(None))
        made = [Image.new("RGB", (p.width, p.height), (s % 256, 90, 160)) for s in p.seeds]
        run("postprocess_batch", p, images=made, batch_number=n)
        p.prompts, p.negative_prompts = p.all_prompts[here], p.all_negative_prompts[here]
        for i, image in enumerate(made):
            p.batch_index = i
            result = PostprocessImageArgs(image)
            run("postprocess_image", p, result)
            images.append(result.image)
            prompts, negatives = p.prompts, p.negative_prompts
            if shared.cmd_opts.host == "neo":
                prompts, negatives = p._all_prompts_c[here], p._all_negative_prompts_c[here]
            infotexts.append(infotext_utils.create(p, prompts, negatives, p.seeds, i))
    processed = Processed(p, images, infotexts)
    run("postprocess", p, processed)
    return processed
