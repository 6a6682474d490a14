"""`/sdapi/v1/…` as far as extensions use it, and `/double/…`: what tests ask the double itself."""

import base64
import io
import secrets
import sys

from fastapi import Depends, HTTPException, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials

from modules import extensions, infotext_utils, processing, script_callbacks, scripts, sd_models, shared
from modules.call_queue import queue_lock

_basic = HTTPBasic()


def _user(given: HTTPBasicCredentials = Depends(_basic)):  # noqa: B008 - this is how FastAPI asks for it
    known = dict(pair.split(":", 1) for pair in shared.cmd_opts.api_auth.split(","))
    if not secrets.compare_digest(known.get(given.username, "").encode(), given.password.encode()):
        raise HTTPException(401, "Incorrect username or password", {"WWW-Authenticate": "Basic"})


class Api:
    def __init__(self, app):
        guard = [Depends(_user)] if shared.cmd_opts.api_auth else []
        for path, method, handler in (
            ("/sdapi/v1/txt2img", "POST", self.txt2img),
            ("/sdapi/v1/img2img", "POST", self.img2img),
            ("/sdapi/v1/options", "GET", self.options),
            ("/sdapi/v1/options", "POST", self.set_options),
            ("/sdapi/v1/extensions", "GET", self.extensions),
            ("/sdapi/v1/scripts", "GET", self.scripts),
            ("/sdapi/v1/cmd-flags", "GET", self.flags),
            ("/sdapi/v1/unload-checkpoint", "POST", self.unload),
            ("/double/reload-ui", "POST", self.reload_ui),
            ("/double/state", "GET", self.state),
        ):
            app.add_api_route(path, handler, methods=[method], dependencies=guard)
        # The API's own instances of the scripts: a second and a third `ui()`
        import gradio as gr

        self.runners, self.defaults = {}, {}
        for kind in (False, True):
            self.runners[kind] = runner = scripts.ScriptRunner(kind)
            with gr.Blocks():
                runner.setup_ui()
            self.defaults[kind] = [None] + [getattr(c, "value", None) for c in runner.inputs[1:]]

    async def txt2img(self, request: Request):
        return await self._generate(request, False)

    async def img2img(self, request: Request):
        return await self._generate(request, True)

    async def _generate(self, request, is_img2img):
        from starlette.concurrency import run_in_threadpool

        body = await request.json()
        runner, args = self.runners[is_img2img], list(self.defaults[is_img2img])
        for title, given in (body.pop("alwayson_scripts", None) or {}).items():
            script = next((s for s in runner.scripts if s.name == title.lower()), None)
            if script is None:
                raise HTTPException(422, f"always on script {title} not found")
            room = script.args_to - script.args_from
            for i, value in enumerate(given.get("args", [])[:room]):
                args[script.args_from + i] = value
        try:
            return await run_in_threadpool(self._process, runner, args, body)
        except Exception as error:  # noqa: BLE001 - the WebUIs' middleware answers with what it says
            said = vars(error)
            content = {"error": type(error).__name__, "detail": said.get("detail", ""), "errors": str(error)}
            return JSONResponse(content, said.get("status_code", 500))

    def _process(self, runner, args, body):
        text = body.pop("infotext", None)
        if text:
            # no callback of `on_infotext_pasted` here; what the request says itself goes first
            params = infotext_utils.parse_generation_parameters(text)
            for name, key in (("prompt", "Prompt"), ("negative_prompt", "Negative prompt"), ("seed", "Seed")):
                body.setdefault(name, params.get(key, ""))
            for component, label in runner.infotext_fields:
                at = runner.inputs.index(component)
                value = label(params) if callable(label) else params.get(label)
                if args[at] == self.defaults[runner.is_img2img][at] and value is not None:
                    args[at] = value
        with queue_lock:
            p = processing.StableDiffusionProcessing(**body)
            p.scripts, p.script_args, p.is_api = runner, tuple(args), True
            done = processing.process_images(p)
        pictures = []
        for image in done.images:
            buffer = io.BytesIO()
            image.save(buffer, "PNG")
            pictures.append(base64.b64encode(buffer.getvalue()).decode())
        return {"images": pictures, "parameters": body, "info": done.js()}

    def options(self):
        return dict(shared.opts.data)

    async def set_options(self, request: Request):
        for key, value in (await request.json()).items():
            shared.opts.set(key, value)
        shared.opts.save(shared.config_filename)

    def extensions(self):
        return [{"name": e.name, "enabled": e.enabled} for e in extensions.extensions]

    def scripts(self):
        return {
            kind: [s.name for s in self.runners[kind == "img2img"].scripts] for kind in ("txt2img", "img2img")
        }

    def flags(self):
        return {k: v for k, v in vars(shared.cmd_opts).items() if isinstance(v, (str, int, list, type(None)))}

    def unload(self):
        sd_models.unload_model_weights()
        return {}

    def reload_ui(self):
        shared.state.request_restart()
        return {}

    def state(self):
        model = sd_models.model_data.sd_model
        return {
            "callbacks": {
                kind: [caller for caller, _ in calls] for kind, calls in script_callbacks.registered.items()
            },
            "path": sys.path,
            "modules": sorted(sys.modules),
            "checkpoint": model.device if model is not None else None,
        }
