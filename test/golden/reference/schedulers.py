"""Timesteps and trajectories of diffusers' schedulers under a toy model, for many configurations.

Writes fixtures/schedulers/schedulers.json and, for the samplers that came later, solvers.json. The scheduler is made as StableDiffusionPipeline makes it: loaded from a
folder, mended by the pipeline, then turned into another class by from_config where a case asks for one.
"""

import inspect
import json
import tempfile
from pathlib import Path

import diffusers
import numpy as np
import torch
from diffusers.configuration_utils import FrozenDict
from diffusers.utils.torch_utils import randn_tensor

CLASSES = {
    "pndm": "PNDMScheduler",
    "ddim": "DDIMScheduler",
    "ddpm": "DDPMScheduler",
    "dpm++2m": "DPMSolverMultistepScheduler",
    "euler": "EulerDiscreteScheduler",
    "euler-a": "EulerAncestralDiscreteScheduler",
}
SOLVERS = {
    "lms": "LMSDiscreteScheduler",
    "heun": "HeunDiscreteScheduler",
    "dpm++2m-sde": "DPMSolverMultistepScheduler",
    "deis": "DEISMultistepScheduler",
    "unipc": "UniPCMultistepScheduler",
    "lcm": "LCMScheduler",
}
SHAPE = (1, 4, 8, 8)
SD1 = {
    "_class_name": "PNDMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000, "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1,
    "trained_betas": None, "clip_sample": False,
}
SD2 = {**SD1, "_class_name": "DDIMScheduler", "prediction_type": "v_prediction"}


def load(config, name):
    """The folder's scheduler after StableDiffusionPipeline.__init__, or `name` from its config."""
    own = getattr(diffusers, config["_class_name"])
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "scheduler_config.json").write_text(json.dumps(config))
        scheduler = own.from_pretrained(folder)
    mended = dict(scheduler.config)
    if mended.get("steps_offset", 1) != 1:
        mended["steps_offset"] = 1
    if mended.get("clip_sample", False) is True:
        mended["clip_sample"] = False
    scheduler._internal_dict = FrozenDict(mended)
    if not name:
        return scheduler
    said = {"dpm++2m": "dpmsolver++", "dpm++2m-sde": "sde-dpmsolver++"}
    options = {"algorithm_type": said[name]} if name in said else {}
    return getattr(diffusers, {**CLASSES, **SOLVERS}[name]).from_config(scheduler.config, **options)


def trajectory(scheduler, steps):
    scheduler.set_timesteps(steps)
    generator = torch.Generator().manual_seed(42)
    x = randn_tensor(SHAPE, generator=generator) * scheduler.init_noise_sigma
    takes = inspect.signature(scheduler.step).parameters
    extra = {"generator": generator} if "generator" in takes else {}
    middle = None
    for i, t in enumerate(scheduler.timesteps):
        scaled = scheduler.scale_model_input(x, t)
        output = torch.sin(scaled) * 0.8 + scaled * 0.3 + float(t) / 5000
        x = scheduler.step(output, t, x, **extra).prev_sample
        if i == len(scheduler.timesteps) // 2:
            middle = x
    return {
        "timesteps": [float(t) for t in scheduler.timesteps],
        "initNoiseSigma": float(scheduler.init_noise_sigma),
        "middle": summary(middle),
        "final": summary(x),
    }


def summary(x):
    flat = x.flatten().double()
    return {"norm": flat.norm().item(), "max": flat.abs().max().item(), "values": flat[::37].tolist()}


def cases():
    for name in CLASSES:
        for steps in (1, 2, 3, 12, 25, 50):
            yield SD1, name, steps
        for spacing in ("leading", "linspace", "trailing"):
            for base in (SD1, SD2):
                for steps in (7, 25):
                    yield {**base, "timestep_spacing": spacing}, name, steps
        yield {**SD2, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}, name, 25
        for schedule in ("linear", "squaredcos_cap_v2"):
            yield {**SD1, "beta_schedule": schedule}, name, 12
        yield {**SD1, "trained_betas": np.linspace(0.001, 0.02, 200).tolist(), "num_train_timesteps": 200}, name, 12
        bare = {k: v for k, v in SD1.items() if k not in ("steps_offset", "clip_sample", "set_alpha_to_one")}
        yield bare, name, 12
        yield {**bare, "_class_name": CLASSES[name]}, None, 12
        yield {**SD1, "_class_name": CLASSES[name], "steps_offset": 0, "clip_sample": True}, None, 12
        yield {**SD1, "steps_offset": 0, "clip_sample": True}, name, 12
        if name not in ("pndm", "euler-a"):
            yield {**SD1, "prediction_type": "sample"}, name, 12
        yield {**SD1, "_class_name": "DPMSolverMultistepScheduler", "timestep_spacing": "leading", "use_karras_sigmas": True}, name, 12
    yield SD2, None, 25
    yield SD1, None, 25
    for steps in (4, 5, 12, 25):
        yield {**SD1, "skip_prk_steps": False}, None, steps
        yield {**SD2, "_class_name": "PNDMScheduler", "skip_prk_steps": False, "timestep_spacing": "linspace"}, None, steps
    for variance in ("fixed_small", "fixed_small_log", "fixed_large"):
        yield {**SD1, "_class_name": "DDPMScheduler", "variance_type": variance}, None, 12
    yield {**SD1, "_class_name": "DDIMScheduler", "set_alpha_to_one": True}, None, 12
    dpm = {**SD1, "_class_name": "DPMSolverMultistepScheduler"}
    for steps in (5, 12, 14, 15, 25):
        for options in (
            {"use_karras_sigmas": True}, {"use_exponential_sigmas": True}, {"solver_type": "heun"}, {"solver_order": 1},
            {"lower_order_final": False}, {"euler_at_final": True, "final_sigmas_type": "sigma_min"},
            {"final_sigmas_type": "sigma_min"}, {"final_sigmas_type": "sigma_min", "lower_order_final": False},
            {"beta_schedule": "squaredcos_cap_v2", "lambda_min_clipped": -5.1},
        ):
            yield {**dpm, **options}, None, steps
    # Fewer steps put two equal timesteps first here, at which diffusers leaves its own table.
    yield {**dpm, "beta_schedule": "squaredcos_cap_v2", "use_karras_sigmas": True}, None, 3
    euler = {**SD1, "_class_name": "EulerDiscreteScheduler"}
    for options in (
        {"use_karras_sigmas": True}, {"use_exponential_sigmas": True}, {"interpolation_type": "log_linear"},
        {"final_sigmas_type": "sigma_min"}, {"use_karras_sigmas": True, "sigma_min": 0.05, "sigma_max": 12.0},
        {"timestep_type": "continuous", "prediction_type": "v_prediction"},
    ):
        for steps in (3, 12, 25):
            yield {**euler, **options}, None, steps


def solver_cases():
    for name in SOLVERS:
        for base in (SD1, SD2):
            for steps in (8, 25):
                yield base, name, steps
        for spacing in ("leading", "linspace", "trailing"):
            yield {**SD2, "timestep_spacing": spacing}, name, 7
        for steps in (1, 2, 3, 50):
            yield SD1, name, steps
        own = {**SD1, "_class_name": SOLVERS[name]}
        if name == "dpm++2m-sde":
            own["algorithm_type"] = "sde-dpmsolver++"
        yield own, None, 12
        yield {key: own[key] for key in ("_class_name", "algorithm_type") if key in own}, None, 12
        yield {**SD1, "steps_offset": 0, "clip_sample": True}, name, 12
        yield {**SD1, "prediction_type": "sample"}, name, 12
        yield {**SD1, "beta_schedule": "squaredcos_cap_v2"}, name, 12
        if name not in ("lms", "lcm"):
            yield {**own, "sigma_min": 0.05, "sigma_max": 12.0, "use_karras_sigmas": True}, None, 12
        if name != "lcm":
            for options in ({"use_karras_sigmas": True}, {"use_exponential_sigmas": True}):
                for steps in (8, 25):
                    yield {**own, **options}, None, steps
        if name in ("dpm++2m-sde", "deis", "unipc"):
            other = "DEISMultistepScheduler" if name == "unipc" else "UniPCMultistepScheduler"
            yield {**SD1, "_class_name": other, "solver_order": 2, "solver_type": "logrho" if name == "unipc" else "bh2"}, name, 12
            for steps in (8, 25):
                for options in ({"solver_order": 1}, {"solver_order": 3}):
                    if name != "dpm++2m-sde" or options["solver_order"] == 1:
                        yield {**own, **options}, None, steps
    sde = {**SD1, "_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "sde-dpmsolver++"}
    for options in (
        {"solver_type": "heun"}, {"final_sigmas_type": "sigma_min", "lower_order_final": False}, {"euler_at_final": True},
    ):
        yield {**sde, **options}, None, 16
    yield sde, "dpm++2m", 12
    yield {**SD1, "_class_name": "DEISMultistepScheduler", "algorithm_type": "deis", "solver_type": "logrho"}, "dpm++2m", 12
    yield {**SD1, "_class_name": "DEISMultistepScheduler", "lower_order_final": False}, None, 12
    unipc = {**SD1, "_class_name": "UniPCMultistepScheduler"}
    for options in (
        {"solver_type": "bh1", "final_sigmas_type": "sigma_min"},
        {"solver_type": "bh1", "final_sigmas_type": "sigma_min", "solver_order": 3}, {"disable_corrector": [0, 3]},
        {"final_sigmas_type": "sigma_min", "lower_order_final": False},
        {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction", "timestep_spacing": "trailing"},
    ):
        yield {**unipc, **options}, None, 12
    lcm = {**SD1, "_class_name": "LCMScheduler"}
    for options in ({"original_inference_steps": 100}, {"timestep_scaling": 3.0}):
        for steps in (4, 49):
            yield {**lcm, **options}, None, steps


def schedules():
    """ᾱ of the noise schedules in full precision: a checksum of the bits and a few values."""
    for config in (SD1, {**SD1, "beta_schedule": "linear"}, {**SD1, "beta_schedule": "squaredcos_cap_v2"},
                   {**SD1, "rescale_betas_zero_snr": True}, {**SD1, "beta_schedule": "linear", "num_train_timesteps": 333},
                   {**SD1, "beta_start": 0.0001, "beta_end": 0.02, "rescale_betas_zero_snr": True}):
        kept = {k: v for k, v in config.items() if k not in ("_class_name", "skip_prk_steps")}
        scheduler = diffusers.DDIMScheduler.from_config({**kept, "_class_name": "DDIMScheduler"})
        bits = scheduler.alphas_cumprod.numpy().view(np.uint32)
        x = torch.linspace(-2, 2, 6).reshape(1, 6, 1, 1)
        noise = torch.linspace(1, -3, 6).reshape(1, 6, 1, 1)
        t = torch.tensor([len(bits) * 2 // 3])
        yield {
            "config": config,
            "bits": bits[:: max(1, len(bits) // 100)].tolist(),
            "t": int(t),
            "addNoise": scheduler.add_noise(x, noise, t).flatten().tolist(),
            "velocity": scheduler.get_velocity(x, noise, t).flatten().tolist(),
        }


def records(cases):
    return [{"config": config, "name": name, "steps": steps, **trajectory(load(config, name), steps)} for config, name, steps in cases]


def timestep_sums(names):
    grid = {}
    for name in names:
        for spacing in ("leading", "linspace", "trailing"):
            scheduler = load({**SD1, "timestep_spacing": spacing}, name)
            for steps in [*range(2, 60), 99, 100, 333]:
                if name == "lcm" and steps > 50:
                    continue
                scheduler.set_timesteps(steps)
                grid[f"{name} {spacing} {steps}"] = sum((i + 1) * float(t) for i, t in enumerate(scheduler.timesteps))
    return grid


def main():
    diffusers.utils.logging.set_verbosity_error()
    out = Path(__file__).parent.parent / "fixtures" / "schedulers"
    out.mkdir(parents=True, exist_ok=True)
    fixtures = {
        "schedulers.json": {"trajectories": records(cases()), "timestepSums": timestep_sums(CLASSES), "schedules": list(schedules())},
        "solvers.json": {"trajectories": records(solver_cases()), "timestepSums": timestep_sums(SOLVERS)},
    }
    for name, fixture in fixtures.items():
        text = json.dumps(fixture, allow_nan=False)
        (out / name).write_text(text)
        print(name, len(fixture["trajectories"]), "trajectories", len(text), "bytes")


main()
