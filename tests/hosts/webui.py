"""A double of a WebUI, as a program: `PYTHON tests/hosts/webui.py --host a1111|forge|neo|classic|reforge --port N`.

Run it with the working folder as the WebUI's root (it needs `extensions/` there) and a python that has the host's
packages: it serves the real Gradio. `/double/state` and `/double/reload-ui` are for tests.
"""

import asyncio
import os
import socket
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# as `launch.py` lies beside `modules` in a WebUI's root
sys.path[0] = os.path.join(HERE, "double")
FOLDERS = {
    "a1111": (),
    "forge": ("double_forge", "double_kin"),
    "neo": ("double_forge", "double_kin", "double_neo"),
    "classic": ("double_patched", "double_kin"),
    "reforge": ("double_patched", "double_kin", "double_reforge"),
}
"""What each has beside what is common to all."""
HOST = sys.argv[sys.argv.index("--host") + 1] if "--host" in sys.argv else "a1111"
for folder in FOLDERS[HOST]:
    sys.path.insert(1, os.path.join(HERE, folder))
if HOST == "reforge":
    import modules

    modules.__path__.append(os.path.join(HERE, "double_reforge", "modules"))


def main() -> None:
    # as the WebUIs see to it: Gradio takes a thread to have a loop
    asyncio.set_event_loop(asyncio.new_event_loop())
    os.makedirs("extensions", exist_ok=True)
    if "--skip-installers" not in sys.argv:
        from modules import launch_utils

        launch_utils.run_extensions_installers()
    from modules import extensions, script_callbacks, scripts, sd_models, shared, ui

    extensions.list_extensions()
    scripts.load_scripts()
    threading.Thread(target=sd_models.model_data.get_sd_model, daemon=True).start()
    options = shared.cmd_opts
    while True:
        script_callbacks.before_ui_callback()
        shared.demo = ui.create_ui()
        shared.demo.queue(64)
        credentials = [tuple(c.split(":", 1)) for c in (options.gradio_auth or "").split(",") if c]
        app, local, _ = shared.demo.launch(
            server_name=options.server_name or ("0.0.0.0" if options.listen else None),
            server_port=options.port,
            auth=credentials or None,
            prevent_thread_lock=True,
            quiet=True,
            allowed_paths=[os.path.join(HERE, "double"), os.getcwd()],  # as Forge does
            app_kwargs={"docs_url": "/docs", "redoc_url": "/redoc"},
        )
        _middleware(app, options)
        from modules import api

        api.Api(app)
        script_callbacks.app_started_callback(shared.demo, app)
        print(f"Running on {local}", flush=True)
        command = None
        while command is None:
            command = shared.state.wait_for_server_command(timeout=5)
        shared.demo.close()
        if command != "restart":
            return
        print("Restarting UI...", flush=True)
        script_callbacks.app_reload_callback()
        script_callbacks.script_unloaded_callback()
        _wait_for(options.port)
        extensions.list_extensions()
        scripts.load_scripts()


def _wait_for(port: int) -> None:
    """Until the old server has left its port; a browser's open connections can hold it for a moment."""
    for _ in range(100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return
            except OSError:
                time.sleep(0.1)


def _middleware(app, options) -> None:
    """Gradio's open CORS policy goes; A1111 compresses answers, events too; Forge's attempt has no effect."""
    from starlette.middleware import Middleware
    from starlette.middleware.gzip import GZipMiddleware

    app.user_middleware = [m for m in app.user_middleware if "CORSMiddleware" not in m.cls.__name__]
    if options.host == "a1111":
        app.user_middleware.insert(0, Middleware(GZipMiddleware, minimum_size=1000))
    app.middleware_stack = app.build_middleware_stack()


if __name__ == "__main__":
    if HOST != "a1111":  # models are moved on the main thread only
        from modules_forge import main_thread

        threading.Thread(target=main, daemon=True).start()
        main_thread.loop()
    else:
        main()
