"""What is said on stderr of jobs as they end, so that a mistake that spoils all of them is told once."""

import warnings
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator

from spikenn_cy.errors import RunError
from spikenn_cy.errors import TrainingWarning
from spikenn_cy.execution.pool import Outcome
from spikenn_cy.utils.progress import Progress


def told(outcomes: Iterable[Outcome], progress: Progress, has_begun: Callable[[], bool]) -> Iterator[Outcome]:
    """Yield outcomes, each after it has been told beside a bar, which it advances.

    Parameters
    ----------
    outcomes : iterable of Outcome
        Of jobs with a folder ``output``.
    progress : Progress
    has_begun : callable
        Whether there is anything to go on with. Failures wait until there is: a mistake that spoils every job is the
        command's.

    Raises
    ------
    RunError
        In the end, if all that ended has failed before anything began.
    """
    waiting: list[Outcome] = []
    n_failed, warned = 0, set[str]()
    for outcome in outcomes:
        if outcome.warnings:
            with progress.aside():
                _warn(outcome.warnings, warned)
        if outcome.error is not None:
            waiting.append(outcome)
            n_failed += 1
        elif outcome.n_attempts > 1:
            progress.say(f"note: {outcome.job.output}: done by another worker, since the first one died")
        if waiting and (has_begun() or outcome.details is not None):
            for failure in waiting:
                progress.say(f"failed: {failure.job.output}: {failure.error}")
                if failure.details is not None:
                    progress.say(failure.details)
            waiting.clear()
        progress.tell(figures=f"{n_failed} failed" if n_failed else "")
        progress.step()
        yield outcome
    if waiting:
        raise RunError(waiting[0].error)


def _warn(caught: Iterable[Warning], warned: set[str]) -> None:
    """Give each warning once, since all runs on the same data have the same ones, and folds differ in figures."""
    for warning in caught:
        subject = warning.subject if isinstance(warning, TrainingWarning) else str(warning)
        if subject not in warned:
            warned.add(subject)
            warnings.warn(warning, stacklevel=4)
