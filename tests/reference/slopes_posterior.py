"""Moments of a long run of NUTS on the model `support.posteriors.slopes`: every effect sampled,
nothing integrated out, so that the two samplers share no quadrature. Some minutes.

    PYTHONPATH=tests python tests/reference/slopes_posterior.py
"""

import json

import nutpie
from support.paths import REFERENCE
from support.posteriors import moments, slopes


def main() -> None:
    post = slopes().sample(
        chains=4, tune=1000, draws=2500, seed=7, method="nuts", target_accept=0.9, progress=False
    )
    verdict = post.diagnose()
    if not verdict.ok:
        raise SystemExit(f"the draws are not to be stored:\n{verdict}")
    stored = moments(post) | {"draws": post.draws.sigma.size, "nutpie": nutpie.__version__}
    (REFERENCE / "slopes_posterior.json").write_text(json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    main()
