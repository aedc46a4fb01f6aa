"""Wrong solutions of assignment 1 and the tests that each must fail, and no others.

| solution | what is wrong | points lost |
|---|---|---|
| labels by appearance | labels in the order of their first person, numbers by sorted label | Q1 |
| unsorted | the table is not sorted | order |
| in place | a column is added to the data that came in | unchanged |
| 1.96 | the quantile of 95 % for 90 % | every width, Wald and Wilson |
| fixed 1.64 | the level is ignored | level |
| variance for sd | the prior's variance where its sd belongs | all of shrink's numbers |
| probability | the mode as a rate, not as a logit | all of shrink's numbers |
| weighted mean | a weighted mean of logits instead of the mode | the top itself, empty districts |
| mean of rates | complete pooling as the mean of the districts' rates | ends |
| hard-coded | Finland's numbers typed in | everything hidden |
| no integral | the alphas are estimated, their mean and sd returned | Q4 |
| rate scale | mean and sd of the rates, carried to the logit | Q4 |
"""

from support.answer_sheets import Wrong, read, reference, swap

RIGHT = reference(read("A1"))
TABLE, INTERVALS, SHRINK, HALF, FIT, THREE = (
    RIGHT[f"q{name}"]
    for name in ("1-table", "2-intervals", "3-shrink", "3-half", "4-fit", "5-three")
)


HARD_CODED = {
    "q1-table": """
def district_table(df):
    return pd.DataFrame({
        "district": "312 315 316 305 310 306 311 304 317 307 314 313 308 309".split(),
        "y": [5, 4, 5, 6, 29, 7, 16, 35, 14, 24, 24, 16, 30, 10],
        "n": [58, 44, 40, 40, 179, 41, 88, 153, 61, 105, 103, 65, 86, 23],
    }).assign(rate=lambda t: t["y"] / t["n"])
""",
    "q2-intervals": """
def wald_interval(y, n, level=0.9):
    return 0.265, 0.605

def wilson_interval(y, n, level=0.9):
    return 0.281, 0.603
""",
    "q3-shrink": "def shrink(y, n, mu, sigma):\n    return -1.0036",
    "q3-half": "def half_weight(mu, sigma):\n    return 64.5",
    "q4-fit": "def fit_varying_intercept(y, n):\n    return -1.372, 0.311",
}
Q3 = frozenset({"q3-309", "q3-slope", "q3-between", "q3-limits", "q3-edges"})
ALL_FIT = frozenset({"q4-estimates", "q4-order", "q4-flip", "q4-small"})

WRONG = [
    Wrong(
        "labels by appearance", "labels in order of appearance beside numbers in sorted order",
        {"q1-table": """
def district_table(df):
    grouped = df.groupby("district")["contacted"]
    table = pd.DataFrame({"district": df["district"].unique(), "y": grouped.sum().to_numpy(),
                          "n": grouped.size().to_numpy()})
    table["rate"] = table["y"] / table["n"]
    return table.sort_values("rate").reset_index(drop=True)
"""},
        frozenset({"q1-finland", "q1-labels", "q1-order", "q5-ends", "q5-partial"}),
    ),
    Wrong(
        "unsorted", "sorted by label, not by rate",
        {"q1-table": swap(TABLE, ('.sort_values("rate")', ""))},
        frozenset({"q1-order"}),
    ),
    Wrong(
        "in place", "adds a column to the data frame that came in",
        {"q1-table": swap(TABLE, ("    table = df", "    df['seen'] = 1\n    table = df"))},
        frozenset({"q1-unchanged"}),
    ),
    Wrong(
        "1.96", "1.96, the quantile of 95 %, whatever the level",
        {"q2-intervals": swap(INTERVALS, ("special.ndtri(0.5 + level / 2)", "1.96"))},
        frozenset({"q2-wald", "q2-level", "q2-wilson", "q2-edges", "q2-large"}),
    ),
    Wrong(
        "fixed 1.64", "1.64 whatever the level",
        {"q2-intervals": swap(INTERVALS, ("special.ndtri(0.5 + level / 2)", "1.64"))},
        frozenset({"q2-level"}),
    ),
    Wrong(
        "one district at a time", "takes numbers only: an array stops it or is cut to its first",
        {"q2-intervals": swap(INTERVALS, ("np.asarray(y, dtype=float)", "float(np.ravel(y)[0])"),
                              ("np.asarray(n, dtype=float)", "float(np.ravel(n)[0])"))},
        frozenset({"q2-arrays"}),
    ),
    Wrong(
        "variance for standard error", "the square root is forgotten",
        {"q2-intervals": swap(INTERVALS, ("z * np.sqrt(y / n * (1 - y / n) / n)",
                                          "z * (y / n * (1 - y / n) / n)"))},
        frozenset({"q2-wald", "q2-level", "q2-large"}),
    ),
    Wrong(
        "variance for sd", "sigma where sigma squared belongs",
        {"q3-shrink": swap(SHRINK, ("(alpha - mu) / sigma**2", "(alpha - mu) / sigma"),
                           ("sigma**2 * n", "(sigma + sigma**2) * n"))},
        frozenset({"q3-309", "q3-slope", "q3-limits", "q3-edges", "q5-partial"}),
    ),
    Wrong(
        "probability", "the mode as a rate instead of a logit",
        {"q3-shrink": swap(SHRINK, ("optimize.brentq(", "special.expit(optimize.brentq("),
                           ("xtol=1e-12)", "xtol=1e-12))"))},
        Q3 | {"q5-partial"},
    ),
    Wrong(
        "weighted mean", "a weighted mean of the logits, half a person added to each side",
        {"q3-shrink": """
def shrink(y, n, mu, sigma):
    own = np.log((y + 0.5) / (n - y + 0.5))
    weight = 1 / (1 / (y + 0.5) + 1 / (n - y + 0.5))
    return (weight * own + mu / sigma**2) / (weight + 1 / sigma**2)
"""},
        frozenset({"q3-309", "q3-slope", "q3-limits", "q3-edges", "q5-partial"}),
    ),
    Wrong(
        "half without the curve", "the information of one person is forgotten",
        {"q3-half": "def half_weight(mu, sigma):\n    return 1 / sigma**2"},
        frozenset({"q3-half-weight"}),
    ),
    Wrong(
        "no integral", "mean and standard deviation of the districts' own logits",
        {"q4-fit": """
def fit_varying_intercept(y, n):
    own = np.log((np.asarray(y) + 0.5) / (np.asarray(n) - np.asarray(y) + 0.5))
    return float(own.mean()), float(own.std(ddof=1))
"""},
        frozenset({"q4-estimates", "q4-small", "q5-partial"}),
    ),
    Wrong(
        "last district counts most", "the districts are weighted by their place",
        {"q4-fit": swap(FIT, ("- n * np.logaddexp(0, alpha) + normal[:, None], axis=0).sum()",
                              "- n * np.logaddexp(0, alpha) + normal[:, None], axis=0)"
                              " @ np.arange(1, len(y) + 1)"))},
        frozenset({"q4-estimates", "q4-order", "q5-partial"}),
    ),
    Wrong(
        "pulled to rare events", "a penalty that expects mu to be negative",
        {"q4-fit": swap(FIT, ("normal[:, None], axis=0).sum()",
                              "normal[:, None], axis=0).sum() + 4 * (mu + 1.3) ** 2"))},
        frozenset({"q4-estimates", "q4-flip", "q5-partial"}),
    ),
    Wrong(
        "variance returned", "sigma squared instead of sigma",
        {"q4-fit": swap(FIT, ("float(np.exp(found.x[1]))", "float(np.exp(2 * found.x[1]))"))},
        frozenset({"q4-estimates", "q4-small", "q5-partial"}),
    ),
    Wrong(
        "mean of rates", "complete pooling as the mean of the districts' rates",
        {"q5-three": swap(THREE, ('df["contacted"].mean()', 'table["rate"].mean()'))},
        frozenset({"q5-ends"}),
    ),
    Wrong(
        "types in another order", "the categories are in alphabetical order",
        {"q5-three": swap(THREE, ("categories=list(estimates)", "categories=sorted(estimates)"))},
        frozenset({"q5-shape"}),
    ),
    Wrong(
        "logits for rates", "partial pooling on the logit scale",
        {"q5-three": swap(THREE, ("special.expit(np.array(modes))", "np.array(modes)"))},
        frozenset({"q5-partial"}),
    ),
]  # fmt: skip

# Mutants that no test can tell from the reference, all of them: they change the bracket, the grid,
# a constant factor of the likelihood, the start or the stop of a search, not where it ends.
HARMLESS = (
    "q3-shrink: line 7: 2 became 3",
    "q3-shrink: line 7: sigma ** 2 became sigma * 2",
    "q3-shrink: line 7: 1 became 2",
    "q4-fit: line 5: 6 became 7",
    "q4-fit: line 5: 6 became 7",
    "q4-fit: line 5: 241 became 242",
    "q4-fit: line 6: 0.5 became 1.5",
    "q4-fit: line 6: -0.5 lost its minus",
    "q4-fit: line 6: 2 became 3",
    "q4-fit: line 6: steps ** 2 became steps * 2",
    "q4-fit: line 6: -0.5 * steps ** 2 became -0.5 / steps ** 2",
    "q4-fit: line 6: -0.5 * steps ** 2 - special.logsumexp(-0.5 * steps ** 2) became "
    "-0.5 * steps ** 2 + special.logsumexp(-0.5 * steps ** 2)",
    "q4-fit: line 10: mu + sigma * steps[:, None] became mu - sigma * steps[:, None]",
    "q4-fit: line 13: n - y became n + y",
    "q4-fit: line 13: y.sum() / (n - y).sum() became y.sum() * (n - y).sum()",
    "q4-fit: line 13: 0.5 became 1.5",
    "q4-fit: line 15: 1e-05 became 1.00001",
    "q4-fit: line 15: 1e-08 became 1.00000001",
)
