"""The engines and the GPU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mnv2cli.diagnostics.doctor.check import Check
from mnv2cli.diagnostics.doctor.probe import EngineProbe
from mnv2cli.system.hardware import NO_CUDNN, why_no_gpu


def check_engines(probes: Mapping[str, EngineProbe]) -> Iterator[Check]:
    """Yield a check of each engine; one working engine is enough.

    Args:
        probes: The results of the probes, by the engines' names.
    """
    one_works = any(probe.works for probe in probes.values())
    for name, probe in probes.items():
        if probe.works:
            text = f"one image in {probe.seconds * 1000:.0f} ms with {probe.network}"
            yield Check("Engines", name, "ok", text)
        elif one_works:
            advice = f"{probe.advice} Runs use the other engine, which works.".lstrip()
            yield Check("Engines", name, "warn", probe.text, advice)
        else:
            advice = probe.advice or (
                "Reinstall the libraries: pip install --force-reinstall tensorflow keras "
                "ai-edge-litert"
            )
            yield Check("Engines", name, "fail", probe.text, advice)


def check_gpu(gpus: Sequence[str]) -> Iterator[Check]:
    """Yield a check of the GPU.

    Args:
        gpus: The names of the GPUs that an engine can use.
    """
    why = why_no_gpu()
    if why.startswith(NO_CUDNN):
        text, _, advice = why.partition(": ")
        yield Check("Engines", "GPU", "warn", f"not used: {text}", f"To use it: {advice}")
    elif why:
        yield Check("Engines", "GPU", "ok", f"none (optional): {why}")
    elif gpus:
        yield Check("Engines", "GPU", "ok", ", ".join(gpus))
    else:
        yield Check(
            "Engines",
            "GPU",
            "warn",
            "found, but TensorFlow cannot use it",
            "Install the driver and CUDA versions that your TensorFlow was built for.",
        )
