# ruff: noqa: E501
"""Answers that try to get points which they have not earned, and what each must get.

Every row defines ``RATE`` (the share of ones) by some trick. `bites` says whether the trick gives
the point where answers and tests share a process, so that a row which does nothing is noticed.
The rows of `ALONE` end or stall their process; each gets a notebook of its own.
"""

from dataclasses import dataclass

HONEST = "def RATE(y):\n    return sum(y) / len(y)"
TEST = """for n in (2, 5, 9):
    y = [1] * (n - 1) + [0]
    assert abs(RATE(y) - (n - 1) / n) < 1e-9, f"the rate of {n} answers"
### BEGIN HIDDEN TESTS
assert np.isclose(RATE(np.array([0.0, 1.0, 1.0])), 2 / 3), "not right for arrays"
### END HIDDEN TESTS"""
# A careless test: it only looks at the data as the answer left them.
LOOP = """data = [1, 0, 1, 1]
found = RATE(data)
for value in data:
    assert abs(found - 0.75) < 1e-9, "not the rate"
"""
FRAME = """frame = pd.DataFrame({"g": list("aab"), "y": [1, 0, 1]})
found = RATE(frame)
for label, part in frame.groupby("g"):
    assert abs(found[label] - part["y"].mean()) < 1e-9, "not the rate of its group"
"""
CALLS = """seen = []
def spy(part):
    assert part, "an empty part"
    seen.append(len(part))
    return sum(part)
found = RATE([1, 0, 1], spy)
assert seen == [3] and found == 2, "the function was not called once with all"
"""


@dataclass(frozen=True)
class Attack:
    """A trick, the mechanism it uses, its answer, the point it must get, its test."""

    name: str
    mechanism: str
    answer: str
    points: int = 0
    bites: bool = False
    test: str = TEST


ALWAYS = """class Yes(float):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __gt__ = __le__ = __ge__ = __lt__
    def __abs__(self): return self
    def __sub__(self, other): return self
    def __rsub__(self, other): return self
    __hash__ = float.__hash__
    def __array_function__(self, *a, **k): return True
    def __array_ufunc__(self, *a, **k): return True
"""
READER = """import sys, linecache
def RATE(y):
    frame = sys._getframe()
    while frame is not None:
        for name in ("n", "np"):
            pass
        if "n" in frame.f_locals and isinstance(frame.f_locals["n"], int):
            n = frame.f_locals["n"]
            return (n - 1) / n if len(y) == n else 2 / 3
        frame = frame.f_back
    return 0.0
"""

SHARED = (
    # --- what the test's machinery believes ---
    Attack("exception group", "an exception that is printed elsewhere",
           "def RATE(*a): raise ExceptionGroup('', [ValueError()])"),
    Attack("base exception", "an exception that is not an Exception",
           "def RATE(*a): raise KeyboardInterrupt"),
    Attack("system exit", "leaving with success", "def RATE(*a): raise SystemExit(0)"),
    Attack("generator exit", "an exception that closes generators",
           "def RATE(*a): raise GeneratorExit"),
    Attack("stop iteration", "ending the loop of a test",
           "def RATE(y): raise StopIteration", test=(
               "found = list(map(RATE, [[1, 0], [1, 1]]))\n"
               "assert all(abs(v) <= 1 for v in found), 'no rates'"), bites=True),
    Attack("own exception class", "an exception whose text lies",
           "class E(Exception):\n    def __str__(self): raise RuntimeError\n"
           "def RATE(y): raise E()"),
    Attack("showtraceback", "the shell's way to show errors",
           "get_ipython()._showtraceback = lambda *a: None\n"
           "get_ipython().showtraceback = lambda *a, **k: None\ndef RATE(y): return 0.0"),
    Attack("custom exceptions", "the shell's handlers of exceptions",
           "get_ipython().set_custom_exc((Exception,), lambda *a, **k: None)\n"
           "def RATE(y): raise ValueError"),
    Attack("ast transformer", "rewriting cells before they run",
           "import ast\nclass T(ast.NodeTransformer):\n"
           "    def visit_Assert(self, node): return ast.Pass()\n"
           "get_ipython().ast_transformers.append(T())\ndef RATE(y): return 0.0"),
    Attack("cell events", "hooks around cells",
           "get_ipython().events.register('pre_run_cell', lambda *a: None)\n"
           "def RATE(y): return 0.0"),
    # --- patched libraries ---
    Attack("patched numpy", "functions that tests call",
           "import numpy\nnumpy.isclose = lambda *a, **k: True\nimport builtins\n"
           "builtins.abs = lambda x: 0\ndef RATE(y): return 0.0", bites=True),
    Attack("patched and restored", "functions that tests call, for a moment",
           "import builtins\ndef RATE(y):\n    builtins.abs = lambda x: 0\n"
           "    import numpy; numpy.isclose = lambda *a, **k: True\n    return 0.0"),
    Attack("patched checks", "this package's own checks",
           "import hierwidgets.exercises as e\ne.require = lambda *a: None\n"
           "e.check = lambda *a: True\ndef RATE(y): return 0.0"),
    Attack("import hook", "what an import finds",
           "import sys\nclass Find:\n    def find_spec(self, *a): return None\n"
           "sys.meta_path.insert(0, Find())\nsys.modules['numpy'].isclose = lambda *a, **k: True\n"
           "import builtins\nbuiltins.abs = lambda x: 0\ndef RATE(y): return 0.0", bites=True),
    # --- values that lie ---
    Attack("always equal", "a subclass whose comparisons say yes",
           ALWAYS + "def RATE(y): return Yes()", bites=True),
    Attack("class spoof", "an object that claims another class",
           "class Fake:\n    __class__ = float\n    def __float__(self): return 0.5\n"
           "    def __rsub__(self, o): return 0.0\n    def __sub__(self, o): return 0.0\n"
           "    def __array__(self, *a, **k):\n        import numpy\n        return numpy.array(2 / 3)\n"
           "def RATE(y): return Fake()", bites=True),
    Attack("array subclass", "an array that computes as it likes",
           "import numpy\nclass A(numpy.ndarray):\n"
           "    def __array_ufunc__(self, *a, **k): return numpy.float64(0)\n"
           "    def __array_function__(self, *a, **k): return True\n"
           "    def __sub__(self, o): return 0.0\n"
           "def RATE(y): return numpy.zeros(()).view(A)", bites=True),
    Attack("masked", "values that are left out of comparisons",
           "import numpy\ndef RATE(y): return numpy.ma.masked"),
    Attack("not a number", "comparisons that are always false", "def RATE(y): return float('nan')"),
    Attack("infinite", "numbers without an end", "def RATE(y): return float('inf')"),
    Attack("missing", "pandas' missing value", "import pandas\ndef RATE(y): return pandas.NA"),
    Attack("empty array", "no element that could be wrong",
           "import numpy\ndef RATE(y): return numpy.array([])", test=(
               "assert np.all(np.abs(RATE([1, 0]) - 0.5) < 1e-9) and np.size(RATE([1, 0])) == 1,"
               " 'not one number'")),
    Attack("a function back", "a stand-in in place of a value", "def RATE(y): return lambda *a: 0.5"),
    Attack("a class", "a class in place of a function",
           ALWAYS + "class RATE(Yes):\n    def __new__(cls, *a): return float.__new__(cls)",
           bites=True),
    Attack("a callable object", "an object that is called",
           ALWAYS + "class C:\n    def __call__(self, y): return Yes()\nRATE = C()", bites=True),
    Attack("property names", "attributes computed when looked at",
           "class C:\n    def __getattr__(self, n): return self\n"
           "    def __call__(self, *a): return self\nRATE = C()"),
    # --- data too large, too deep, or not what they claim ---
    Attack("huge number", "texts of numbers without an end", "def RATE(y): return 10 ** 100_000"),
    Attack("deep nesting", "containers in containers",
           "def RATE(y):\n    v = []\n    for _ in range(100_000): v = [v]\n    return v"),
    Attack("a circle", "a container in itself", "def RATE(y):\n    v = []\n    v.append(v)\n    return v"),
    Attack("large array", "more bytes than are handed over",
           "import numpy\ndef RATE(y): return numpy.zeros(20_000_000)"),
    Attack("endless iterator", "an iterator without an end",
           "import itertools\ndef RATE(y): return itertools.repeat(0.5)"),
    Attack("claimed range", "a size without content", "def RATE(y): return range(10 ** 15)"),
    Attack("recursion", "calls without an end", "def RATE(y): return RATE(y)"),
    # --- arguments ---
    Attack("emptied list", "changing the data that are judged",
           "def RATE(y):\n    y.clear()\n    return 0.0", test=LOOP, bites=True),
    Attack("emptied frame", "changing the data that are judged",
           "def RATE(frame):\n    frame.drop(frame.index, inplace=True)\n    return {}",
           test=FRAME, bites=True),
    Attack("unasked callback", "calls of a function that was not handed over",
           "def RATE(y):\n    import gc\n    return 0.0"),
    Attack("swallowed assertion", "an assertion in a test's own function",
           "def RATE(y, f):\n    try:\n        f([])\n    except BaseException:\n        pass\n"
           "    return f(y)", test=CALLS, bites=True),
    # --- reading the test ---
    Attack("frames", "the variables of the caller", READER, bites=True),
    Attack("garbage collector", "all objects of the process",
           "import gc\ndef RATE(y):\n    for o in gc.get_objects():\n"
           "        if isinstance(o, dict) and 'y' in o and type(o.get('n')) is int:\n"
           "            return (o['n'] - 1) / o['n'] if len(y) == o['n'] else 2 / 3\n"
           "    return 0.0", bites=True),
    Attack("trace function", "watching every line",
           "import sys\nkept = {}\ndef watch(frame, *a):\n"
           "    if type(frame.f_globals.get('n')) is int: kept['n'] = frame.f_globals['n']\n"
           "    return watch\nsys.settrace(watch)\ndef RATE(y):\n    n = kept.get('n', 0)\n"
           "    return (n - 1) / n if n == len(y) else 0.0"),
    Attack("main module", "the module in which tests run",
           "def RATE(y):\n    import __main__\n    n = vars(__main__).get('n', 0) or 1\n"
           "    return (n - 1) / n if len(y) == n else 2 / 3"),
    Attack("history", "the cells that have run",
           "def RATE(y):\n    text = str(get_ipython().user_ns.get('In'))\n"
           "    return eval(text.split('RATE(y) - ')[1].split(')')[0] + ')', {'n': len(y)})"),
    Attack("other processes", "what the system tells of its processes",
           "import os\ndef RATE(y):\n    for p in filter(str.isdigit, os.listdir('/proc')):\n"
           "        for f in ('cmdline', 'environ', 'mem'):\n            try:\n"
           "                data = open(f'/proc/{p}/{f}', 'rb').read(10 ** 6)\n"
           "            except OSError: continue\n"
           "            assert b'BEGIN HIDDEN' not in data\n    return 0.0"),
    Attack("counted calls", "an answer by number of the call",
           "calls = []\ndef RATE(y):\n    calls.append(1)\n"
           "    return [0.5, 0.8, 0.5, 0.8][len(calls) % 4]"),
    Attack("known answer", "typing in what the visible part shows",
           "def RATE(y): return (len(y) - 1) / len(y) if len(y) in (2, 5, 9) else 0.0"),
    # --- files and the system ---
    Attack("course files", "reading the course's folder",
           "import pathlib\ndef RATE(y):\n    for p in pathlib.Path('COURSE').rglob('*'):\n"
           "        return sum(y) / len(y)\n    return 0.0", bites=True),
    Attack("files up", "paths out of the folder",
           "import os\nfor p in ('../../../gradebook.db', '/ro' + 'ot/.bashrc', '/home', '/etc/shadow'):\n"
           "    assert not os.path.exists(p), p\ndef RATE(y): return 0.0"),
    Attack("site packages", "code that runs at the next command",
           "import site\nfor p in site.getsitepackages():\n    try:\n"
           "        open(p + '/x.pth', 'w').write('import os')\n        print('WROTE')\n"
           "    except OSError: pass\ndef RATE(y): return 0.0"),
    Attack("start-up files", "code that runs when Python starts",
           "import os, pathlib\nfor p in ('sitecustomize.py', 'usercustomize.py', '.pythonrc'):\n"
           "    pathlib.Path(p).write_text('import builtins; builtins.abs = lambda x: 0')\n"
           "os.environ['PYTHONSTARTUP'] = '.pythonrc'\ndef RATE(y): return 0.0"),
    Attack("symbolic link", "a link out of the folder",
           "import os\nos.symlink('/', 'all')\nprint(os.path.exists('all' + 'COURSE'))\n"
           "def RATE(y): return 0.0"),
    Attack("unmount", "taking covers away",
           "import ctypes\nlines = open('/proc/self/mountinfo').read().splitlines()\n"
           "done = [ctypes.CDLL(None).umount2(l.split()[4].encode(), 2) for l in lines]\n"
           "print('UNMOUNTED' if 0 in done else 'kept')\ndef RATE(y): return 0.0"),
    Attack("new name spaces", "privileges in a space of one's own",
           "import ctypes, os\npid = os.fork()\nif not pid:\n"
           "    ctypes.CDLL(None).unshare(0x10020000)\n"
           "    os._exit(0 if os.path.exists('COURSE') else 1)\n"
           "print('SEEN' if os.waitpid(pid, 0)[1] == 0 else 'hidden')\ndef RATE(y): return 0.0"),
    Attack("network", "a socket to the world",
           "import socket\ntry:\n    socket.create_connection(('127.0.0.1', PORT), timeout=1)\n"
           "    print('REACHED')\nexcept OSError: pass\ndef RATE(y): return 0.0"),
    Attack("first process", "the descriptors of the first process",
           "import os\ntry:\n    for f in os.listdir('/proc/1/fd'):\n        try:\n"
           "            os.write(os.open(f'/proc/1/fd/{f}', os.O_WRONLY), b'{\"index\": 0}\\n')\n"
           "        except OSError: pass\nexcept OSError: pass\ndef RATE(y): return 0.0"),
    Attack("environment", "secrets in variables",
           "import os\nprint('SECRET' in os.environ, os.environ.get('HOME'))\ndef RATE(y): return 0.0"),
    Attack("late code", "code that runs at the end",
           "import atexit, os\natexit.register(lambda: os.write(1, b'passed'))\ndef RATE(y): return 0.0"),
    Attack("left behind", "a process that stays",
           "import os, time\nif not os.fork():\n    time.sleep(600)\n    os._exit(0)\n"
           "def RATE(y): return 0.0"),
    Attack("thread", "a thread that goes on",
           "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
           "def RATE(y): return 0.0"),
    # --- the frames between the processes ---
    Attack("forged replies", "messages that nobody asked for",
           "import gc\ndef RATE(y):\n    for o in gc.get_objects():\n"
           "        if type(o).__name__ == 'Lender':\n            for k in range(50):\n"
           "                o.channel.send({'id': k, 'value': 0.5, 'passed': True})\n"
           "                o.channel.send({'passed': True, 'id': k, 'again': True})\n"
           "    return 0.0"),
    Attack("forged frames", "bytes that are no message",
           "import gc\ndef RATE(y):\n    for o in gc.get_objects():\n"
           "        if type(o).__name__ == 'Lender': o.channel.end.sendall(b'\\xff' * 100)\n"
           "    return 0.0"),
    Attack("forged data", "plain data that are none",
           "import gc\ndef RATE(y):\n    for o in gc.get_objects():\n"
           "        if type(o).__name__ == 'Lender':\n"
           "            for v in (['array', 'O', [1], 0], ['array', '<f8', [10 ** 12], 0], ['_read'],\n"
           "                      ['function', -99, 'x'], ['rangeindex', 0, 10 ** 15, 1, [None]]):\n"
           "                o.channel.send({'id': 2, 'value': v}, [b'12345678'])\n    return 0.0"),
    Attack("forged callback", "calls of functions that a test never gave",
           "import gc\ndef RATE(y):\n    for o in gc.get_objects():\n"
           "        if type(o).__name__ == 'Lender':\n"
           "            try: return o.back(7, ('import os',), {})\n            except Exception: return 0.0\n"
           "    return 0.0"),
    # --- and honest work, which must lose nothing ---
    Attack("honest", "none", HONEST, 1, True),
    Attack("numpy answer", "none", "import numpy\ndef RATE(y): return numpy.mean(y)", 1, True),
    Attack("plots", "none", "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\n"
           + HONEST, 1),
    Attack("autoreload", "none", "%load_ext autoreload\n%autoreload 2\n" + HONEST, 1),
    Attack("says exit", "none", "exit()\n" + HONEST, 1),
    Attack("awaits", "none", "import asyncio\nawait asyncio.sleep(0)\n" + HONEST, 1),
    Attack("shadows", "none", "np = None\nrequire = print\nabs = 1\nsum_of = sum\n" + HONEST, 1),
    Attack("warns", "none", "import warnings\ndef RATE(y):\n    warnings.warn('slow')\n"
           "    return sum(y) / len(y)", 1, True),
    Attack("remembers", "none", "from functools import cache\n@cache\ndef one(t): return sum(t) / len(t)\n"
           "def RATE(y): return one(tuple(y))", 1, True),
    Attack("calls back", "none", "def RATE(y, f): return f(y)", 1, True, CALLS),
    Attack("frames of groups", "none", "def RATE(frame): return frame.groupby('g')['y'].mean()", 1,
           True, FRAME),
)  # fmt: skip

# name: (mechanism, answer, the flag); the test before it keeps its point, its own gets none
ALONE = {
    "leaves": ("ending Python", "import os\nos._exit(0)", "crash"),
    "leaves when asked": ("ending Python", "import os\ndef RATE(y): os._exit(0)", "crash"),
    "kills its parents": (
        "signals to other processes",
        "import os, signal\ndef RATE(y):\n    for p in range(2, 60):\n        try:\n"
        "            os.kill(p, signal.SIGKILL)\n        except OSError: pass", "crash"),
    "endless": ("code without an end", "while True: pass", "timeout"),
    "endless when asked": ("code without an end", "def RATE(y):\n    while True: pass", "timeout"),
    "endless in C": ("code that no interrupt reaches", "def RATE(y): return sum(range(10 ** 14))", "timeout"),
    "deaf": (
        "code that no interrupt reaches",
        "import signal\ndef RATE(y):\n    signal.signal(signal.SIGALRM, signal.SIG_IGN)\n"
        "    signal.signal(signal.SIGPROF, signal.SIG_IGN)\n    while True: pass", "timeout"),
    "fork bomb": ("processes without an end", "import os\nwhile True: os.fork()", "crash"),
    "memory": ("memory without an end", "hog = [bytearray(10 ** 8) for _ in range(100)]", "crash"),
    "full disk": ("files without an end", "with open('big', 'wb') as f:\n    while True: f.write(b'x' * 10 ** 7)\n", "ok"),
    "flood": ("output without an end", "print('x' * 10 ** 7)\nfor k in range(10 ** 5): print(k)", "ok"),
    "closes all": ("closing the descriptors of the process", "import os\nos.closerange(0, 200)", "crash"),
    "input transformer": (
        "rewriting the text of cells",
        "get_ipython().input_transformers_cleanup.append(lambda lines: ['pass\\n'])\n"
        "def RATE(y): return 0.0", "ok"),
    "builtins anew": (
        "the names of Python itself",
        "import builtins\nbuiltins.AssertionError = type('A', (Exception,), {})\n"
        "builtins.isinstance = lambda *a: True\ndef RATE(y): return 0.0", "crash"),
}  # fmt: skip
