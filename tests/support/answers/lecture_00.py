"""Lecture 00: letters, lookups by district, a sum and its inverse logit."""

import math

import numpy as np
import pandas as pd

from support.answers import Answers


def by_loop(pi, j):
    rates = []
    for district in j:
        rates.append(pi[district])
    return rates


def two_steps_by_loop(gamma, k, j):
    return [gamma[k[district]] for district in j]


def answers():
    rate = 1 / (1 + math.exp(1))
    return {
        "00-words": Answers(
            right=("B", "b", " B "),
            wrong=(
                ("A", "A is the rate of district number 7"),
                ("C", "C asks for the district of a rate"),
                ("D", "the number and the index exchanged"),
                ("pi_j[7]", "It is not 'pi_j[7]'"),
                (7.0, "A text is asked for, and this is a number"),
                (["B"], "this is a list"),
            ),
        ),
        "00-by-person": Answers(
            right=(
                lambda pi, j: np.asarray(pi)[j],
                by_loop,
                lambda pi, j: [pi[one] for one in j],
                lambda pi, j: pd.Series(pi).loc[list(j)],
                lambda pi, j: np.take(pi, j),
            ),
            wrong=(
                (lambda pi, j: j, "the districts' numbers, not their rates"),
                (lambda pi, j: np.asarray(pi)[np.asarray(j) - 1], "j counts from 0"),
                (lambda pi, j: [pi[i % len(pi)] for i in range(len(j))], "one by one"),
                (lambda pi, j: np.asarray(j) + 1, "too large"),
                (lambda pi, j: pi, "one rate per district"),
                (lambda pi, j: pi[j], "TypeError (list indices must be integers"),
                (lambda pi, j: np.sort(np.asarray(pi)[j]), "their order is not"),
                (lambda pi, j: np.asarray(pi)[j].mean(), "3 numbers are asked for"),
                (lambda pi, j: None, "without `return`"),
            ),
        ),
        "00-two-steps": Answers(
            right=(
                lambda gamma, k, j: np.asarray(gamma)[np.asarray(k)[j]],
                two_steps_by_loop,
                lambda gamma, k, j: np.take(np.take(gamma, k), j),
                lambda gamma, k, j: pd.Series([gamma[one] for one in k])[list(j)],
            ),
            wrong=(
                (lambda gamma, k, j: np.asarray(gamma)[k], "one value per district: j is missing"),
                (lambda gamma, k, j: [gamma[one] for one in j], "for the election's: use k"),
                (lambda gamma, k, j: np.asarray(k)[j], "the elections' numbers"),
                (lambda gamma, k, j: np.take(gamma, np.take(j, k)), "the other way round"),
                (lambda gamma, k, j: np.asarray(gamma)[j + [9]], "IndexError"),
                (lambda gamma, k, j: gamma[k[j]], "TypeError"),
            ),
        ),
        "00-spelling": Answers(
            right=(
                (-1.4 + 0.4, rate),
                (-1, 0.27),
                [-1.0, 0.269],
                np.array([-1, 0.2689]),
                {"alpha": -1.0, "pi": 0.269},
                pd.Series({"alpha": -1.0, "pi": math.exp(-1) / (1 + math.exp(-1))}),
            ),
            wrong=(
                ((0.4, 0.6), "from the typical district. Add mu"),
                ((-1.8, 0.14), "the district lies above the typical one"),
                ((-1.0, 0.796), "add first and transform last"),
                ((0.27, -1), "The two are exchanged"),
                ((-1.0, 0.73), "for -alpha"),
                ((-1.0, math.exp(-1)), "The second number is odds, not a rate"),
                ((-1.4, 0.198), "the typical district"),
                ((-1.0, 26.9), "The rate is in percent"),
                (-1.0, "2 numbers are asked for, and this has 1"),
                ((-1.0, 0.3), "the first is number 2, too large"),
            ),
        ),
        "00-symbols": Answers(
            right=("C", "c", "C "),
            wrong=(
                ("A", "districts are drawn"),
                ("B", "leaves out the spread"),
                ("D", "It stands to the right of the ~"),
                ("E", "It is not 'E'"),
                (None, "A text is asked for"),
                (("C",), "this is a list"),
            ),
        ),
    }
