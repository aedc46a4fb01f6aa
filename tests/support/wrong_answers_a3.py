"""Wrong solutions of assignment 3 and the tests that each must fail, and no others.

| solution | what is wrong | points lost |
|---|---|---|
| variance for sd | the effects have variance sigma, not sigma squared | Q1 but its sum, Q2 |
| no width | the width of a step is forgotten | Q1's values; the top stays where it is |
| binomial coefficients | they are counted | Q1's values; the top stays where it is |
| x is ignored | the line has no slope | Q1, Q2 |
| plain logit | the integral is left out | Q1, Q2 |
| log sigma | the search's logarithm is returned | Q2 |
| centred intercept | the intercept belongs to the mean of x | Q2 |
| raw rates | the second step uses raw rates | two steps |
| logits | the second step regresses logits | two steps |
| derivative at the middle | the slope of the curve at one point | one step |
| larger | the conjecture is wrong | conjecture |
| PR and SMD, high and low exchanged | the difference has the wrong sign | estimate, interval |
| logit difference | the difference of logits | estimate, interval, not level |
| diagonal | the covariance of the two estimates is ignored | interval |
| 1.96 | the quantile of 95 % for every level | interval, level |
| base 10 | logarithms to base 10 | Q5's scores |
| mean of folds | the mean over folds of the folds' scores | folds |
| trained on all | the rows forecast themselves | folds, United Kingdom |
| hard-coded | what the visible checks show | everything hidden |
"""

from support.answer_sheets import Wrong, read, reference, swap

RIGHT = reference(read("A3"))
LOGLIK, FIT, SLOPES, DIFFERENCE, SCORE = (
    RIGHT[f"q{name}"] for name in ("1-loglik", "2-fit", "3-slopes", "4-difference", "5-score")
)


HARD_CODED = {
    "q1-loglik": "def loglik(gamma0, gamma1, sigma, y, n, x):\n    return -460.0659",
    "q2-fit": "def fit_line(y, n, x):\n    return -3.439, 3.905, 0.670",
    "q3-slopes": """
my_conjecture = "larger"

def two_step_slope(y, n, x, mu, sigma):
    return 0.175

def one_step_slope(gamma0, gamma1, low=0.5, high=0.8):
    return 0.80
""",
    "q4-difference": """
def first_difference(gamma, vcov, low, high, level=0.9):
    return 0.2366, 0.14, 0.33
""",
    "q5-score": """
def log_score(y, p):
    return np.log(0.5)

def cross_validate(df, fold, forecast):
    return -0.628 if forecast is everybody_alike else -0.7
""",
}
VALUES = frozenset({"q1-uk", "q1-districts"})
ESTIMATES = frozenset({"q2-uk", "q2-hidden"})

WRONG = [
    Wrong(
        "variance for sd", "the effects have variance sigma instead of sigma squared",
        {"q1-loglik": swap(LOGLIK, ("sigma * z[:, None]", "np.sqrt(sigma) * z[:, None]"))},
        VALUES | ESTIMATES | {"q1-limit"},
    ),
    Wrong(
        "no width", "the width of a step of the grid is forgotten",
        {"q1-loglik": swap(LOGLIK, (" + np.log(step)", ""))},
        VALUES | {"q1-limit"},
    ),
    Wrong(
        "binomial coefficients", "they are counted",
        {"q1-loglik": swap(LOGLIK, (
            "special.logsumexp(each, axis=0).sum()",
            "(special.logsumexp(each, axis=0) - special.betaln(y + 1, n - y + 1)"
            " - np.log(n + 1)).sum()"))},
        VALUES | {"q1-limit"},
    ),
    Wrong(
        "x is ignored", "the line has no slope",
        {"q1-loglik": swap(LOGLIK, ("gamma0 + gamma1 * x", "gamma0 + 0 * x"))},
        VALUES | ESTIMATES | {"q1-limit", "q2-units", "q2-flip", "q2-top"},
    ),
    Wrong(
        "plain logit", "the integral is left out",
        {"q1-loglik": swap(LOGLIK, ("sigma * z[:, None]", "0 * z[:, None]"))},
        VALUES | ESTIMATES | {"q2-flip", "q2-top"},
    ),
    Wrong(
        "log sigma", "the logarithm of sigma is returned",
        {"q2-fit": swap(FIT, ("slope, np.exp(found[2])", "slope, found[2]"))},
        ESTIMATES | {"q2-top"},
    ),
    Wrong(
        "centred intercept", "the intercept belongs to the mean of x",
        {"q2-fit": swap(FIT, ("found[0] - slope * centre", "found[0]"))},
        ESTIMATES | {"q2-units", "q2-top"},
    ),
    Wrong(
        "slope per sd", "the slope belongs to one standard deviation of x",
        {"q2-fit": swap(FIT, ("slope = found[1] / scale", "slope = found[1]"))},
        ESTIMATES | {"q2-units", "q2-top"},
    ),
    Wrong(
        "rare events first", "the search is pulled to negative intercepts",
        {"q2-fit": swap(FIT, ("np.exp(parameters[2]), y, n, away)",
                              "np.exp(parameters[2]), y, n, away)"
                              " + 3 * (parameters[0] + 0.8) ** 2"))},
        frozenset({"q2-flip"}),
    ),
    Wrong(
        "raw rates", "the second step uses raw rates",
        {"q3-slopes": swap(SLOPES, ("    rate = special.expit(alpha)\n    away",
                                    "    rate = y / n\n    away"))},
        frozenset({"q3-two-uk", "q3-two-hidden", "q3-conjecture"}),
    ),
    Wrong(
        "logits", "the second step regresses logits",
        {"q3-slopes": swap(SLOPES, ("    rate = special.expit(alpha)\n    away",
                                    "    rate = alpha\n    away"))},
        frozenset({"q3-two-uk", "q3-two-hidden", "q3-conjecture"}),
    ),
    Wrong(
        "derivative at the middle", "the slope of the curve half-way, not the rise",
        {"q3-slopes": swap(SLOPES, (
            "    return rise / (high - low)",
            "    p = special.expit(gamma0 + gamma1 * (low + high) / 2)\n"
            "    return gamma1 * p * (1 - p)"))},
        frozenset({"q3-one"}),
    ),
    Wrong(
        "larger", "the conjecture is that two steps give the larger slope",
        {"q3-slopes": swap(SLOPES, ('"smaller"', '"larger"'))},
        frozenset({"q3-conjecture"}),
    ),
    Wrong(
        "high and low exchanged", "the difference has the wrong sign",
        {"q4-difference": swap(DIFFERENCE, ("upper - lower", "lower - upper"))},
        frozenset({"q4-estimate", "q4-interval"}),
    ),
    Wrong(
        "logit difference", "the difference of logits",
        {"q4-difference": """
def first_difference(gamma, vcov, low, high, level=0.9):
    estimate = gamma[1] * (high - low)
    half = special.ndtri(0.5 + level / 2) * np.sqrt(np.asarray(vcov)[1][1]) * (high - low)
    return estimate, estimate - half, estimate + half
"""},
        frozenset({"q4-estimate", "q4-interval"}),
    ),
    Wrong(
        "diagonal", "the covariance of the two estimates is ignored",
        {"q4-difference": swap(DIFFERENCE, ("gradient @ vcov @ gradient",
                                            "gradient**2 @ np.diag(vcov)"))},
        frozenset({"q4-interval"}),
    ),
    Wrong(
        "1.96", "the quantile of 95 % for every level",
        {"q4-difference": swap(DIFFERENCE, ("special.ndtri(0.5 + level / 2)", "1.96"))},
        frozenset({"q4-interval", "q4-level"}),
    ),
    Wrong(
        "base 10", "logarithms to base 10",
        {"q5-score": swap(SCORE, ("np.log(p), np.log1p(-p)", "np.log10(p), np.log10(1 - p)"))},
        frozenset({"q5-log", "q5-uk"}),
    ),
    Wrong(
        "mean of folds", "the mean over the folds of each fold's score",
        {"q5-score": swap(SCORE, (
            '    return log_score(df["contacted"].to_numpy(), p)',
            '    y, parts = df["contacted"].to_numpy(), [fold == k for k in np.unique(fold)]\n'
            "    return np.mean([log_score(y[part], p[part]) for part in parts])"))},
        frozenset({"q5-folds"}),
    ),
    Wrong(
        "trained on all", "the rows that are forecast are among those learnt from",
        {"q5-score": swap(SCORE, ("forecast(df[fold != k], ", "forecast(df, "))},
        frozenset({"q5-folds", "q5-uk"}),
    ),
    Wrong(
        "last district lost", "the last district is left out of the sum",
        {"q1-loglik": swap(LOGLIK, ("special.logsumexp(each, axis=0).sum()",
                                    "special.logsumexp(each, axis=0)[:-1].sum()"))},
        VALUES | {"q1-sum", "q1-limit"},
    ),
]  # fmt: skip

# More nodes, a symmetric grid, the start and stop of a search, and steps of another length to
# the same mode.
HARMLESS = (
    "q1-loglik: line 5: 8 became 9",
    "q1-loglik: line 5: 8 became 9",
    "q1-loglik: line 5: 161 became 162",
    "q1-loglik: line 7: gamma0 + gamma1 * x + sigma * z[:, None] became "
    "gamma0 + gamma1 * x - sigma * z[:, None]",
    "q2-fit: line 11: 0.1 became 1.1",
    "q2-fit: line 11: 0.5 became 1.5",
    "q2-fit: line 13: 1e-05 became 1.00001",
    "q2-fit: line 13: 1e-08 became 1.00000001",
    "q2-fit: line 13: 2000 became 2001",
    "q3-slopes: line 6: 60 became 61",
    "q3-slopes: line 9: n * rate became n / rate",
    "q3-slopes: line 9: 1 became 2",
    "q3-slopes: line 9: 1 - rate became 1 + rate",
    "q3-slopes: line 9: n * rate * (1 - rate) became n * rate / (1 - rate)",
    "q3-slopes: line 9: 1 became 2",
    "q3-slopes: line 9: 2 became 3",
    "q3-slopes: line 9: 2 became 3",
    "q3-slopes: line 9: 2 became 3",
)
