"""Wrong solutions of assignment 2 and the tests that each must fail, and no others.

| solution | what is wrong | points lost |
|---|---|---|
| variance for sd | sigma squared as the spread of the effects | moments |
| own generator | draws from numpy's global state | seed |
| effects on the rates | normal draws around the mean rate | moments, counts stay |
| rounded rates | the expected count instead of a draw | counts, and what rests on draws |
| districts counted | the Monte Carlo error over all districts of all repetitions | errors |
| divisor R | the standard deviation with divisor R | errors |
| rmse of means | the mean error of each repetition, squared | rmse and all that compares |
| ends left out | strict inequalities | coverage |
| mean of rates | complete pooling as the mean of the districts' rates | ends |
| one step | one step of Newton's method | modes |
| mode as a mean of rates | weights n/(n + n0) on the rate scale | modes, intervals |
| largest truth | the district with the largest truth | curse |
| 1.96 | the quantile of 95 % for every level | intervals |
| no prior in the sd | the data's information alone | interval formula and coverage |
| pooled slope | the slope that is fooled by the groups | Q5 |
| labels as numbers | sorted labels beside unsorted rows | exact |
| hard-coded | what the visible checks show | everything hidden |
"""

from support.answer_sheets import Wrong, read, reference, swap

RIGHT = reference(read("A2"))
SIMULATE, JUDGE, THREE, BEST, INTERVAL = (
    RIGHT[f"q{name}"] for name in ("1-simulate", "2-judge", "3-estimates", "3-best", "4-interval")
)


HARD_CODED = {
    "q1-simulate": """
def simulate(J, n, mu, sigma, rng):
    return rng.integers(0, 2, J), rng.random(J)
""",
    "q2-judge": """
def bias(truth, estimate):
    return 0.075, 0.025

def rmse(truth, estimate):
    return 0.0075**0.5, 0.01

def coverage(truth, low, high):
    return 1, 0.0
""",
    "q3-estimates": """
def three_estimates(y, n, mu, sigma):
    return {k: y / n for k in ("no pooling", "complete pooling", "partial pooling")}

def winners_curse(truth, estimate):
    return 0.05
""",
    "q3-best": """
my_conjecture = dict.fromkeys(("alike", "finland", "uk"), "no pooling")

def best(name):
    return "partial pooling"
""",
    "q4-interval": """
def eb_interval(y, n, mu, sigma, level=0.9):
    return np.full_like(y, 0.192), np.full_like(y, 0.361)
""",
    "q5-slope": "def within_slope(x, y, group):\n    return 2.0",
}

WRONG = [
    Wrong(
        "variance for sd", "sigma squared as the standard deviation",
        {"q1-simulate": swap(SIMULATE, ("(mu, sigma, J)", "(mu, sigma**2, J)"))},
        frozenset({"q1-moments"}),
    ),
    Wrong(
        "own generator", "the draws come from numpy's global state",
        {"q1-simulate": swap(SIMULATE, ("rng.normal", "np.random.normal"))},
        frozenset({"q1-seed"}),
    ),
    Wrong(
        "effects on the rates", "normal draws around the mean rate, cut at 0 and 1",
        {"q1-simulate": swap(SIMULATE, (
            "special.expit(rng.normal(mu, sigma, J))",
            "np.clip(special.expit(mu) + rng.normal(0, 0.2 * sigma, J), 1e-3, 1 - 1e-3)"))},
        frozenset({"q1-moments"}),
    ),
    Wrong(
        "expected counts", "the expected count, rounded, instead of a draw",
        {"q1-simulate": swap(SIMULATE, ("rng.binomial(n, truth)",
                                        "np.rint(n * truth).astype(int)"))},
        frozenset({"q1-counts"}),
    ),
    Wrong(
        "one size", "every district has the size of the first",
        {"q1-simulate": swap(SIMULATE, ("rng.binomial(n, truth)",
                                        "rng.binomial(np.ravel(n)[0], truth)"))},
        frozenset({"q1-sizes"}),
    ),
    Wrong(
        "a list of floats", "counts as floats",
        {"q1-simulate": swap(SIMULATE, ("rng.binomial(n, truth)", "1.0 * rng.binomial(n, truth)"))},
        frozenset({"q1-shape"}),
    ),
    Wrong(
        "districts counted", "the Monte Carlo error counts districts, not repetitions",
        {"q2-judge": swap(JUDGE, (
            "each = (np.asarray(estimate) - np.asarray(truth)).mean(axis=1)",
            "each = (np.asarray(estimate) - np.asarray(truth)).ravel()"))},
        frozenset({"q2-errors"}),
    ),
    Wrong(
        "divisor R", "the standard deviation with divisor R",
        {"q2-judge": swap(JUDGE, ("ddof=1", "ddof=0"))},
        frozenset({"q2-errors", "q2-delta"}),
    ),
    Wrong(
        "mean squared error", "the square root is forgotten",
        {"q2-judge": swap(JUDGE, ("value = each.mean() ** 0.5", "value = each.mean()"))},
        frozenset({"q2-rmse", "q2-delta", "q3-uk"}),
    ),
    Wrong(
        "truth minus estimate", "the bias has the wrong sign",
        {"q2-judge": swap(JUDGE, ("(np.asarray(estimate) - np.asarray(truth)).mean(axis=1)",
                                  "(np.asarray(truth) - np.asarray(estimate)).mean(axis=1)"))},
        frozenset({"q2-bias"}),
    ),
    Wrong(
        "ends left out", "an end does not belong to the interval",
        {"q2-judge": swap(JUDGE, ("(np.asarray(low) <= truth)", "(np.asarray(low) < truth)"))},
        frozenset({"q2-coverage"}),
    ),
    Wrong(
        "mean of rates", "complete pooling as the mean of the districts' rates",
        {"q3-estimates": swap(THREE, ("y.sum(axis=1, keepdims=True) / n.sum()",
                                      "(y / n).mean(axis=1, keepdims=True)"))},
        frozenset({"q3-ends"}),
    ),
    Wrong(
        "one step", "one step of Newton's method",
        {"q3-estimates": swap(THREE, ("range(50)", "range(1)"))},
        frozenset({"q3-modes"}),
    ),
    Wrong(
        "weights on the rate scale", "a weighted mean of rates instead of the mode",
        {"q3-estimates": swap(THREE, (
            '"partial pooling": special.expit(alpha)',
            '"partial pooling": (y + (p := special.expit(mu)) * (worth := 1 / (sigma**2 * p'
            ' * (1 - p)))) / (n + worth)',
        ))},
        frozenset({"q3-modes", "q4-formula"}),
    ),
    Wrong(
        "largest truth", "the district with the largest truth instead of the largest estimate",
        {"q3-estimates": swap(THREE, ("np.argmax(estimate, axis=1)", "np.argmax(truth, axis=1)"))},
        frozenset({"q3-curse"}),
    ),
    Wrong(
        "poolings exchanged", "no and complete pooling have each other's names",
        {"q3-estimates": swap(THREE, ('"no pooling": y / n', '"complete pooling": y / n'),
                              ('"complete pooling": np.broad', '"no pooling": np.broad'))},
        frozenset({"q3-ends", "q3-uk", "q3-curse", "q3-conjecture"}),
    ),
    Wrong(
        "no conjecture wins", "the conjecture says no pooling where districts are alike",
        {"q3-best": swap(BEST, ('"alike": "complete pooling"', '"alike": "no pooling"'))},
        frozenset({"q3-conjecture"}),
    ),
    Wrong(
        "1.96", "the quantile of 95 % for every level",
        {"q4-interval": swap(INTERVAL, ("special.ndtri(0.5 + level / 2)", "1.96"))},
        frozenset({"q4-formula", "q4-level", "q4-coverage"}),
    ),
    Wrong(
        "no prior in the sd", "the information of the data alone",
        {"q4-interval": swap(INTERVAL, (" + 1 / sigma**2", ""))},
        frozenset({"q4-formula", "q4-coverage"}),
    ),
    Wrong(
        "on the rate scale", "symmetric around the rate",
        {"q4-interval": swap(INTERVAL, (
            "special.expit(alpha - z * sd), special.expit(alpha + z * sd)",
            "rate - z * sd * rate * (1 - rate), rate + z * sd * rate * (1 - rate)"))},
        frozenset({"q4-formula", "q4-level", "q4-coverage"}),
    ),
    Wrong(
        "pooled slope", "the groups are ignored",
        {"q5-slope": """
def within_slope(x, y, group):
    return float(np.polyfit(np.asarray(x), np.asarray(y), 1)[0])
"""},
        frozenset({"q5-exact", "q5-confounded", "q5-shift"}),
    ),
    Wrong(
        "groups as they come", "takes the groups to be blocks in sorted order",
        {"q5-slope": """
def within_slope(x, y, group):
    data = pd.DataFrame({"x": np.asarray(x), "y": np.asarray(y), "g": np.sort(np.asarray(group))})
    away = data[["x", "y"]] - data.groupby("g")[["x", "y"]].transform("mean")
    return float((away["x"] * away["y"]).sum() / (away["x"] ** 2).sum())
"""},
        frozenset({"q5-exact", "q5-shift"}),
    ),
    Wrong(
        "x is not centred", "only y is measured from its group's mean",
        {"q5-slope": """
def within_slope(x, y, group):
    data = pd.DataFrame({"x": np.asarray(x), "y": np.asarray(y)})
    away = data["y"] - data["y"].groupby(np.asarray(group)).transform("mean")
    return float((data["x"] * away).sum() / (data["x"] ** 2).sum())
"""},
        frozenset({"q5-exact", "q5-confounded", "q5-shift"}),
    ),
]  # fmt: skip

# Mutants that no test can tell from the reference: more, or shorter, steps to the same mode.
HARMLESS = (
    "q3-estimates: line 6: 50 became 51",
    "q3-estimates: line 9: 1 became 2",
    "q3-estimates: line 9: 2 became 3",
    "q3-estimates: line 9: 2 became 3",
    "q3-estimates: line 9: 2 became 3",
)
