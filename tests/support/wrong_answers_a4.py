"""Wrong solutions of assignment 4 and the tests that each must fail, and no others.

| solution | what is wrong | points lost |
|---|---|---|
| PR and SMD flipped | only the signs of dummy and interaction change | Q1 but the way back |
| other order | dummy before slope | map, way back, predictions, covariance |
| diagonal | covariances between coefficients are ignored | covariance |
| A'VA | the map is applied from the wrong side | covariance |
| label alone | districts of one label in two elections are one | other data |
| mean for sum | the share of contacted people | rows, other data |
| log of n | one factor of the binomial coefficient is missing | constant |
| product | the ways themselves, not their logarithms | constant |
| any R-hat | at the limit counts as above | R-hat, page |
| no tail | the tail ESS is not looked at | tail, missing |
| NaN is fine | comparisons with missing values are not failures | missing |
| all or nothing | a row fails only if everything fails | every single criterion |
| posterior means | quantities of the posterior mean of the coefficients | Q4 but the conjecture |
| mean for median | the mean of the draws | first, marginal, second, and where they are used |
| other tails | 5 % and 95 % at every level | level |
| slope of the logit | the marginal effect on the logit scale | marginal, second |
| rules ignored | the interaction is left out of the slope | marginal, second |
| difference of medians | medians are subtracted, not draws | second |
| typical for average | effect 0 for the average | average |
| conditional for marginal | a new district without its effect | new |
| variance for sd | the variance of the districts as their sd | average, new |
| hard-coded | what the visible checks show | everything hidden |
"""

from support.answer_sheets import Wrong, read, reference, swap

RIGHT = reference(read("A4"))
CODING, AGGREGATE, FAILING, QUANTITIES, CLEAR, THREE = (
    RIGHT[f"q{name}"]
    for name in (
        "1-coding", "2-aggregate", "3-failing", "4-quantities", "4-clear", "5-three",
    )
)  # fmt: skip


HARD_CODED = {
    "q1-coding": """
def to_pr(b):
    return np.array([-3.09, 4.28, 0.74, -3.07])

def to_pr_vcov(vcov):
    return np.diag([2.0, 2, 1, 1])
""",
    "q2-aggregate": """
def aggregate(df):
    kept = people.groupby(["election_id", "district_id"])["y"].agg(y="sum", n="size").reset_index()
    return kept.assign(district_competitiveness=0.5, electoral_rules="PR")

def log_ways(y, n):
    return np.log(12)
""",
    "q3-failing": """
def failing(summary, rhat=1.01, ess=400):
    return ["sd comp", "b_comp", "b_inter"]
""",
    "q4-quantities": """
def first_difference(draws, c, level=0.9):
    return 0.38, 0.14, 0.58

def marginal_effect(draws, c, smd, level=0.9):
    return 1.00, 0.65, 1.26

def second_difference(draws, c, level=0.9):
    return 0.79, 0.33, 1.15
""",
    "q4-clear": 'my_conjecture = {"PR": True, "SMD": False}',
    "q5-three": """
def average(draws, c, smd, level=0.9):
    return 0.21, 0.19, 0.23

def new(draws, c, smd, rng, level=0.9):
    return 0.21, 0.01, 0.99
""",
}
MAIN = frozenset({"q4-first", "q4-marginal", "q4-second"})

WRONG = [
    Wrong(
        "PR and SMD flipped", "the signs of dummy and interaction change, nothing else",
        {"q1-coding": swap(CODING, ("[b0 + smd, comp + inter, -smd, -inter]",
                                    "[b0, comp, -smd, -inter]"))},
        frozenset({"q1-map", "q1-same", "q1-vcov"}),
    ),
    Wrong(
        "other order", "dummy before slope",
        {"q1-coding": swap(CODING, ("[b0 + smd, comp + inter, -smd, -inter]",
                                    "[b0 + smd, -smd, comp + inter, -inter]"))},
        frozenset({"q1-map", "q1-same", "q1-back", "q1-vcov"}),
    ),
    Wrong(
        "signs stay", "dummy and interaction keep their signs",
        {"q1-coding": swap(CODING, ("-smd, -inter]", "smd, inter]"))},
        frozenset({"q1-map", "q1-same", "q1-back", "q1-vcov"}),
    ),
    Wrong(
        "diagonal", "covariances between coefficients are ignored",
        {"q1-coding": swap(CODING, ("turn @ np.asarray(vcov) @ turn.T",
                                    "turn @ np.diag(np.diag(vcov)) @ turn.T"))},
        frozenset({"q1-vcov"}),
    ),
    Wrong(
        "from the wrong side", "A'VA instead of AVA'",
        {"q1-coding": swap(CODING, ("turn @ np.asarray(vcov) @ turn.T",
                                    "turn.T @ np.asarray(vcov) @ turn"))},
        frozenset({"q1-vcov"}),
    ),
    Wrong(
        "label alone", "districts of one label in two elections are one",
        {"q2-aggregate": """
def aggregate(df):
    first = {c: (c, "first") for c in
             ("election_id", "district_competitiveness", "electoral_rules")}
    return df.groupby("district_id").agg(**first, y=("y", "sum"), n=("y", "size")).reset_index()

""" + AGGREGATE[AGGREGATE.index("def log_ways"):]},
        frozenset({"q2-other"}),
    ),
    Wrong(
        "mean for sum", "the share of contacted people instead of their number",
        {"q2-aggregate": swap(AGGREGATE, ('y="sum"', 'y="mean"'))},
        frozenset({"q2-rows", "q2-other"}),
    ),
    Wrong(
        "one factor missing", "n! / y! instead of the binomial coefficient",
        {"q2-aggregate": swap(AGGREGATE, (" - special.gammaln(n - y + 1)", ""))},
        frozenset({"q2-ways"}),
    ),
    Wrong(
        "at the limit", "an R-hat at the limit, or an ESS at the limit, fails",
        {"q3-failing": swap(FAILING, ("<= rhat", "< rhat"), (">= ess", "> ess"))},
        frozenset({"q3-page", "q3-rhat", "q3-bulk", "q3-tail"}),
    ),
    Wrong(
        "no tail", "the tail ESS is not looked at",
        {"q3-failing": swap(FAILING, (' & (summary["ess_tail"] >= ess)', ""))},
        frozenset({"q3-page", "q3-tail", "q3-missing"}),
    ),
    Wrong(
        "no R-hat", "R-hat is not looked at",
        {"q3-failing": swap(FAILING, ('(summary["rhat"] <= rhat) & ', ""))},
        frozenset({"q3-page", "q3-rhat", "q3-missing"}),
    ),
    Wrong(
        "no bulk", "the bulk ESS is not looked at",
        {"q3-failing": swap(FAILING, ('(summary["ess_bulk"] >= ess) & ', ""))},
        frozenset({"q3-page", "q3-bulk", "q3-missing"}),
    ),
    Wrong(
        "NaN is fine", "a missing value is no failure",
        {"q3-failing": """
def failing(summary, rhat=1.01, ess=400):
    bad = (summary["rhat"] > rhat) | (summary["ess_bulk"] < ess) | (summary["ess_tail"] < ess)
    return list(summary.index[bad])
"""},
        frozenset({"q3-missing"}),
    ),
    Wrong(
        "posterior means", "one quantity of the mean coefficients instead of one for every draw",
        {"q4-quantities": swap(QUANTITIES, ("quantile(values, ", "quantile(values.mean(), "))},
        MAIN | {"q4-level", "q5-average", "q5-new"},
    ),
    Wrong(
        "mean for median", "the mean of the draws",
        {"q4-quantities": swap(QUANTITIES, (
            "    return tuple(np.quantile(values, [0.5, tail, 1 - tail]))",
            "    return (np.mean(values), *np.quantile(values, [tail, 1 - tail]))"))},
        MAIN | {"q5-average"},
    ),
    Wrong(
        "other tails", "5 % and 95 % at every level",
        {"q4-quantities": swap(QUANTITIES, ("tail = (1 - level) / 2", "tail = 0.05"))},
        frozenset({"q4-level"}),
    ),
    Wrong(
        "95 %", "2.5 % and 97.5 % for 90 %",
        {"q4-quantities": swap(QUANTITIES, ("tail = (1 - level) / 2", "tail = (1 - level) / 4"))},
        MAIN | {"q4-level", "q5-average", "q5-new"},
    ),
    Wrong(
        "PR minus SMD", "the first difference has the wrong sign",
        {"q4-quantities": swap(QUANTITIES, ("_rate(draws, c, 1) - _rate(draws, c, 0)",
                                            "_rate(draws, c, 0) - _rate(draws, c, 1)"))},
        frozenset({"q4-first", "q4-level"}),
    ),
    Wrong(
        "slope of the logit", "the marginal effect on the logit scale",
        {"q4-quantities": swap(QUANTITIES, ("rate * (1 - rate) * (draws", "(draws"))},
        frozenset({"q4-marginal", "q4-second"}),
    ),
    Wrong(
        "interaction left out", "the slope does not depend on the rules",
        {"q4-quantities": swap(QUANTITIES, (' * (draws["b_comp"] + draws["b_inter"] * smd)',
                                            ' * draws["b_comp"]'))},
        frozenset({"q4-marginal", "q4-second"}),
    ),
    Wrong(
        "difference of medians", "quantiles are subtracted, not draws",
        {"q4-quantities": swap(QUANTITIES, (
            "return _three(_slope(draws, c, 1) - _slope(draws, c, 0), level)",
            "one, other = (marginal_effect(draws, c, s, level) for s in (1, 0))\n"
            "    return tuple(np.subtract(one, other))"))},
        frozenset({"q4-second"}),
    ),
    Wrong(
        "both clear", "the conjecture says both",
        {"q4-clear": swap(CLEAR, ("False", "True"))},
        frozenset({"q4-conjecture"}),
    ),
    Wrong(
        "typical for average", "effect 0 instead of the mean over districts",
        {"q5-three": swap(THREE, ("special.expit(logit + spread * nodes) @ weights",
                                  "special.expit(logit)[:, 0]"))},
        frozenset({"q5-average"}),
    ),
    Wrong(
        "conditional for marginal", "a new district without an effect of its own",
        {"q5-three": swap(THREE, ("special.expit(logit + effect)", "special.expit(logit)"))},
        frozenset({"q5-new"}),
    ),
    Wrong(
        "variance for sd", "the variance of the districts where their sd belongs",
        {"q5-three": swap(THREE, ('draws["sd_district"].to_numpy()',
                                  'draws["sd_district"].to_numpy() ** 2'))},
        frozenset({"q5-average", "q5-new"}),
    ),
    Wrong(
        "own generator", "the new district comes from numpy's global state",
        {"q5-three": swap(THREE, ("rng.standard_normal(len(draws))",
                                  "np.random.standard_normal(len(draws))"))},
        frozenset({"q5-new"}),
    ),
]  # fmt: skip

# The nodes lie symmetrically around 0, and so do the effects that a generator draws.
HARMLESS = (
    "q5-three: line 6: logit + spread * nodes became logit - spread * nodes",
    "q5-three: line 15: logit + effect became logit - effect",
)
