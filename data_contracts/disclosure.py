"""The disclosure policy: the data owner's thresholds for what may leave the secure room.

The unit of protection is the person, never the row. The policy is a file of its own, because it
belongs to whoever controls the data: no study can loosen it, and a key it does not know is refused.

    threshold_people        fewest people behind any published number, on both sides of a proportion
    rounding_base           counts are rounded to its nearest multiple; 1 leaves them exact
    zeros_disclosive        whether a count of nobody says something about everybody
    threshold_clusters      fewest clusters (schools, teams, areas) behind a clustered number
    residual_df             fewest residual degrees of freedom behind an estimate
    extremes                whether minima and maxima, which are single people's values, may leave

Sources for the values shipped in `policies/default.yaml`: the ONS Secure Research Service output
rules (threshold 10), the ONS "10-5" rule (round to 5) and ACRO's default risk appetite (residual
degrees of freedom 10, zeros disclosive).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from data_contracts.declared import build
from data_contracts.refusal import Refusal, nearest
from data_contracts.safe_yaml import read_yaml

POLICIES = Path(__file__).parent / "policies"


class PolicyRefused(Refusal):
    """A disclosure policy that cannot be found, or that protects nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosurePolicy:
    """What a data owner asks of every published number; the fields are described above."""

    name: str
    owner: str
    threshold_people: int
    rounding_base: int
    zeros_disclosive: bool
    threshold_clusters: int
    residual_df: int
    extremes: Literal["refused", "allowed"]
    note: str | None = None

    def __post_init__(self) -> None:
        lowest = {"threshold_people": 3, "rounding_base": 1, "threshold_clusters": 2, "residual_df": 1}
        for name, least in lowest.items():
            if getattr(self, name) < least:
                raise PolicyRefused(
                    where=name,
                    found=str(getattr(self, name)),
                    expected=f"a whole number of at least {least}",
                    remedy="A lower value would publish single people; ask the data owner.",
                )
        if self.rounding_base > self.threshold_people:
            raise PolicyRefused(
                where="rounding_base",
                found=str(self.rounding_base),
                expected=f"at most threshold_people, which is {self.threshold_people}",
                remedy="Use a smaller base: with this one, a published count could round to nothing.",
            )

    def rounded(self, count: int) -> int:
        """`count` to the nearest multiple of the rounding base, halves upwards."""
        base = self.rounding_base
        return base * ((2 * count + base) // (2 * base))


def load_policy(policy: str | Path) -> DisclosurePolicy:
    """The policy in a YAML file, or one shipped with the package by its name (`default`, `open_data`)."""
    text = str(policy)
    path = Path(text)
    if not text.endswith((".yaml", ".yml")) and "/" not in text:
        path = POLICIES / f"{text}.yaml"
        if not path.is_file():
            raise PolicyRefused(
                where="policy",
                found=f"'{text}'",
                expected="the name of a shipped policy, or a path ending in .yaml",
                remedy=nearest(text, (p.stem for p in POLICIES.glob("*.yaml"))),
            )
    return build(DisclosurePolicy, read_yaml(path), path="")


def default_policy() -> DisclosurePolicy:
    """The policy that holds where the data owner gave none."""
    return load_policy("default")
