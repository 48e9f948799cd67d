"""Desist: declared evaluations of youth-violence work, from a study file to a published report.

In a notebook:

    import desist as ds
    study = ds.study("baltimore_life")
    study.run()
    study.effects()
    study.plot("primary")

In a shell: `desist --help`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from desist.notebook import Study, studies, study

__version__ = "0.1.0"
__all__ = ["Study", "__version__", "studies", "study"]


def __getattr__(name: str) -> Any:
    """Load the study object only when it is asked for, so that the shell command starts at once."""
    if name in ("Study", "studies", "study"):
        import desist.notebook

        return getattr(desist.notebook, name)
    raise AttributeError(f"module 'desist' has no attribute '{name}'")
