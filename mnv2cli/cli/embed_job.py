"""One run of ``mnv2 embed``, and the features that ``mnv2 classify --embeddings`` adds."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING, Any

from mnv2cli.cli.classify_job import ClassifyJob
from mnv2cli.cli.inputs import find_inputs
from mnv2cli.inference.feature_store import CachedFeatures, features_settings
from mnv2cli.models.head import normalise
from mnv2cli.results.formats import load_format
from mnv2cli.results.output import Output
from mnv2cli.runs.features_run import FeaturesRun, features_layout
from mnv2cli.runs.options import RunOptions
from mnv2cli.runs.shard_results import FEATURES

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.records import Record
    from mnv2cli.results.options import OutputTarget
    from mnv2cli.results.schema import Layout
    from mnv2cli.runs.run import Run
    from mnv2cli.runs.shards import Shard
    from mnv2cli.sources.options import Inputs


@dataclass(frozen=True, slots=True)
class EmbedOptions:
    """How features are computed.

    Attributes:
        normalize: Scale the features of each image to length 1.
        cache: Use and fill the cache of features.
    """

    normalize: bool = False
    cache: bool = True


def normalised(record: Record) -> Record:
    """Return a record whose features have the length 1."""
    if record.embedding is None:
        return record
    return replace(record, embedding=normalise(record.embedding[None])[0])


class EmbedJob(ClassifyJob):
    """One run of the command.

    Args:
        classifier: Computes the features.
        screen: Shows notices, progress and the summary.
        target: The features file.
        shard: The images to use; None for all.
        run: The features and their log.
        options: How features are computed.
    """

    def __init__(
        self,
        classifier: Classifier,
        screen: Screen,
        target: OutputTarget,
        shard: Shard | None,
        run: FeaturesRun,
        options: EmbedOptions,
    ) -> None:
        layout = features_layout(position=shard is not None)
        # The run has checked what may be replaced: rows of an unfinished run, too.
        super().__init__(classifier, screen, replace(target, force=True), layout, shard, run)
        self._features = run
        self._options = options

    def _settings(self) -> dict[str, Any]:
        return features_settings(self._classifier, normalized=self._options.normalize)

    def _records(self, inputs: Inputs) -> Generator[Record, None, None]:
        classifier, report = self._classifier, self.report
        found = find_inputs(classifier, inputs, report, self._screen)
        store = CachedFeatures(classifier) if self._options.cache else None
        records = classifier.embed_run(
            self._choose(found.sources),
            store,
            report.timings,
            found.sample,
            self._interrupts.stop_requested,
        )
        with ExitStack() as stack:
            if store:
                stack.callback(store.close)
            stack.callback(records.close)
            for record in records:
                yield normalised(record) if self._options.normalize else record

    def _write(
        self, records: Iterable[Record], total: Callable[[Event], int | None] | None
    ) -> None:
        if not (self._engine or self._features.append):  # an empty shard has a description, too
            self._classifier.load()
            self._features.start(self._settings())
        super()._write(records, total)

    def _finish(self, run: Run) -> None:
        self._screen.status(f"Writing {self._written}")
        self._features.write(self.report.images)
        super()._finish(run)

    def _fail(self, error: BaseException) -> None:
        self._written = self._features.rows
        super()._fail(error)


class AddedFeatures:
    """The features file of ``mnv2 classify --embeddings``.

    Its rows and log are those of ``mnv2 embed``, which can therefore continue it.

    Args:
        path: The file.
        classifier: Computes labels and features.

    Attributes:
        path: As given.
    """

    def __init__(self, path: str, classifier: Classifier) -> None:
        self.path = path
        self._classifier = classifier
        self._run = FeaturesRun(path, self._settings(), RunOptions())
        self._layout: Layout = features_layout()
        self._stack = ExitStack()
        self._output: Output | None = None

    def _settings(self) -> dict[str, Any]:
        return features_settings(self._classifier, normalized=False)

    def passing(self, records: Generator[Record, None, None]) -> Generator[Record, None, None]:
        """Yield the records, after writing their features."""
        with closing(records):
            for record in records:
                if self._output is None:
                    self._run.start(self._settings())
                    rows = Output(
                        self._run.rows,
                        load_format(FEATURES),
                        self._layout,
                        force=True,
                        opened=self._run.opened,
                    )
                    self._output = self._stack.enter_context(rows)
                self._output.write(record)
                yield record

    def complete(self) -> None:
        """Write the file, with the rows so far.

        Raises:
            OutputError: It cannot be written.
        """
        self._stack.close()
        if self._output is not None:
            self._run.write(self._output.written)
            self._run.finish(self._output.written, self._output.written)

    def stop(self, error: BaseException) -> None:
        """Record that the run failed; its rows stay, for mnv2 embed to continue."""
        self._stack.close()
        self._run.stop(error)

    def close(self) -> None:
        """Release the file."""
        self._stack.close()
        self._run.close()


class ClassifyAndEmbedJob(ClassifyJob):
    """A run of ``mnv2 classify`` that also writes features; set :attr:`features` first.

    Attributes:
        features: Receives the features.
    """

    features: AddedFeatures

    def classify(self, inputs: Inputs) -> None:
        """Classify the inputs, and write rows and features; also those before an interrupt."""
        try:
            super().classify(inputs)
            self.features.complete()
            self._screen.lines([("Features", self.features.path, "")])
        except KeyboardInterrupt:
            self.features.complete()
            raise
        except BaseException as error:
            self.features.stop(error)
            raise
        finally:
            self.features.close()

    def _records(self, inputs: Inputs) -> Generator[Record, None, None]:
        return self.features.passing(super()._records(inputs))

    def _additions(self) -> dict[str, bool]:
        return {**super()._additions(), "features": True}
