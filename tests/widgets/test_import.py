"""Without what the widgets need, an error says what to install; nobody loads them unasked."""

import subprocess
import sys


def test_without_the_extra_the_error_says_what_to_install():
    code = "import sys; sys.modules['bqplot'] = None; import hierwidgets as hw; hw.widgets"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip().splitlines()[-1] == (
        "hierwidgets.errors.MissingExtraError: the widgets need bqplot; "
        'install with: pip install "hierwidgets[lab]"'
    )


def test_the_package_does_not_load_the_widgets_unasked():
    code = "import sys, hierwidgets; print('bqplot' in sys.modules, 'ipywidgets' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
