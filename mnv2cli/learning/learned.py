"""The result of learning, for Python programs and for the command line."""

from __future__ import annotations

from typing import Any

from mnv2cli.learning.report import Moved, Relearned, Report
from mnv2cli.learning.summary import summary


class Learned(Report):
    """A learned model, and how good it is on photos that it did not learn from.

    The attributes are those of :class:`~mnv2cli.learning.report.Report`.
    """

    def summary(self) -> str:
        """Return the report in plain words, several lines."""
        return "\n".join(summary(self))

    def as_object(self) -> dict[str, Any]:
        """Return the report for JSON."""
        metrics, advice = self.metrics, self.advice
        found: dict[str, Any] = {
            "path": self.path,
            "network": self.network,
            "source": self.source,
            "photos": metrics.photos,
            "groups": self.groups,
            "alike": list(self.alike),
            "different": dict(self.different),
            "accuracy": metrics.top1,
            "interval": list(metrics.interval),
            "macro_f1": metrics.macro_f1,
            "calibration_error": metrics.calibration_error,
            "strength": self.strength,
            "temperature": self.temperature,
            "fitting_seconds": round(self.fitting, 3),
            "classes": [
                {
                    "name": each.name,
                    "photos": each.photos,
                    "recall": each.recall,
                    "precision": each.precision,
                }
                for each in metrics.classes
            ],
            "confusions": [
                {"class": each.true, "predicted": each.predicted, "photos": each.photos}
                for each in metrics.confusions(100)
            ],
            "suspects": [
                {
                    "path": each.path,
                    "given": each.given,
                    "probable": each.probable,
                    "score": each.score,
                }
                for each in self.suspects
            ],
            "curve": [
                {"photos_per_class": each.photos, "accuracy": each.accuracy}
                for each in advice.points
            ],
            "few": dict(advice.few),
            "more_per_class": advice.more,
            "expected_gain": advice.gain,
            "more_would_hardly_help": advice.level,
            "skipped": [{"path": path, "reason": why} for path, why in self.unused.skipped],
            "unreadable": [{"path": path, "error": why} for path, why in self.unused.unreadable],
            "copies": list(self.unused.copies),
            "conflicts": [
                {"paths": list(paths), "classes": list(classes)}
                for paths, classes in self.unused.conflicts
            ],
        }
        if self.relearned:
            found["relearned"] = _relearned_object(self.relearned)
        return found


def _relearned_object(relearned: Relearned) -> dict[str, Any]:
    def moved(photos: tuple[Moved, ...]) -> list[dict[str, str]]:
        return [{"path": each.path, "before": each.before, "after": each.after} for each in photos]

    return {
        "corrections": moved(relearned.corrections),
        "added": relearned.added,
        "trusted": relearned.trusted,
        "answers": relearned.answers,
        "dropped": relearned.dropped,
        "accuracy_before": relearned.accuracy_before,
        "accuracy_after": relearned.accuracy_after,
        "corrected_before": relearned.corrected_before,
        "corrected_after": relearned.corrected_after,
        "would_move": moved(relearned.would_move),
        "ignored": [{"path": path, "reason": why} for path, why in relearned.ignored],
        "renamed": [{"class": name, "folder": folder} for name, folder in relearned.renamed],
        "missing": relearned.missing,
        "lost": relearned.lost,
        "backup": relearned.backup,
    }
