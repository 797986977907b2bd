"""Runs in the environment of statsmodels: reads problems as JSON, writes what statsmodels says of them. No test of ours is imported here."""

from __future__ import annotations

import json
import sys

import numpy as np
import statsmodels.api as sm  # type: ignore[import-not-found]
from statsmodels.stats.contingency_tables import mcnemar  # type: ignore[import-not-found]
from statsmodels.stats.multitest import multipletests  # type: ignore[import-not-found]
from statsmodels.stats.proportion import proportion_confint  # type: ignore[import-not-found]

asked = json.load(sys.stdin)
clustered = []
for each in asked["clustered"]:
    fitted = sm.OLS(np.array(each["scores"]), np.ones(len(each["scores"]))).fit(
        cov_type="cluster", cov_kwds={"groups": np.array(each["clusters"])}, use_t=True
    )
    clustered.append([float(fitted.params[0]), float(fitted.bse[0]), *map(float, fitted.conf_int()[0])])
json.dump(
    {
        "clustered": clustered,
        "wilson": [list(map(float, proportion_confint(*each, method="wilson"))) for each in asked["wilson"]],
        "mcnemar": [float(mcnemar([[0, a], [b, 0]], exact=True).pvalue) for a, b in asked["mcnemar"]],
        "holm": [list(map(float, multipletests(each, method="holm")[1])) for each in asked["p"]],
        "benjamini-hochberg": [list(map(float, multipletests(each, method="fdr_bh")[1])) for each in asked["p"]],
    },
    sys.stdout,
)
