"""What is written in R, lme4, brms, glmmTMB or patsy, and how it is written here.

Only words: each function answers a habit with the spelling that works, for an error to show.
"""

import keyword
import re
import unicodedata
from collections.abc import Sequence

__all__ = [
    "CALLS", "about_call", "about_code", "about_column", "about_group", "about_response",
    "about_structure", "about_word",
]  # fmt: skip

_LEVELS = "C(x) makes levels of numbers; text needs nothing"
_REFERENCE = 'C(x, contr.treatment("b")) takes "b" as the reference level'
_SPLINE = "splines are cr(x, df=4, constraints='center') and bs(x, df=4)"
_ARGUMENT = "an argument of the model, not a term: "
_OFFSET = (
    "an offset is " + _ARGUMENT + "offset='column'; of a logarithm make a column first, "
    "data['log_n'] = np.log(data['n'])"
)
_BEFOREHAND = "make a column of it before the formula, "
_STRUCTURE = (
    "the covariance of what varies is free in (x | g), free within terms in (x || g) and "
    "diagonal in diag(x | g)"
)
CALLS = {
    "offset": _OFFSET,
    "weights": "weights are " + _ARGUMENT + "weights='column'",
    "factor": _LEVELS,
    "as.factor": _LEVELS,
    "as.character": _LEVELS,
    "as_factor": _LEVELS,
    "ordered": 'C(x, contr.poly(), levels=["low", "mid", "high"]) codes ordered levels',
    "relevel": _REFERENCE,
    "fct_relevel": _REFERENCE,
    "reorder": 'C(x, levels=["b", "a"]) sets the order of levels',
    "Treatment": _REFERENCE,
    "Sum": "C(x, contr.sum()) codes deviations from the mean of levels",
    "Helmert": "C(x, contr.helmert()) codes Helmert contrasts",
    "Poly": "C(x, contr.poly()) codes polynomials of ordered levels",
    "Diff": "C(x, contr.diff()) codes differences of neighbouring levels",
    "as.numeric": _BEFOREHAND + "data['x'] = pd.to_numeric(data['x'])",
    "as.integer": "I(x == 'a') is 1 where that is so; or " + _BEFOREHAND
    + "data['x'] = data['x'].astype(int)",
    "as.logical": "I(x == 1) is 1 where that is so",
    "ifelse": "I(x > 0) is 1 where that is so, else 0; or " + _BEFOREHAND
    + "data['z'] = np.where(data['x'] > 0, 1, 0)",
    "cut": _BEFOREHAND + "data['band'] = pd.cut(data['x'], 3)",
    "interaction": "a:b crosses two columns",
    "cbind": "counts are p(successes, trials), left of the tilde",
    "s": _SPLINE,
    "te": _SPLINE + "; of two predictors bs(x, df=4):bs(z, df=4)",
    "ti": _SPLINE + "; of two predictors bs(x, df=4):bs(z, df=4)",
    "t2": _SPLINE + "; of two predictors bs(x, df=4):bs(z, df=4)",
    "ns": "a natural spline is cr(x, df=4, constraints='center')",
    "rcs": "a natural spline is cr(x, df=4, constraints='center')",
    "pspline": _SPLINE,
    "gp": "there are no Gaussian processes here; " + _SPLINE,
    "mo": "there are no monotonic effects here; C(x) gives each level its own",
    "me": "there are no predictors with errors here",
    "mi": "missing values are not modelled; missing='drop' leaves their rows out",
    "demean": "center(x) takes the mean off",
    "ave": _BEFOREHAND + "data['mean_x'] = data.groupby('g')['x'].transform('mean')",
    "Q": "a name with spaces goes in backticks, `a b`",
}  # fmt: skip
_STRUCTURES = frozenset(
    ["ar1", "us", "cs", "toep", "ou", "mat", "gau", "exp", "homcs", "homdiag", "rr", "propto",
     "car1", "cor", "un"]
)  # fmt: skip
_WORDS = {
    "TRUE": "within a call Python writes True; as a term 1 keeps the intercept",
    "FALSE": "within a call Python writes False; as a term 0 drops the intercept",
    "T": "within a call Python writes True; as a term 1 keeps the intercept",
    "F": "within a call Python writes False; as a term 0 drops the intercept",
    "True": "as a term 1 keeps the intercept",
    "False": "as a term 0 drops the intercept",
    "NULL": "1 keeps the intercept, 0 drops it; leave out what is not there",
    "NA": "1 keeps the intercept, 0 drops it; leave out what is not there",
    "None": "1 keeps the intercept, 0 drops it; leave out what is not there",
    "pi": "write the number, 3.14159",
    ".": "name the predictors: 'y ~ ' + ' + '.join(names) + ' + (1 | group)'",
    "in": "for f %in% g write g:f",
    "!": "write I(x == False) for what R writes as !x",
    "$": "the formula knows the columns of data: write x and not data$x",
    "&": "x:z crosses two predictors, I((x > 0) & (z > 0)) combines conditions",
    **dict.fromkeys(["<", ">", "=", "<=", ">=", "==", "!="], "a condition goes within I(x > 0)"),
    **{name: f"as a contrast it is {words}" for name, words in (
        ("Treatment", "C(x, contr.treatment())"), ("Sum", "C(x, contr.sum())"),
        ("Helmert", "C(x, contr.helmert())"), ("Poly", "C(x, contr.poly())"),
        ("Diff", "C(x, contr.diff())"))},
}  # fmt: skip
_RESPONSES = (
    (r"cbind\(\s*(\S+?)\s*,\s*(\S+?)\s*-\s*\1\s*\)", r"counts are p({0}, {1})"),
    (r"cbind\(\s*(\S+?)\s*,\s*(\S+?)\s*\)",
     r"counts are p(successes, trials): data['trials'] = data['{0}'] + data['{1}'], then "
     r"p({0}, trials)"),
    (r"(\S+?)\s*/\s*(\S+?)", r"a proportion of counts is p({0}, {1})"),
    (r"(\S+?)\s*\|\s*trials\(\s*(\S+?)\s*\)", r"counts are p({0}, {1})"),
    (r"(?:I\()?\s*(\S+?)\s*==\s*(.+?)\)?", r"the level that counts as 1 is an argument: "
     r"'{0} ~ ...' with event={1}"),
    (r"(?:as\.)?factor\(\s*(\S+?)\s*\)", r"'{0} ~ ...' with event=... names the level that is 1"),
    (r"(?:np\.)?(log1p|log2|log10|log|sqrt|exp)\(\s*(\w+?)\s*\)",
     r"data['{0}_{1}'] = np.{0}(data['{1}']), then '{0}_{1} ~ ...'"),
    (r"\.", r"name the column"),
)  # fmt: skip
_GROUPS = (
    (r"({n})\s*\+\s*({n}).*", r"each grouping factor has a term, ({lhs} | {0}) + ({lhs} | {1})"),
    (r"(?:as\.factor|factor|C|as_factor|as\.character)\(\s*({n})\s*\)",
     r"a grouping factor is a column as it is, ({lhs} | {0})"),
    (r"interaction\(\s*({n})\s*,\s*({n})\s*\)", r"crossed columns are ({lhs} | {0}:{1})"),
    (r"({n})\s*%in%\s*({n})", r"nested levels are ({lhs} | {1}/{0}), or ({lhs} | {1}:{0}) alone"),
    (r"({n})\s*\$\s*({n})", r"the formula knows the columns of data, ({lhs} | {1})"),
    (r"""['"](.+)['"]""", r"a column goes without quotes, ({lhs} | {0})"),
    (r"gr\(\s*({n}).*\)", r"groups are plain columns here, ({lhs} | {0})"),
    (r"mm\(.*\)", r"a row belongs to one level of a factor here; there is no mm()"),
    (r".*[*].*[/].*|.*[/].*[*].*", r"write out a * and / together, such as (1 | a) + (1 | a:b)"),
    (r"\w+\(.*\)", r"make a column of it before the formula"),
)  # fmt: skip
_LATIN = str.maketrans(
    "аеорсухіјѕԁһӏԛԝАВЕКМНОРСТХУІЈЅοαυνρικτχγεμΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijsdhlqwABEKMHOPCTXYIJSoauvpiktxyeμABEZHIKMNOPTYX",
)


def about_call(name: str) -> str:
    """The spelling here of a function from elsewhere; empty if it is not known."""
    return CALLS.get(name, "")


def about_code(code: str) -> str:
    """Why an expression such as ``I(x^2)`` or ``log(class)`` is not one; empty if unknown."""
    if match := re.match(r"\s*([\w.]+)\(", code):
        name = match[1]
        if name not in ("C", "I") and name in CALLS:
            return CALLS[name]
    bare = re.sub(r"`[^`]*`|\"[^\"]*\"|'[^']*'", "", code)
    for word in re.findall(r"[^\W\d]\w*", bare):
        if keyword.iskeyword(word) and word not in ("and", "or", "not", "in", "is", "if", "else",
                                                    "for", "True", "False", "None"):  # fmt: skip
            return f"{word!r} is a word of Python; as a column it goes in backticks, `{word}`"
    for sign in ("%in%", "!", "$"):
        if sign in bare:
            return _WORDS[sign.strip("%")]
    return ""


def about_word(word: str) -> str:
    """What a word or sign that means nothing here is elsewhere; empty if it is not known."""
    return _WORDS.get(word, "")


def about_response(left: str) -> str:
    """How to write a response that is more than a column."""
    for pattern, words in _RESPONSES:
        if match := re.fullmatch(pattern, left.strip()):
            return words.format(*match.groups())
    return "make a column of it first, data['new'] = ..., then 'new ~ ...'"


def about_group(lhs: str, group: str) -> str:
    """How to write what stands right of a bar; empty if it is not known."""
    name = r"(?:`[^`]+`|[^\W\d][\w.]*)"
    for pattern, words in _GROUPS:
        if match := re.fullmatch(pattern.replace("{n}", name), group.strip()):
            return words.format(*match.groups(), lhs=lhs)
    return ""


def about_structure(name: str) -> str:
    """How to write a group term that a function such as glmmTMB's ``ar1`` wraps."""
    return f"{name}(... | group) is not offered: {_STRUCTURE}" if name in _STRUCTURES else ""


def about_column(name: str, have: Sequence[object]) -> str:
    """The column that was probably meant by one that is not there; empty if there is none."""
    for column in have:
        if isinstance(column, str) and _shape(column) == _shape(name):
            return f"; {column!r} is, which {_difference(name, column)}"
    return f"; {_WORDS[name]}" if name in _WORDS else ""


def _shape(name: str) -> str:
    """What a name looks like: letters of other alphabets as Latin ones, no case, no spaces."""
    plain = unicodedata.normalize("NFKC", name).translate(_LATIN)
    return "".join(c for c in plain if c.isprintable() and not c.isspace()).casefold()


def _difference(given: str, column: str) -> str:
    if given.strip() == column.strip():
        return "differs in spaces around it"
    if given.lower() == column.lower():
        return "has other capitals"
    for a, b in zip(given, column, strict=False):
        if a != b:
            if a.lower() != b.lower() and not (a.isspace() or b.isspace()):
                return f"looks alike: {_character(b)} where {_character(a)} was written"
            break
    return "differs in spaces or characters that do not show"


def _character(c: str) -> str:
    return f"{c!r} (U+{ord(c):04X}, {unicodedata.name(c, 'no name').lower()})"
