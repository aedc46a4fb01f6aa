"""Where the extra `bayes` is not installed, as on Binder, stored draws are read, judged and used,
and models are sampled."""

import subprocess
import sys
from importlib.util import find_spec

SCRIPT = """
import sys
blocked = {blocked}
for name in blocked:
    sys.modules[name] = None  # importing it fails from here on
import hierwidgets as hw
post = hw.load_posterior("rainey2015")
print(post.summary()["rhat"].max() <= 1.01, post.diagnose().ok)
rows = hw.load("rainey2015").head(1)
print(post.predict(rows, interval=0.95)["estimate"].round(1).tolist())
print(hw.comparisons(post, "district_competitiveness", rows)["estimate"].notna().tolist())
print(hw.slopes(post, "district_competitiveness", rows)["estimate"].notna().tolist())
print(len(post.epred_draws(rows)), post.simulate(2, seed=1).shape)
print(hw.load_posterior("finland").loo("district_id").elpd < 0)
model = hw.Model("contacted ~ (1 | district_id)", hw.load("finland"), "binomial",
                 event="Contacted")
print(model.sample_prior(10, seed=1))
post = model.sample(draws=500, seed=1, progress=False)
print(post, post.diagnose().ok)
try:
    model.sample(method="nuts")
except hw.MissingExtraError as error:
    print(error)
print([name for name in blocked if sys.modules[name] is not None])
"""


def test_stored_draws_need_no_sampler() -> None:
    blocked = ["nutpie", "numba", "llvmlite", "bqplot"]
    if find_spec("arviz_stats") is not None:  # which the extra `lab` has
        blocked += ["arviz", "xarray"]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT.format(blocked=blocked)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    missing = "nutpie and numba and arviz" if "arviz" in blocked else "nutpie and numba"
    assert done.stdout.splitlines() == [
        "True True",
        "[0.7]",
        "[True]",
        "[True]",
        "10000 (2, 5126)",
        "True",
        "Posterior(contacted ~ (1 | district_id), binomial; 1 chains of 10 prior draws)",
        "Posterior(contacted ~ (1 | district_id), binomial; 2000 draws by importance sampling) "
        "True",
        f'sampling needs {missing}; install with: pip install "hierwidgets[bayes]"',
        "[]",
    ]
