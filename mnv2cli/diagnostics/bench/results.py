"""The results of the benchmark, with ratios, limits and advice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

ACCURATE = " --accurate"
"""The end of the name of a result that was measured with this option."""


@dataclass(frozen=True)
class Result:
    """The result of one case, the best of its rounds.

    Attributes:
        name: The name of the result: the case, followed by its engine if it has one.
        rate: Images per second after loading; None if not measured.
        seconds: Seconds of the whole process, including start-up and loading.
        megabytes: Peak resident memory of the process; None if the system does not report it.
        images: Number of images measured.
    """

    name: str
    rate: float | None = None
    seconds: float | None = None
    megabytes: float | None = None
    images: int = 0


@dataclass
class BenchResults:
    """All results of one benchmark.

    Attributes:
        cores: Number of cores used.
        results: The results by their names.
    """

    cores: int
    results: dict[str, Result] = field(default_factory=dict)

    def limit(self, engine: str) -> float | None:
        """Return the rate if decoding and inference shared the cores without any loss.

        It is ``1 / (1 / decode + 1 / inference)``, each measured alone with all cores busy. None
        if one was not measured.
        """
        decode, alone = self.results.get("decode"), self.results.get(f"infer {engine}")
        if not (decode and alone and decode.rate and alone.rate):
            return None
        return 1 / (1 / decode.rate + 1 / alone.rate)

    def ratio(self, case: str, base: str, attribute: str = "rate") -> float | None:
        """Return how many times faster one case is than another, by rate or by whole process."""
        one, other = self.results.get(case), self.results.get(base)
        a = getattr(one, attribute, None)
        b = getattr(other, attribute, None)
        if not a or not b:
            return None
        return float(a / b if attribute == "rate" else b / a)

    def advice(self) -> list[str]:
        """Return advice on the best settings for this machine, one line each."""
        ends = {
            name.removeprefix("mnv2 "): result.rate
            for name, result in self.results.items()
            if name.startswith("mnv2 ") and result.rate
        }
        exact = {
            name: rate
            for name, rate in ends.items()
            if "int8" not in name and not name.endswith(ACCURATE)
        }
        if not exact:
            return []
        best = max(exact, key=lambda name: exact[name])
        lines = [f"Fastest with exact scores: --engine {best.split()[0]}"]
        if int8 := ends.get("litert int8"):
            gain = int8 / exact[best]
            lines.append(
                f"--precision int8 is {gain:.2f} times as fast: "
                + (
                    "use it if slightly different scores are acceptable."
                    if gain >= 1.2
                    else "not worth using here."
                )
            )
        for name, rate in ends.items():
            if name.endswith(ACCURATE) and (plain := ends.get(name.removesuffix(ACCURATE))):
                lines.append(f"--accurate takes {plain / rate:.1f} times as long.")
        return lines

    def as_object(self) -> dict[str, Any]:
        """Return everything as an object for JSON."""
        engines = [name.removeprefix("infer ") for name in self.results if name[:6] == "infer "]
        ratios = {
            name: {
                "tutorial": self.ratio(name, "tutorial"),
                "batched": self.ratio(name, "batched"),
                "tutorial_process": self.ratio(name, "tutorial", "seconds"),
                "batched_process": self.ratio(name, "batched", "seconds"),
            }
            for name in self.results
            if name.startswith("mnv2 ")
        }
        limits = {}
        for engine in engines:
            limit, result = self.limit(engine), self.results.get(f"mnv2 {engine}")
            if limit and result and result.rate:
                limits[engine] = {"images_per_second": limit, "reached": result.rate / limit}
        return {
            "cores": self.cores,
            "results": {name: asdict(result) for name, result in self.results.items()},
            "ratios": ratios,
            "limits": limits,
            "advice": self.advice(),
        }


def best_of(new: Result, old: Result | None) -> Result:
    """Return the best of two rounds, figure by figure."""

    def best(a: float | None, b: float | None, pick: Callable[[float, float], float]) -> Any:
        return a if b is None else b if a is None else pick(a, b)

    if old is None:
        return new
    return Result(
        new.name,
        best(new.rate, old.rate, max),
        best(new.seconds, old.seconds, min),
        best(new.megabytes, old.megabytes, max),
        new.images,
    )
