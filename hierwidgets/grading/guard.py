# mypy: ignore-errors
"""What runs inside the kernel: trusted names are noted first and compared before every test.

The text of this file is executed in the kernel in a namespace of its own, before any answer.
It cannot stop code that knows it: answers and tests share one process. It notices patched
functions of Python, numpy, scipy, pandas and this package, and a patched IPython.
"""

import builtins
import sys
import types

MODULES = (
    "math", "statistics", "random", "numpy", "numpy.testing", "numpy.linalg", "numpy.random",
    "scipy.special", "scipy.stats", "scipy.optimize", "scipy.integrate", "pandas",
    "pandas.testing",
)  # fmt: skip
OWN = "hierwidgets"
PER_CELL = {"input", "getpass", "get_ipython", "display", "exit", "quit", "_"}  # IPython's own
CLASSES = (("pandas", "DataFrame"), ("pandas", "Series"), ("pandas", "Index"))


def _namespaces():
    yield "builtins", {k: v for k, v in vars(builtins).items() if k not in PER_CELL}
    for name in sorted(sys.modules):
        module = sys.modules[name]
        ours = name == OWN or name.startswith(OWN + ".")
        if (name in MODULES or ours) and isinstance(module, types.ModuleType):
            yield name, vars(module)
    for module, name in CLASSES:
        if module in sys.modules:
            yield f"{module}.{name}", vars(getattr(sys.modules[module], name))


def _trace(value):
    """What must stay the same of a function or class: itself, its code, its defaults."""
    code = getattr(value, "__code__", None)
    return value, code, getattr(value, "__defaults__", None)


def _same(one, other):
    return all(a is b for a, b in zip(one, other, strict=True))


class Guard:
    """The state at the start; `problems` says what has changed, `before` rebinds the names."""

    def __init__(self, shell):
        self.shell, self.stash = shell, {}
        self.names = {
            name: value for name, value in shell.user_ns.items()
            if not name.startswith("_") and name not in ("In", "Out", "exit", "quit", "get_ipython")
        }  # fmt: skip
        self.kept = {
            place: {name: _trace(v) for name, v in space.items() if callable(v)}
            for place, space in _namespaces()
        }
        self.machine = self._machine()

    def _machine(self):
        shell = self.shell
        methods = ("run_cell", "run_cell_async", "run_code", "run_ast_nodes", "showtraceback")
        events = shell.events.callbacks.items()
        return {
            "the steps before a cell": (
                list(shell.ast_transformers), list(shell.input_transformers_post),
                list(shell.input_transformers_cleanup),
            ),
            "the events of a cell": {  # drawing adds one of its own
                name: [f for f in calls if f.__module__ != "matplotlib_inline.backend_inline"]
                for name, calls in events
            },
            "the shell's methods": (
                [m for m in methods if m in vars(shell)],
                [getattr(type(shell), m) for m in methods],
            ),
            "custom exceptions": shell.custom_exceptions,
            "the trace function": (sys.gettrace(), sys.getprofile()),
        }  # fmt: skip

    def problems(self):
        spaces = dict(_namespaces())
        found = []
        for place, kept in self.kept.items():
            space = spaces.get(place, {})
            found += [
                f"{place}.{name}" for name, old in kept.items()
                if name in space and not _same(_trace(space[name]), old)
            ]  # fmt: skip
            found += [f"{place}.{name}" for name in kept if name not in space]
        now = self._machine()
        return found + [name for name, old in self.machine.items() if now[name] != old]

    def before(self):
        """Trusted names as the course bound them; names that hide Python's own are put aside."""
        space = self.shell.user_ns
        space.update(self.names)
        hidden = [name for name in vars(builtins) if name in space and name not in self.names]
        self.stash = {name: space.pop(name) for name in hidden if not name.startswith("_")}

    def after(self):
        self.shell.user_ns.update(self.stash)
