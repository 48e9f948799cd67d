"""Whether, where and when a study was registered, and what has been amended since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from data_contracts.refusal import Refusal


class RegistrationRefused(Refusal):
    """A registration or an amendment that claims what it does not show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """The honest status of a study.

    `protocol` is the file, beside the study file, that holds the protocol as it was registered, and
    `sha256` is its fingerprint on that day. Without both, nothing can be compared, and a study
    cannot call itself registered.
    """

    status: Literal["registered", "retrospective", "exploratory"]
    outcome_data_seen: bool
    note: str
    where: str | None = None
    date: date | None = None
    protocol: str | None = None
    sha256: str | None = None

    def __post_init__(self) -> None:
        if self.status != "registered":
            return
        for name in ("where", "date", "protocol", "sha256"):
            if getattr(self, name) is None:
                raise RegistrationRefused(
                    where=name,
                    found="nothing",
                    expected="where, date, protocol and sha256 for a registered study",
                    remedy="Add it, or say `status: retrospective` or `status: exploratory`. "
                    "`desist check STUDY` prints a protocol's fingerprint.",
                )
        if self.outcome_data_seen:
            raise RegistrationRefused(
                where="outcome_data_seen",
                found="true for a registered study",
                expected="registration before outcome data were seen",
                remedy="Say `status: retrospective`.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """A dated change of one entry of the protocol, named by its path, such as `outcomes.arrest.follow_up_days`."""

    date: date
    path: str
    reason: str
    outcome_data_seen: bool
