"""AUTOMATIC1111, and WebUIs with the same sampling."""

from lib_extend.host.webuis.webui import Host, Reliance

HOST = Host(
    name="AUTOMATIC1111",
    has=(),
    lacks=("backend.memory_management", "ldm_patched.modules.model_management"),
    regions=("lib_extend.host.a1111", "A1111"),
    reliances=(
        Reliance("modules/sd_samplers_common.py", "Sampler.launch_sampling"),
        Reliance(
            "modules/sd_samplers_cfg_denoiser.py",
            "CFGDenoiser.forward",
            takes=("x", "sigma", "uncond", "cond"),
        ),
        Reliance("modules/sd_models.py", "unload_model_weights"),
        Reliance("modules/sd_models.py", "send_model_to_device"),
        Reliance("modules/sd_models.py", "SdModelData.__init__", sets=("sd_model",)),
    ),
)
