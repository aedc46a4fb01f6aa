"""Times GPBoost's fit on request, in the environment that has it. Usage: FOLDER

A request is a line "data repeat predictor..."; the answer a line "ANSWER {json}". What is
timed is `GPModel.fit` with its default settings, on a model made beforehand.
"""

import json
import sys
import time
from pathlib import Path


def main(folder: Path) -> None:
    """Answer requests until there are no more."""
    import gpboost
    import numpy as np
    import pandas as pd

    print("ANSWER", json.dumps({"GPBoost": gpboost.__version__}), flush=True)
    for line in sys.stdin:
        data, repeat, *predictors = line.split()
        frame = pd.read_csv(folder / f"{data}.csv")
        y = (frame["contacted"] == "Contacted").to_numpy(np.float64)
        X = np.column_stack([np.ones(len(y)), *(frame[name] for name in predictors)])
        seconds = []
        for _ in range(int(repeat)):
            model = gpboost.GPModel(
                group_data=frame["district_id"].to_numpy(), likelihood="bernoulli_logit"
            )
            start = time.perf_counter()
            model.fit(y=y, X=X)
            seconds.append(time.perf_counter() - start)
        neg2loglik = 2.0 * float(model.get_current_neg_log_likelihood())
        print("ANSWER", json.dumps({"seconds": seconds, "neg2loglik": neg2loglik}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
