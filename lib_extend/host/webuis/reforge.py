"""reForge (Panchovix): Forge's first sampling on A1111 1.10, hypernetworks kept."""

from lib_extend.host.webuis.webui import Host, Reliance

HOST = Host(
    name="reForge",
    has=("ldm_patched.modules.model_management", "modules.hypernetworks"),
    lacks=("backend.memory_management",),
    regions=("lib_extend.host.forge", "Forge"),
    memory="ldm_patched.modules.model_management",
    main_thread="modules_forge.main_thread",
    reliances=(
        Reliance("ldm_patched/modules/model_management.py", "unload_all_models"),
        Reliance("ldm_patched/modules/model_management.py", "soft_empty_cache"),
        Reliance("modules_forge/main_thread.py", "run_and_wait_result", takes=("func",)),
        Reliance(
            "ldm_patched/ldm/modules/attention.py",
            "SpatialTransformer.forward",
            takes=("x", "context", "transformer_options"),
            sets=("transformer_blocks",),
        ),
        Reliance("ldm_patched/ldm/modules/attention.py", "BasicTransformerBlock.__init__", sets=("attn2",)),
        Reliance(
            "ldm_patched/ldm/modules/attention.py",
            "CrossAttention.__init__",
            sets=("to_q", "to_k", "to_v", "to_out", "heads"),
        ),
        Reliance("modules_forge/forge_sampler.py", "forge_sample", takes=("denoiser_params",)),
    ),
)
