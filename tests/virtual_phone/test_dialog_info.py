"""How the phone reads dialog information."""

import pytest

from virtual_phone.dialog_info import (
    DialogInfo,
    DialogInfoError,
    State,
    read_dialog_info,
)


def document(*dialogs: str, head: str = 'version="3" state="full"') -> bytes:
    return (
        '<?xml version="1.0"?>\n'
        f'<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" {head}'
        f' entity="sip:1@pbx">{"".join(dialogs)}</dialog-info>'
    ).encode()


def dialog(state: str, more: str = "", attributes: str = "") -> str:
    return f'<dialog id="x"{attributes}><state>{state}</state>{more}</dialog>'


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], State.TERMINATED),
        (["terminated"], State.TERMINATED),
        ([" trying\n"], State.TRYING),
        (["proceeding"], State.EARLY),
        (["early"], State.EARLY),
        (["confirmed"], State.CONFIRMED),
        (["confirmed", "early", "terminated"], State.CONFIRMED),
        (["terminated", "trying", "early"], State.EARLY),
    ],
)
def test_the_state_of_all_dialogs_together(states: list[str], expected: State) -> None:
    info = read_dialog_info(document(*map(dialog, states)))
    assert info == DialogInfo(3, "sip:1@pbx", expected)


def test_who_calls() -> None:
    remote = '<remote><identity display="Ann">sip:100@pbx</identity></remote>'
    data = document(dialog("early", remote, ' direction="recipient"'))
    assert read_dialog_info(data) == DialogInfo(
        3, "sip:1@pbx", State.EARLY, "recipient", "sip:100@pbx", "Ann"
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no XML"),
        (b"k=1\r\nc=on\r\n", "no XML"),
        (b"<dialog-info/>", "<dialog-info> is no dialog information"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a/>', "it has a document type"),
        (document(head='state="full"'), "it has no version or no entity"),
        (document(head='version="-1" state="full"'), "it has no version or no entity"),
        (document(head='version="1" state="partial"'), "it is not the whole state"),
        (document("<dialog><state>early</state></dialog>"), "a dialog has no id"),
        (document('<dialog id="1"/>'), "there is no state ''"),
        (document(dialog("Confirmed")), "there is no state 'Confirmed'"),
    ],
)
def test_what_is_no_dialog_information(data: bytes, said: str) -> None:
    with pytest.raises(DialogInfoError, match=f"^{said}"):
        read_dialog_info(data)
