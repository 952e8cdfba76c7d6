"""What a start makes of the state that it finds: after a crash, after a power cut, on a disk with damage."""

from collections.abc import Collection, Sequence

from edge_seg.updates.state import State

CRASHED_TWICE = "the program went down twice while it was on trial"


def rebuilt(versions: Sequence[int]) -> State:
    """Guess a lost state from the versions that are there, the lowest first.

    The newest runs, and has to prove itself again.
    """
    current, previous = [None, None, *versions][:-3:-1]
    return State(
        current=current, previous=previous, highest=max(versions, default=0), trial="paused" if versions else None
    )


def recovered(state: State, intact: Collection[int]) -> tuple[State, list[str]]:
    """Return the state to go on with, and a sentence for each thing that was wrong.

    Args:
        state: as the last process left it.
        intact: the versions that hold what they should.
    """
    told: list[str] = []
    state = _without_damaged(state, intact, told)
    if state.trial == "running" and state.current is not None:
        state = _after_crash(state, state.current, told)
    if state.trial == "paused":
        state = state.model_copy(update={"trial": "running"})
    return state, told


def _without_damaged(state: State, intact: Collection[int], told: list[str]) -> State:
    if state.previous is not None and state.previous not in intact:
        state = state.model_copy(update={"previous": None})
    if state.current is None or state.current in intact:
        return state
    told.append(f"version {state.current} is damaged; {_runs(state.previous)}, and it is fetched again")
    return state.fallen_back().model_copy(update={"etag": ""})


def _after_crash(state: State, version: int, told: list[str]) -> State:
    ended = f"version {version} was on trial when the program, or the power, went down"
    if state.crashed == version:
        told.append(f"{ended}, again; it is refused, and {_runs(state.previous)}")
        return state.refusing(version, CRASHED_TWICE).fallen_back()
    if state.previous is None:
        told.append(f"{ended}; {_runs(None)}, so it is tried once more at once")
        return state.model_copy(update={"crashed": version, "trial": "paused"})
    told.append(f"{ended}; {_runs(state.previous)}, and it is tried once more later")
    return state.fallen_back().model_copy(update={"crashed": version, "etag": ""})


def _runs(version: int | None) -> str:
    return "no earlier one is there" if version is None else f"version {version} runs"
