"""An extension of the tests: asks `lib_extend.host` from inside the running WebUI, and answers over HTTP."""

import dataclasses

from modules import script_callbacks


def started(demo, app):
    from lib_extend.host import about, options, paths, safety
    from lib_extend.host import checkpoint_memory as memory

    def plain(value):
        if dataclasses.is_dataclass(value):
            return {k: plain(v) for k, v in dataclasses.asdict(value).items()}
        if isinstance(value, (list, tuple)):
            return [plain(v) for v in value]
        return value if isinstance(value, (str, int, float, bool, dict, type(None))) else str(value)

    def look():
        import os

        return {
            "webui": plain(about.about()),
            "options": plain(options.read()),
            "safety": plain(safety.safety()),
            "credentials": safety.credentials(),
            "data": str(paths.data_folder()),
            "models": str(paths.models_folder()),
            "loras": plain(paths.lora_folders()),
            "worker": os.environ.get("PROMPT_EXTEND_WORKER_PYTHON"),
            "can_unload": memory.can_unload(),
        }

    def unload():
        return {"did": memory.unload(), "away": memory.unloaded()}

    def back():
        return {"did": memory.bring_back(), "away": memory.unloaded()}

    app.add_api_route("/probe", look, methods=["GET"])
    app.add_api_route("/probe/unload", unload, methods=["POST"])
    app.add_api_route("/probe/back", back, methods=["POST"])


script_callbacks.on_app_started(started)
