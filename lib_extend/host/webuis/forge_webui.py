"""Forge (lllyasviel), since it has a backend of its own."""

from lib_extend.host.webuis.webui import Host, Reliance

HOST = Host(
    name="Forge",
    has=("backend.memory_management",),
    lacks=("modules_forge.presets",),
    regions=("lib_extend.host.forge", "Forge"),
    memory="backend.memory_management",
    main_thread="modules_forge.main_thread",
    notes=("backend.text_processing.classic_engine", "last_extra_generation_params"),
    reliances=(
        Reliance("backend/memory_management.py", "unload_all_models"),
        Reliance("backend/memory_management.py", "soft_empty_cache"),
        Reliance("modules_forge/main_thread.py", "run_and_wait_result", takes=("func",)),
        Reliance(
            "backend/nn/unet.py",
            "SpatialTransformer.forward",
            takes=("x", "context", "transformer_options"),
            sets=("transformer_blocks",),
        ),
        Reliance("backend/nn/unet.py", "BasicTransformerBlock.__init__", sets=("attn2",)),
        Reliance(
            "backend/nn/unet.py", "CrossAttention.__init__", sets=("to_q", "to_k", "to_v", "to_out", "heads")
        ),
        Reliance("backend/sampling/sampling_function.py", "calc_cond_uncond_batch"),
        Reliance(
            "backend/diffusion_engine/base.py",
            "ForgeDiffusionEngine.__init__",
            sets=("forge_objects", "is_sdxl"),
        ),
    ),
)
