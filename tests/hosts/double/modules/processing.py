"""A generation: the callbacks in their order, around a picture of one color."""

import random

from PIL import Image

from modules import infotext_utils, shared
from modules.scripts import PostprocessImageArgs, PostSampleArgs


class Processed:
    def __init__(self, p, images, infotexts):
        self.p, self.images, self.infotexts = p, images, infotexts
        self.extra_images = []


class StableDiffusionProcessing:
    sampler_name = "Euler a"
    is_api = disable_extra_networks = enable_hr = is_hr_pass = False

    def __init__(self, prompt="", negative_prompt="", steps=1, seed=-1, width=64, height=64, cfg_scale=7.0,
                 batch_size=1, n_iter=1, **others):  # fmt: skip
        self.prompt, self.negative_prompt = prompt, negative_prompt
        self.steps, self.width, self.height, self.cfg_scale = int(steps), int(width), int(height), cfg_scale
        self.seed = random.randrange(2**32) if int(seed) == -1 else int(seed)
        self.batch_size, self.n_iter = int(batch_size), int(n_iter)
        self.extra_generation_params, self.script_args, self.scripts = {}, (), None
        self.sd_model = shared.sd_model


def process_images(p):
    run = p.scripts.all
    run("setup", p)
    run("before_process", p)
    if shared.cmd_opts.host == "a1111" and p.sd_model.device != "cuda":
        raise RuntimeError("Expected all tensors to be on the same device, but found cuda:0 and cpu!")
    run("process", p)
    images = []
    for n in range(p.n_iter):
        batch = {
            "batch_number": n,
            "prompts": [p.prompt] * p.batch_size,
            "seeds": [p.seed + i for i in range(p.batch_size)],
            "subseeds": [p.seed] * p.batch_size,
        }
        run("before_process_batch", p, **batch)
        run("after_extra_networks_activate", p, **batch, extra_network_data={})
        run("process_batch", p, **batch)
        run("process_before_every_sampling", p, x=None, noise=None, c=None, uc=None)
        run("post_sample", p, PostSampleArgs(None))
        made = [Image.new("RGB", (p.width, p.height), (p.seed % 256, 90, 160)) for _ in range(p.batch_size)]
        run("postprocess_batch", p, images=made, batch_number=n)
        for image in made:
            result = PostprocessImageArgs(image)
            run("postprocess_image", p, result)
            images.append(result.image)
    infotext = infotext_utils.create(p, p.extra_generation_params)
    processed = Processed(p, images, [infotext] * len(images))
    run("postprocess", p, processed)
    return processed
