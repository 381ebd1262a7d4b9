"""What a locked account means, in steps of somebody's transaction.

A frontend looks before it acts; only inside of the transaction is it certain that no lock came
in between.
"""

from __future__ import annotations

from dataclasses import replace

from hub.core.access import account_locked
from hub.services import arrivals
from hub.store import joins, people, sign_ins
from hub.store.ledger import Entry
from shared.events import BrowserSignedOut
from shared.ids import PersonId
from shared.pairing import JoinState


def check_unlocked(entry: Entry, person_id: PersonId) -> None:
    """Let nothing start for a locked person.

    Raises:
        NotAllowed: `account_locked`.
    """
    person = people.known(entry, person_id)
    if person is not None and person.locked_at is not None:
        raise account_locked(person)


def shut_door(entry: Entry, person_id: PersonId, by: str) -> None:
    """End a person's codes and sign-ins, and turn away the computers on their way in.

    Whoever stole the phone may have let one in a moment ago: a computer with a token could
    unlock the account.
    """
    people.drop_invitations(entry, person_id)
    for sign_in in sign_ins.remove_all(entry, person_id):
        told = BrowserSignedOut(sign_in_id=sign_in.sign_in_id, browser=sign_in.browser, by=by)
        entry.tell(person_id, told, entity=sign_in.sign_in_id)
    for request in joins.computers_coming(entry, person_id):
        arrivals.settle(entry, replace(request, state=JoinState.REJECTED, decided_by=by))
