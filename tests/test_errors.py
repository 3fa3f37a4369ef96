"""What a code becomes: class, text, attributes."""

from __future__ import annotations

import builtins
import errno
import inspect
import json
import pickle
from pathlib import Path

import pytest

from hcsshim import errors
from hcsshim.documents import ErrorEvent
from hcsshim.errors import HcsError, check, error_of
from hcsshim.hresult import (
    HResult,
    message_of,
    name_of,
    normalise,
    vmcompute_form,
    win32_code,
)

FIXTURES = Path(__file__).parent / "fixtures" / "hcs"
RESULTS = sorted(FIXTURES.glob("result-*.json"))
MESSAGES = sorted(FIXTURES.glob("go-message-*.json"))
CODES = {name: code for name, code in vars(HResult).items() if isinstance(code, int)}
FAILURES = sorted(code for code in set(CODES.values()) if code & 0x80000000)
CLASSES = [
    cls
    for _, cls in inspect.getmembers(errors, inspect.isclass)
    if issubclass(cls, HcsError)
]

INVALID = (
    '{"Error":-1070137075,"ErrorMessage":"The document is invalid.","ErrorEvents":['
    '{"Message":"General.","EventId":12030},'
    '{"Message":"Unknown\\r\\nfield \'Gpu\'.","Provider":'
    '"17103e3f-3c6e-4677-bb17-3b267eb5be57","EventId":11000,"Flags":5,'
    '"Data":[{"Type":"String","Value":"%%3224830221"}]},'
    '{"Provider":"00000000-0000-0000-0000-000000000000"}]}'
)


@pytest.mark.parametrize(
    ("code", "cls", "builtin"),
    [
        (0x8037010E, errors.NotFoundError, FileNotFoundError),
        (0xC037010E, errors.NotFoundError, FileNotFoundError),
        (0x80070490, errors.NotFoundError, FileNotFoundError),
        (0x803B0002, errors.NotFoundError, FileNotFoundError),
        (0x8037010F, errors.AlreadyExistsError, FileExistsError),
        (0x80370110, errors.AlreadyStoppedError, OSError),
        (0x8037011F, errors.AlreadyStoppedError, OSError),
        (0xC0370105, errors.InvalidStateError, OSError),
        (0x8007139F, errors.InvalidStateError, OSError),
        (0x80370118, errors.HcsTimeoutError, TimeoutError),
        (0x80070102, errors.HcsTimeoutError, TimeoutError),
        (0x80070005, errors.AccessDeniedError, PermissionError),
        (0x80370114, errors.NotSupportedError, NotImplementedError),
        (0x80004001, errors.NotSupportedError, NotImplementedError),
        (0x8037011E, errors.ServiceDisconnectedError, ConnectionError),
        (0x800706BA, errors.ServiceDisconnectedError, ConnectionError),
        (0x80370108, errors.ConnectionFailedError, ConnectionError),
        (0x8037010A, errors.ConnectionClosedError, ConnectionError),
        (0x80070006, errors.HandleClosedError, ValueError),
        (0x8037010D, errors.InvalidDataError, ValueError),
        (0x8007000D, errors.InvalidDataError, ValueError),
        (0xC0370106, errors.UnexpectedExitError, OSError),
        (0x80370107, errors.TerminatedError, OSError),
        (0x80370121, errors.OperationCancelledError, OSError),
        (0x8007000E, errors.OutOfMemoryError, MemoryError),
        (0x80070070, errors.OutOfSpaceError, OSError),
        (0x80070020, errors.InUseError, OSError),
        (0x800700AA, errors.BusyError, OSError),
        (0x80370111, errors.ProtocolError, OSError),
        (0x80041002, HcsError, OSError),
    ],
)
def test_code_decides_class(
    code: int, cls: type[HcsError], builtin: type[Exception]
) -> None:
    """A code gives its class, which is also the builtin that one would catch."""
    with pytest.raises(builtin) as caught:
        check(code, "HcsStartComputeSystem", "demo")

    assert cls is type(caught.value)
    assert code == caught.value.hresult


def test_signed_code_is_understood() -> None:
    """A code as C and JSON give it, negative, is the same as the unsigned one."""
    error = error_of(-1070137074, "HcsOpenComputeSystem")

    assert type(error) is errors.NotFoundError
    assert error.hresult == 0xC037010E
    assert error.code == HResult.HCS_E_SYSTEM_NOT_FOUND


@pytest.mark.parametrize("code", [0, 1, 0x00370000, 0xC0370103, -1070137085])
def test_success_and_pending_do_not_raise(code: int) -> None:
    """A success code and vmcompute's "pending" come back as they are."""
    assert code == check(code, "HcsStartComputeSystem")


def test_1168_about_a_process_is_both_gone_and_stopped() -> None:
    """
    "Element not found" is not-found everywhere, and already-stopped of a process.
    """
    of_process = error_of(0x80070490, "HcsTerminateProcess", process_id=12)
    of_system = error_of(0x80070490, "HcsGetComputeSystemProperties")

    assert isinstance(of_process, errors.NotFoundError)
    assert isinstance(of_process, errors.AlreadyStoppedError)
    assert of_process.errno == errno.ESRCH
    assert not isinstance(of_system, errors.AlreadyStoppedError)


def test_text_is_that_of_the_last_event_with_a_message() -> None:
    """HCS's most special sentence is shown, in one line, with call, id and code."""
    error = error_of(0x8037010D, "HcsCreateComputeSystem", "demo", INVALID)

    assert str(error) == (
        "Unknown field 'Gpu'. (HcsCreateComputeSystem 'demo', 0x8037010D)"
    )


def test_events_are_decoded() -> None:
    """Every event of the document is given, with all that HCS sent."""
    general, special, empty = error_of(0x8037010D, "x", "", INVALID).events

    assert general == ErrorEvent(message="General.", event_id=12030)
    assert special.provider == "17103e3f-3c6e-4677-bb17-3b267eb5be57"
    assert (special.event_id, special.flags) == (11000, 5)
    assert [element.value for element in special.data] == ["%%3224830221"]
    assert not empty.has_provider


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ('{"Error":-1,"ErrorMessage":"Element not found."}', "Element not found."),
        (
            (
                '{"Error":-2147024891,"ErrorMessage":"","Attribution":'
                '[{"OperationFailure":{"Detail":"Construct"}}]}'
            ),
            "Access is denied. In: Construct.",
        ),
        (None, "Access is denied."),
        ("", "Access is denied."),
        ("{not json", "Access is denied."),
        ("[1]", "Access is denied."),
        ("[" * 100_000, "Access is denied."),
        ('{"ErrorEvents":[1,{"Message":5}],"ErrorMessage":[]}', "Access is denied."),
    ],
)
def test_text_without_events(document: str | None, text: str) -> None:
    """Without an event the next best text is shown; no document can break that."""
    error = error_of(0x80070005, "HcsCreateComputeSystem", "", document)

    assert f"{text} (HcsCreateComputeSystem, 0x80070005)" == str(error)


def test_unknown_code_still_has_a_text() -> None:
    """A code that is not listed is shown as a number beside a general sentence."""
    error = error_of(0x80041002, "HcsModifyProcess", "demo", process_id=7)

    assert str(error) == (
        "The Host Compute Service reports an error. "
        "(HcsModifyProcess process 7 'demo', 0x80041002)"
    )


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_class_pickles(cls: type[HcsError]) -> None:
    """An error that crosses a process boundary stays what it is."""
    error = cls(None, "HcsX", system_id="demo", process_id=3, document=INVALID)
    error.add_note("seen") if hasattr(error, "add_note") else None

    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes

    assert cls is type(copy)
    assert str(error) == str(copy)
    assert error.events == copy.events
    assert error.errno == copy.errno
    assert (cls.default_hresult, "HcsX", "demo", 3) == (
        copy.hresult,
        copy.operation,
        copy.system_id,
        copy.process_id,
    )


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_class_is_drawn_and_exported(cls: type[HcsError]) -> None:
    """The module's docstring shows each class with its builtin base."""
    bases = [
        base.__name__
        for base in cls.__bases__
        if getattr(builtins, base.__name__, None) is base
    ]
    shown = f"{cls.__name__} ({bases[0]})" if bases else cls.__name__

    assert shown in str(errors.__doc__)
    assert cls.__name__ in errors.__all__
    assert cls.__name__.endswith("Error")


def test_errno_is_what_python_compares() -> None:
    """``errno`` fits the builtin, so that code written for files works."""
    assert errors.NotFoundError().errno == errno.ENOENT
    assert errors.AlreadyExistsError().errno == errno.EEXIST
    assert errors.AccessDeniedError().errno == errno.EACCES


@pytest.mark.parametrize("code", FAILURES, ids=lambda code: f"{code:08X}")
def test_every_code_has_name_and_sentence(code: int) -> None:
    """Every listed code is found by its name and says something in one sentence."""
    assert code == CODES[name_of(code)]
    assert message_of(code).endswith(".")
    assert "\n" not in message_of(code)


def test_no_code_is_listed_twice() -> None:
    """Each value has one name."""
    assert len(CODES) == len(set(CODES.values()))


@pytest.mark.parametrize("low", range(0x100, 0x122))
def test_both_forms_of_hcs_codes_agree(low: int) -> None:
    """What vmcompute and computecore return for one fact is one class and one text."""
    ours, theirs = 0x80370000 | low, 0xC0370000 | low
    if low in (0x103, 0x104):  # these exist in the second form only
        assert theirs == normalise(theirs)
        return

    assert ours == normalise(theirs)
    assert theirs == vmcompute_form(ours)
    assert message_of(ours) == message_of(theirs) != ""
    assert type(error_of(ours, "x")) is type(error_of(theirs, "x"))
    assert name_of(theirs).startswith("ERROR_VMCOMPUTE_")


def test_names_of_the_vmcompute_form() -> None:
    """The second form has the names of the SDK, also where they differ."""
    assert name_of(0xC0370105) == "ERROR_VMCOMPUTE_INVALID_STATE"
    assert name_of(0xC0370109) == "ERROR_VMCOMPUTE_TIMEOUT"
    assert name_of(0x12345678) == ""


def test_win32_code_is_cut_out() -> None:
    """A wrapped Win32 code is given; of any other HRESULT there is none."""
    assert win32_code(0x80070002) == 2
    assert errors.NotFoundError(0x80070002).win32_code == 2
    assert win32_code(0x80370105) is None


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_real_results_speak_for_themselves(path: Path) -> None:
    """The text of an error is HCS's own sentence wherever a real result has one."""
    text = path.read_text(encoding="utf-8")
    document = json.loads(text)
    sentences = [event.get("Message") for event in document.get("ErrorEvents", ())]
    own = [sentence for sentence in (document["ErrorMessage"], *sentences) if sentence]

    error = error_of(document["Error"], "HcsCreateComputeSystem", "demo", text)

    expected = own[-1] if own else message_of(document["Error"])
    assert str(error).startswith(expected or "The Host Compute Service")
    assert f"0x{document['Error'] & 0xFFFFFFFF:08X})" in str(error)
    assert len(error.events) == len(document.get("ErrorEvents", ()))


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_what_the_original_library_prints_is_in_the_text(path: Path) -> None:
    """Code, sentence and events of a logged failure give an error that says as much."""
    logged = json.loads(path.read_text(encoding="utf-8"))
    code = int(logged["Code"] or "0x80004005", 16)  # one report does not tell it
    hresult = 0x80070000 | code if code < 0x10000 else code
    events = logged["Events"] or []
    result = {"ErrorMessage": logged["Message"], "ErrorEvents": events}

    error = error_of(hresult, logged["Operation"], logged["Id"], json.dumps(result))

    said = [event["Message"] for event in events if event["Message"]]
    assert (said or [logged["Message"]])[-1] in str(error)
    assert f"'{logged['Id']}', 0x{hresult:08X})" in str(error)
