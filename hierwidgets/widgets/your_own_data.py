"""Your own data: a file, its columns chosen from menus, the model, its fit and its pictures.

What columns hold, what is wrong with them, formula, symbols and code come from `numbers.own`; the
pictures of a fit are other instruments, made when they are asked for.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

import ipywidgets
import pandas as pd
import traitlets as t

from hierwidgets.data.reading import ENDINGS, read, read_bytes
from hierwidgets.errors import HierwidgetsError
from hierwidgets.fit.fit import Fit
from hierwidgets.spec.frames import as_frame
from hierwidgets.widgets.competitiveness_effect import CompetitivenessEffect
from hierwidgets.widgets.numbers.own import model as told
from hierwidgets.widgets.numbers.own.columns import Choice, events_of, likely_event
from hierwidgets.widgets.numbers.own.problems import (
    Problem,
    after_the_fit,
    before_the_fit,
    can_be_fitted,
    refused,
)
from hierwidgets.widgets.numbers.own.shown import (
    picture_words,
    raw_label,
    raw_of,
    raw_rows,
    status_words,
    views_of,
)
from hierwidgets.widgets.numbers.words import GivenWords, Words, words_for
from hierwidgets.widgets.panels.own import RawPanel, raw_key
from hierwidgets.widgets.parts.choices import one_of
from hierwidgets.widgets.parts.controls import button, menu, switch
from hierwidgets.widgets.parts.instrument import Instrument, variable
from hierwidgets.widgets.parts.reruns import part_of_another
from hierwidgets.widgets.pooling_comparison import PoolingComparison
from hierwidgets.widgets.pooling_dial import PoolingDial

__all__ = ["YourOwnData"]

VIEWS = {
    "data": "the data alone", "dial": "the pooling dial", "comparison": "the comparison",
    "effect": "the effect of the predictor",
}  # fmt: skip
NOBODY = "choose ..."


class YourOwnData(Instrument):
    """A file of your own, a model of it, and its pictures, with the code to take away.

    Parameters
    ----------
    data
        A data frame, or the path of a file that :func:`hierwidgets.read` reads. Without it a
        file is chosen in the instrument.
    outcome
        The column to explain: two values, or numbers.
    event
        Of two values, the one that counts.
    group
        The column that says which rows belong together.
    predictor
        A column that may explain the outcome, or None.
    drop
        Leave out rows with missing values.
    view
        What stands below: ``"data"``, nothing; ``"dial"``, ``"comparison"`` or ``"effect"``, the
        fit in one of these instruments.
    words
        What levels, events and trials are called, `Words` or a mapping.

    Attributes
    ----------
    outcome, event, group, predictor, drop, view
        The state, to read, set or observe.
    frame
        The data, or None.
    fit
        The fit, once there is one.
    problems
        What stands in its way, or should be known of it: sentences.
    code
        The lines of Python that do the same.
    status
        What the status line says.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> own = YourOwnData(hw.load("finland"), outcome="contacted", group="district_id")
    >>> own.event
    'Contacted'
    >>> own.view = "dial"
    >>> own.fit.fixef.round(2).to_dict()
    {'Intercept': -1.37}
    >>> print(own.code.splitlines()[2])
    fit = hw.glmer('contacted ~ 1 + (1 | district_id)', data, event='Contacted')
    >>> own.close()
    """

    state_names = ("outcome", "event", "group", "predictor", "drop", "view")

    outcome = t.Unicode(None, allow_none=True)
    event = t.Any(None, allow_none=True)
    group = t.Unicode(None, allow_none=True)
    predictor = t.Unicode(None, allow_none=True)
    drop = t.Bool(False)
    view = t.Unicode("data")

    _quiet = False
    _shown: Instrument | None = None

    def __init__(
        self,
        data: "pd.DataFrame | str | os.PathLike[str] | None" = None,
        *,
        outcome: str | None = None,
        event: object = None,
        group: str | None = None,
        predictor: str | None = None,
        drop: bool = False,
        view: str = "data",
        words: GivenWords = None,
        **unknown: object,
    ) -> None:
        words_for(words, "g", "y")  # what is no word is refused at once
        self._given_words = words
        self.frame: pd.DataFrame | None = None
        self.fit: Fit | None = None
        self._refused: Problem | None = None
        self._source = "data"
        if data is not None:
            self._take(data)
        super().__init__(**unknown)
        self._start_at(outcome=outcome, group=group, predictor=predictor, drop=drop)
        if event is None:
            event = likely_event(self._events)
        self._start_at(event=event)
        self._build()
        self._connect()
        self._start_at(view=view)
        self._guarded(self._draw)

    # --- the data ---

    def _take(self, data: Any) -> None:
        """A frame as it is, a file as it is read; its name is the source in the code."""
        if isinstance(data, str | os.PathLike):
            self.frame, self._source = read(data), f"hw.read({os.fspath(data)!r})"
        else:
            self.frame, self._source = as_frame(data), "data"
        self.frame = self.frame.rename(columns=str)

    def _upload(self) -> None:
        """The file that was chosen: read, and nothing chosen from it yet."""
        if not self._file.value:
            return
        file = self._file.value[-1]
        name, content = str(file["name"]), bytes(file["content"])
        frame = read_bytes(name, content)
        with self._in_one_go():
            self.view = "data"
            for trait in ("outcome", "event", "group", "predictor"):
                setattr(self, trait, None)
            self.drop = False
            self.frame, self._source = frame.rename(columns=str), f"hw.read({name!r})"
            self._arguments = {**self._arguments, "data": name}
            self._offer()
        self._changed()

    @property
    def _columns(self) -> list[str]:
        return [] if self.frame is None else list(self.frame.columns)

    @property
    def _events(self) -> list[Any]:
        return [] if self.frame is None else events_of(self.frame, self.outcome)

    @property
    def choice(self) -> Choice:
        """The columns that are chosen."""
        return Choice(self.outcome, self.group, self.event, self.predictor, self.drop)

    @property
    def words(self) -> Words:
        """What things are called."""
        return words_for(
            self._given_words, self.group or "group", self.outcome or "outcome",
            predictor=self.predictor or "",
        )  # fmt: skip

    @property
    def problems(self) -> list[str]:
        """What stands in the way of a fit, or should be known of it."""
        return [problem.text for problem in self._problems()]

    @property
    def code(self) -> str:
        """The lines of Python that make the same fit and pictures; empty before there is one."""
        if self.fit is None or self.frame is None:
            return ""
        given = self._arguments.get("data")
        source = variable(given) or "data" if self._source == "data" else self._source
        return told.code_of(self.frame, self.choice, source, self._views[1:])

    # --- what the traits may be ---

    @t.validate("outcome", "group", "predictor")  # type: ignore[untyped-decorator]
    def _known_column(self, proposal: dict[str, Any]) -> str | None:
        name, value = proposal["trait"].name, proposal["value"]
        if value is not None and self.frame is None:
            raise t.TraitError(f"{name} is a column of data; give data, or choose a file first")
        return value if value is None else str(one_of(name, value, self._columns))

    @t.validate("event")  # type: ignore[untyped-decorator]
    def _known_event(self, proposal: dict[str, Any]) -> object:
        value = proposal["value"]
        return value if value is None else one_of("event", value, self._events)

    @t.validate("view")  # type: ignore[untyped-decorator]
    def _known_view(self, proposal: dict[str, Any]) -> str:
        return str(one_of("view", proposal["value"], list(VIEWS)))

    # --- the parts, built once ---

    def _build(self) -> None:
        self._build_controls()
        self.raw = RawPanel()
        self._symbols, self._sentences = (
            ipywidgets.HTMLMath(layout={"overflow": "auto"}),
            ipywidgets.HTML(),
        )
        self._code_box = ipywidgets.Textarea(
            description="Code to take away", rows=8, style={"description_width": "initial"},
            layout={"width": "auto"},
        )  # fmt: skip
        self._below = ipywidgets.VBox()
        self._table.title = "Table of the groups"
        self._assemble(
            (self._file, self._outcome_menu, self._event_menu, self._group_menu,
             self._predictor_menu, self._drop_box, self._fit_button, self._view_menu),
            (ipywidgets.HTML(raw_key()), self.raw.figure, self._symbols, self._sentences),
            self._code_box, self._below,
        )  # fmt: skip

    def _build_controls(self) -> None:
        self._file = ipywidgets.FileUpload(
            accept=",".join(ENDINGS), multiple=False, description="Choose a file",
            tooltip="CSV, Excel, Stata or SPSS", layout={"width": "auto"},
        )  # fmt: skip
        self._outcome_menu, self._group_menu, self._predictor_menu = (
            menu(name, [nothing])
            for name, nothing in (("Outcome", NOBODY), ("Group", NOBODY), ("Predictor", "none"))
        )
        self._event_menu = menu("What counts", [NOBODY])
        self._view_menu = menu("Picture", [(VIEWS["data"], "data")])
        self._drop_box = switch("leave out rows with missing values", self.drop)
        self._fit_button = button("Fit the model", "Fit it, and show it in the first picture")
        self._offer()

    def _menus(self) -> Iterator[tuple[str, ipywidgets.Dropdown, list[Any]]]:
        yield "outcome", self._outcome_menu, self._columns
        yield "group", self._group_menu, self._columns
        yield "predictor", self._predictor_menu, self._columns
        yield "event", self._event_menu, self._events

    def _offer(self) -> None:
        """Menus with what can be chosen now, at what is chosen."""
        with self._in_one_go():
            for name, one, values in self._menus():
                first = "none" if name == "predictor" else NOBODY
                texts = [first, *map(str, values)]
                if list(one.options) != texts:
                    one.options = texts
                value = getattr(self, name)
                one.index = 1 + values.index(value) if value in values else 0
            self._event_menu.layout.display = None if self._events else "none"
            options = [(VIEWS[name], name) for name in self._views]
            if list(self._view_menu.options) != options:
                self._view_menu.options = options
            self._view_menu.value = self.view if self.view in self._views else "data"

    @property
    def _views(self) -> list[str]:
        """The pictures that this model has."""
        return ["data"] if self.frame is None else views_of(self.frame, self.choice)

    # --- what changes ---

    def _connect(self) -> None:
        self._file.observe(lambda _: self._guarded(self._upload), names="value")
        for name, one, _ in self._menus():
            one.observe(lambda _, name=name: self._guarded(lambda: self._choose(name)),
                        names="index")  # fmt: skip
        self._view_menu.observe(lambda _: self._guarded(self._choose_view), names="value")
        self._bind("drop", self._drop_box)
        self._fit_button.on_click(lambda _: self._guarded(self._press_fit))
        self._redraw_on(self._new_outcome, "outcome")
        self._redraw_on(self._changed, "event", "group", "predictor", "drop")
        self._redraw_on(self._draw, "view")

    @contextmanager
    def _in_one_go(self) -> Iterator[None]:
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    def _choose(self, name: str) -> None:
        if self._quiet:
            return
        index, values = next((one.index, v) for n, one, v in self._menus() if n == name)
        if index is not None:
            setattr(self, name, values[index - 1] if index else None)

    def _choose_view(self) -> None:
        if not self._quiet and self._view_menu.value is not None:
            self.view = self._view_menu.value

    def _press_fit(self) -> None:
        views = self._views
        if len(views) > 1 and self.view == "data":
            self.view = views[1]
        else:
            self._draw()

    def _new_outcome(self) -> None:
        with self._in_one_go():
            self.event = likely_event(self._events)
        self._changed()

    def _changed(self) -> None:
        """Another model: its fit and its pictures are gone until they are asked for again."""
        if self._quiet:
            return
        self.fit = self._refused = None
        with self._in_one_go():
            self.view = "data"
        self._draw()

    def _draw(self) -> None:
        if self._quiet:
            return
        if self.view != "data":
            self._fit_it()
        self._offer()
        self._draw_data()
        self._draw_model()
        self._draw_view()
        self._report()

    def _fit_it(self) -> None:
        """The fit, once for each model; without one the data stay alone."""
        if self.view not in self._views:
            with self._in_one_go():
                self.view = "data"
            return
        if self.fit is None and self.frame is not None:
            try:
                self.fit = told.fit_of(self.frame, self.choice)
            except HierwidgetsError as error:
                self._refused = refused(error)
                with self._in_one_go():
                    self.view = "data"

    def _draw_data(self) -> None:
        frame, choice = self.frame, self.choice
        found = None if frame is None else raw_of(frame, choice)
        self._found, self._table.rows = found, raw_rows(found)
        label = "" if frame is None or found is None else raw_label(frame, choice)
        self._table.columns = [self.words.level, "n", label]
        self.raw.show(found, label, self.words.trials)

    def _draw_model(self) -> None:
        frame, choice = self.frame, self.choice
        if frame is None or not can_be_fitted(frame, choice):
            self._symbols.value = self._sentences.value = ""
        else:
            self._symbols.value = f"$${told.in_symbols(frame, choice, self.words)}$$"
            words = told.in_words(frame, choice, self.words)
            self._sentences.value = (
                f"<div>{escape(words)}<br>As a formula: "
                f"<code>{escape(told.formula_of(choice))}</code></div>"
            )
        self._code_box.value = self.code
        self._code_box.layout.display = None if self.code else "none"

    def _draw_view(self) -> None:
        """The picture that is asked for, in place of the one before."""
        old, self._shown = self._shown, None
        self._below.children = ()
        if old is not None:
            old.close()
        if self.view == "data" or self.fit is None:
            return
        with part_of_another():
            self._shown = self._made(self.fit)
        self._below.children = (self._shown,)

    def _made(self, fit: Fit) -> Instrument:
        words = self._given_words
        if self.view == "dial":
            return PoolingDial(fit, words=words)
        if self.view == "comparison":
            return PoolingComparison(fit, words=words)
        return CompetitivenessEffect(fit, str(self.predictor), words=words)

    # --- in words ---

    def _problems(self) -> list[Problem]:
        if self.frame is None:
            return []
        found = before_the_fit(self.frame, self.choice)
        if self._refused is not None:
            found.append(self._refused)
        return found + ([] if self.fit is None else after_the_fit(self.fit))

    def _report(self) -> None:
        """The next thing to do, what came out, and every problem."""
        problems = self._problems()
        self._say(
            status_words(self.frame, self.choice, self.fit, problems, self.words),
            hw_raw=picture_words(self._found, self.raw.value_axis.label, self.words),
        )
        self._status.problem = any(problem.stops for problem in problems)

    def close(self) -> None:
        """Free the front end's and the kernel's memory, the picture below too."""
        if self._shown is not None:
            self._shown.close()
        super().close()
