"""An action put off: once for all that asked, never after it was forgotten, at once in a script."""

import asyncio

from hierwidgets.widgets.parts.later import Later, once


def test_many_who_ask_get_one_action():
    done = []

    async def notebook():
        later = Later(lambda: done.append(later.waiting), 0.01)
        for _ in range(5):
            later.ask()
            assert later.waiting
        assert done == []
        await asyncio.sleep(0.05)
        assert not later.waiting

    asyncio.run(notebook())
    assert done == [False]


def test_what_is_forgotten_does_not_come():
    done = []

    async def notebook():
        later = Later(lambda: done.append(1), 0.01)
        later.ask()
        later.forget()
        later.forget()
        assert not later.waiting
        await asyncio.sleep(0.05)

    asyncio.run(notebook())
    assert done == []


def test_in_a_script_it_comes_at_once():
    done = []
    later = Later(lambda: done.append(1), 60)
    later.ask()
    assert done == [1]
    assert not later.waiting


def test_moves_that_are_one_get_one_action_after_the_last():
    done = []
    one, other, forgotten = (Later(lambda name=name: done.append(name), 0.01) for name in "abc")
    with once((one, other, forgotten)):
        one.ask()
        forgotten.ask()
        one.ask()
        forgotten.forget()
        assert done == []
    assert done == ["a"]
    one.ask()
    assert done == ["a", "a"]
