import threading

from surefill.lsp.parser import BackgroundParser
from surefill.syntax import document as module
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for


def test_the_tree_is_there_before_anybody_asks_for_it(monkeypatch):
    parsed, threads = threading.Event(), []

    def noting(*arguments):
        threads.append(threading.current_thread().name)
        if len(threads) == 1:
            raise MemoryError("one document must not end the thread")
        tree = parse(*arguments)
        parsed.set()
        return tree

    parse = module.parse_exactly
    monkeypatch.setattr(module, "parse_exactly", noting)
    first, second = (
        Document(f"file:///{name}.py", language_for("python", None), "x = 1\n").snapshot()
        for name in "ab"
    )
    parser = BackgroundParser()
    parser.add(first)
    parser.add(second)
    assert parsed.wait(60)
    parser.close()
    assert second.tree is not None
    assert threads == ["surefill-parser", "surefill-parser"]
