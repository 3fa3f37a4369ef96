"""What a runtime remembers between its calls."""

from __future__ import annotations

import os
import stat
from multiprocessing import get_context
from pathlib import Path
from threading import Event, Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hcsshim.oci.locks import FileLock, held, is_held
from hcsshim.oci.state_store import NoContainerError, NoStateError, StateStore

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@pytest.fixture
def store(tmp_path: Path) -> StateStore:
    """An empty store of one's own."""
    return StateStore(str(tmp_path / "root"))


@settings(deadline=None, max_examples=40)
@given(st.text(min_size=1, max_size=40).filter(lambda t: t.isprintable()), VALUES)
def test_any_id_and_value(
    tmp_path_factory: pytest.TempPathFactory, container_id: str, value: object
) -> None:
    """
    Ids are no paths, whatever is in them; values come back as they were.
    """
    store = StateStore(str(tmp_path_factory.mktemp("any")))

    store.create(container_id, "a/b", value)
    store.set(container_id, ".", [value])

    assert value == store.get(container_id, "a/b")
    assert [value] == store.get(container_id, ".")
    assert (container_id,) == store.ids()
    assert store.path(container_id).parent == store.folder
    store.remove(container_id)
    assert () == store.ids()
    assert not list(store.folder.iterdir())


def test_keys(store: StateStore) -> None:
    """
    A key is set, replaced, cleared; what is missing is told apart.
    """
    with pytest.raises(NoContainerError, match="container 'x' does not exist"):
        store.get("x", "k")
    store.create("x", "state", {})
    with pytest.raises(NoStateError, match="container 'x' has no state 'k'"):
        store.get("x", "k")
    with pytest.raises(NoStateError, match="has no state 'k'"):
        store.clear("x", "k")
    store.set("x", "k", 1)
    store.set("x", "k", 2)
    assert 2 == store.get("x", "k")
    store.clear("x", "k")
    with pytest.raises(NoStateError):
        store.get("x", "k")
    for act in (
        lambda: store.set("y", "k", 1),
        lambda: store.clear("y", "k"),
        lambda: store.remove("y"),
        lambda: store.locked("y"),
    ):
        with pytest.raises(NoContainerError, match="container 'y'"):
            act()


def test_an_id_is_taken_once(store: StateStore) -> None:
    """
    Who comes second leaves no trace, and changes nothing.
    """
    store.create("x", "state", 1)

    with pytest.raises(FileExistsError, match="container 'x' exists already"):
        store.create("x", "state", 2)
    with pytest.raises(ValueError, match="id is empty"):
        store.create("", "state", 2)

    assert 1 == store.get("x", "state")
    assert ["x"] == [path.name for path in store.folder.iterdir()]


def test_only_the_user_can_read_it(store: StateStore) -> None:
    """
    Specifications have secrets in their environment.
    """
    store.create("x", "state", {})

    for path in (store.folder, store.path("x"), *store.path("x").iterdir()):
        assert 0 == stat.S_IMODE(path.stat().st_mode) & 0o077


def test_everything_can_be_forgotten(store: StateStore) -> None:
    """
    A root goes with all its containers.
    """
    store.create("x", "state", {})

    store.remove_all()

    assert not store.folder.exists()
    assert () == store.ids()
    store.remove_all()


def test_named_roots_are_in_the_users_state(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """
    A name is a folder below the state folder; it is no path.
    """
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    assert tmp_path / "hcsshim" / "runhcs" / "k8s.io" == StateStore("k8s.io").folder
    assert "%2E." == StateStore("..").folder.name
    with pytest.raises(ValueError, match="no name"):
        StateStore("")


def _take(path: str, ready: object) -> None:
    lock = FileLock(Path(path))
    assert lock.acquire(60)
    ready.set()  # type: ignore[attr-defined]
    os.kill(os.getpid(), 9)


def test_a_lock_ends_with_its_holder(tmp_path: Path) -> None:
    """
    However a process ends, what it held is free.
    """
    path = tmp_path / "lock"
    context = get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_take, args=(str(path), ready))

    process.start()
    assert ready.wait(60)
    process.join(60)

    assert not is_held(path)


def test_one_holds_it_at_a_time(tmp_path: Path) -> None:
    """
    The second waits, and gives up in time.
    """
    path = tmp_path / "lock"
    assert not is_held(path)
    with held(path, 60, "it"):
        assert is_held(path)
        assert not FileLock(path).try_acquire()
        with pytest.raises(TimeoutError, match="it is busy"):
            held(path, 0, "it")
    assert not is_held(path)


def test_the_second_gets_it_when_the_first_is_done(store: StateStore) -> None:
    """
    Verbs on one container come one after another.
    """
    store.create("x", "state", {})
    order = []
    waiting = Event()

    def second() -> None:
        waiting.set()
        with store.locked("x"):
            order.append("second")

    with store.locked("x"):
        thread = Thread(target=second)
        thread.start()
        assert waiting.wait(60)
        order.append("first")
    thread.join(60)

    assert ["first", "second"] == order
