"""The page: txt2img, img2img, the extensions' tabs, Settings and Extensions, with the usual element ids."""

import os

import gradio as gr

from modules import extensions, infotext_utils, processing, script_callbacks, scripts, shared
from modules.call_queue import queue_lock

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_template = gr.routes.templates.TemplateResponse


def _web(path):
    return f"file={os.path.relpath(path) if path.startswith(os.getcwd()) else path}?{os.path.getmtime(path)}"


def inject_head():
    """Every page gets the host's script, then `javascript/*.js`, `*.mjs` as modules, and `style.css`."""
    head = f'<script src="{_web(os.path.join(HERE, "script.js"))}"></script>\n'
    for _, path in scripts.list_scripts("javascript", ".js"):
        head += f'<script src="{_web(path)}"></script>\n'
    for _, path in scripts.list_scripts("javascript", ".mjs"):
        head += f'<script type="module" src="{_web(path)}"></script>\n'
    styles = [os.path.join(e.path, "style.css") for e in extensions.active()]
    css = "".join(f'<link rel="stylesheet" href="{_web(s)}">' for s in styles if os.path.isfile(s))

    def response(*args, **kwargs):
        page = _template(*args, **kwargs)
        page.body = page.body.replace(b"</head>", head.encode() + b"</head>")
        page.body = page.body.replace(b"</body>", css.encode() + b"</body>")
        page.init_headers()
        return page

    gr.routes.templates.TemplateResponse = response


def _made(runner, kind, **options):
    """A component, announced to the scripts before and after."""
    runner.component("before_component", None, **options)
    component = kind(**options)
    script_callbacks.after_component_callback(component, **options)
    runner.component("after_component", component, **options)
    return component


def _generation_tab(is_img2img):
    tab = "img2img" if is_img2img else "txt2img"
    runner = scripts.ScriptRunner(is_img2img)
    setattr(scripts, f"scripts_{tab}", runner)
    with gr.Blocks(analytics_enabled=False) as blocks:
        with gr.Row(elem_id=f"{tab}_toprow"):
            with gr.Column():
                prompt = _made(runner, gr.Textbox, label="Prompt", elem_id=f"{tab}_prompt", lines=3)
                negative = _made(
                    runner, gr.Textbox, label="Negative prompt", elem_id=f"{tab}_neg_prompt", lines=2
                )
            with gr.Column():
                generate = gr.Button("Generate", elem_id=f"{tab}_generate", variant="primary")
                paste = gr.Button("Paste", elem_id="paste" if tab == "txt2img" else "img2img_paste")
        with gr.Row():
            with gr.Column(elem_id=f"{tab}_settings"):
                # in an accordion, as the real page's controls are no further than that
                width = _made(runner, gr.Slider, label="Width", minimum=64, maximum=2048, step=8, value=512,
                              elem_id=f"{tab}_width")  # fmt: skip
                height = _made(runner, gr.Slider, label="Height", minimum=64, maximum=2048, step=8, value=512,
                               elem_id=f"{tab}_height")  # fmt: skip
                seed = _made(runner, gr.Number, label="Seed", value=-1, elem_id=f"{tab}_seed", precision=0)
                if is_img2img:
                    with gr.Tabs(elem_id="mode_img2img"), gr.TabItem("img2img"):
                        gr.Image(elem_id="img2img_image", type="pil")
                custom = runner.setup_ui()
            with gr.Column(elem_id=f"{tab}_results"):
                gallery = gr.Gallery(label="Output", elem_id=f"{tab}_gallery")
                infotext = gr.Textbox(label="Infotext", elem_id=f"html_info_{tab}")

        def run(*values):
            keys = ("prompt", "negative_prompt", "width", "height", "seed")
            with queue_lock:
                p = processing.StableDiffusionProcessing(**dict(zip(keys, values, strict=False)))
                p.scripts, p.script_args = runner, (0, *values[len(keys) :])
                done = processing.process_images(p)
            return done.images, done.infotexts[0]

        own = [prompt, negative, width, height, seed]
        generate.click(run, inputs=[*own, *custom], outputs=[gallery, infotext])

        fields = [
            (prompt, "Prompt"),
            (negative, "Negative prompt"),
            (width, lambda d: int(d["Size"].split("x")[0]) if "Size" in d else None),
            (height, lambda d: int(d["Size"].split("x")[1]) if "Size" in d else None),
            (seed, "Seed"),
            *runner.infotext_fields,
        ]
        infotext_utils.paste_fields[tab] = {"fields": fields}

        def pasted(text):
            params = infotext_utils.parse_generation_parameters(text)
            script_callbacks.infotext_pasted_callback(text, params)
            found = infotext_utils.values(fields, params)
            return [
                gr.update() if v is None else v if isinstance(v, dict) else gr.update(value=v) for v in found
            ]

        paste.click(pasted, inputs=[prompt], outputs=[f[0] for f in fields])
    return blocks


def _settings():
    """The options by section; what is applied is saved."""
    keys, components = [], []
    with gr.Blocks(analytics_enabled=False) as blocks:
        apply = gr.Button("Apply settings", elem_id="settings_submit", variant="primary")
        reload = gr.Button("Reload UI", elem_id="settings_restart_gradio")
        for key, info in shared.opts.data_labels.items():
            value = shared.opts.data.get(key, info.default)
            args = dict(info.component_args() if callable(info.component_args) else info.component_args or {})
            by_type = {bool: gr.Checkbox, int: gr.Number, float: gr.Number}
            kind = info.component or by_type.get(type(info.default), gr.Textbox)
            with gr.Row(elem_id=f"row_setting_{key}"):
                component = kind(label=info.label, value=value, elem_id=f"setting_{key}", **args)
                gr.HTML(info.comment_after)
            keys.append(key)
            components.append(component)

        def save(*values):
            for key, value in zip(keys, values, strict=True):
                shared.opts.set(key, value)
            shared.opts.save(shared.config_filename)

        apply.click(save, inputs=components, outputs=[])
        reload.click(shared.state.request_restart, inputs=[], outputs=[])
    return blocks


def create_ui():
    inject_head()
    infotext_utils.paste_fields.clear()
    infotext_utils.bindings.clear()
    script_callbacks.ui_settings_callback()
    tabs = [(_generation_tab(False), "txt2img", "txt2img"), (_generation_tab(True), "img2img", "img2img")]
    tabs += script_callbacks.ui_tabs_callback()
    with gr.Blocks(analytics_enabled=False) as png_info:
        gr.Image(elem_id="pnginfo_image", type="pil")
    tabs.append((png_info, "PNG Info", "pnginfo"))
    tabs.append((_settings(), "Settings", "settings"))
    with gr.Blocks(analytics_enabled=False) as listed:
        rows = "".join(f"<tr><td>{e.name}</td><td>{e.enabled}</td></tr>" for e in extensions.extensions)
        gr.HTML(f'<table id="extensions">{rows}</table>')
    tabs.append((listed, "Extensions", "extensions"))
    theme = gr.themes.Default(
        font=["Source Sans Pro", "ui-sans-serif", "sans-serif"], font_mono=["monospace"]
    )
    with (
        gr.Blocks(theme=theme, analytics_enabled=False, title="Stable Diffusion") as demo,
        gr.Tabs(elem_id="tabs"),
    ):
        for blocks, label, name in tabs:
            with gr.TabItem(label, id=name, elem_id=f"tab_{name}"):
                blocks.render()
    return demo
