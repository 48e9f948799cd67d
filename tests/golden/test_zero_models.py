"""Zero-inflated and hurdle models on a generated trial, against R's pscl."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from evaluation.inference.zero_models import expected, fit_zero_model

HERE = Path(__file__).parent
R: dict[str, Any] = json.loads((HERE / "gee.json").read_text())
DATA = pd.read_csv(HERE / "gee.csv")
X = np.column_stack([np.ones(len(DATA)), DATA["arm"], DATA["age"]]).astype(float)


@pytest.mark.parametrize("zeros", ["inflated", "hurdle"])
@pytest.mark.parametrize(("law", "name"), [("poisson", "poisson"), ("negative_binomial", "negbin")])
def test_fits_match_pscl(zeros: Any, law: Any, name: str) -> None:
    offset = np.log(DATA["exposure"].to_numpy(float))
    z = X[:, :2]
    ours = fit_zero_model(DATA["inflated"].to_numpy(float), X, z, offset=offset, zeros=zeros, law=law)
    known = R[f"{'zero_inflated' if zeros == 'inflated' else 'hurdle'}_{name}"]
    assert ours.solved
    assert_allclose(ours.log_likelihood, known["loglik"], rtol=1e-8)
    # Both maximise numerically; pscl's BFGS leaves about 1e-4 where the likelihood is flat.
    assert_allclose(ours.theta[: len(known["coef"])], known["coef"], rtol=1e-3, atol=2e-4)
    error = np.sqrt(np.diag(ours.bread))
    assert_allclose(error[: len(known["coef"])], known["se"], rtol=2e-3)
    mean = expected(ours.theta, X, z, offset, zeros, law).mean()
    assert_allclose(mean, known["mean"], rtol=1e-4)
    if law == "negative_binomial":
        assert_allclose(np.exp(-ours.theta[-1]), known["theta"], rtol=1e-3)


def test_a_zero_part_that_the_data_do_not_identify_is_said_to_be_unsolved() -> None:
    """pscl gives these data a coefficient of 13 with an error of 612."""
    ours = fit_zero_model(
        DATA["count"].to_numpy(float),
        X,
        X[:, :2],
        offset=np.log(DATA["exposure"].to_numpy(float)),
        zeros="inflated",
        law="negative_binomial",
    )
    assert not ours.solved
