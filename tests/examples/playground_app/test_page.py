"""The page in a browser: every tab used, and what it shows read from it."""

import pytest

from tests.examples.playground_app.browser import (
    DESK,
    PHONE,
    Page,
    Relay,
    chromium,
    playground,
)

TABS = ["Sample", "Path", "Reconstruct", "Fill in blanks", "Score"]
TABS += ["Classify", "Map", "Arithmetic", "Dimensions"]
ODD = "<b> {{7}} ${1}"  # few enough characters to be read
TOO_LONG = "cat " * 40
READABLE = 4.5  # WCAG 2.2, AA


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def relay(served):
    """The way to the server."""
    relay = Relay(served.server.address)
    yield relay
    relay.close()


@pytest.fixture(scope="module")
def address(browser, relay, tmp_path_factory):
    """Of the page; `browser` comes first, since without it nothing need start."""
    uploads = str(tmp_path_factory.mktemp("temporary"))
    server = f"--address={relay.address}"
    with playground(server, "--timeout=60", TMPDIR=uploads) as (_, address):
        yield address


@pytest.fixture(scope="module")
def collection(explorer):
    """What the page has on its map at first."""
    return explorer.collect_samples()


@pytest.fixture(scope="module")
def page(browser, address):
    """A page that asks for nothing outside, and complains of nothing.

    All tests use the one, each a tab: to load it anew takes seconds.
    """
    page = Page(browser, address)
    yield page
    assert page.requests
    assert all(url.startswith((address, "data:", "blob:")) for url in page.requests)
    assert not page.complaints


def test_every_tab_is_there(page):
    assert page.tabs() == TABS


def test_samples_are_drawn_by_enter(page, explorer):
    page.type("Texts", "3")
    page.type("Seed of the first", "7", "Enter")
    expect(page, "#samples li", shown(explorer.sample(3, 7, 1.0, 1.0, False)))
    page.page.get_by_label("the fitted density").check()
    page.click("Draw")
    expected = shown(explorer.sample(3, 7, 1.0, 1.0, True))
    expect(page, "#samples li", expected)


def test_a_path_has_a_slider_along_it(page, explorer, texts):
    page.open("Path")
    page.type("From", texts[0])
    page.type("To", texts[1])
    page.page.get_by_label("arc").check()
    page.click("Go")
    expected = shown(explorer.path(texts[0], texts[1], 9, True))
    expect(page, "#path li", expected)
    expect(page, "#step .said", expected[:1])
    page.page.get_by_label("range slider for Step", exact=True).press("ArrowRight")
    expect(page, "#step .said", expected[1:2])
    expect(page, "#path li.here", expected[1:2])


def test_a_sentence_is_reconstructed_by_enter(page, explorer, texts, collection):
    page.open("Reconstruct")
    page.type("Sentence", texts[1], "Enter")
    expected = explorer.reconstruct(texts[1], collection)
    expect(page, "#reconstruction .said", shown([expected.text]))
    (note,) = page.texts("#reconstruction .note")
    assert note.startswith(f"KL {expected.kl:.2f} nats")
    cells = page.texts("#reconstruction td")
    assert cells[0::2] == shown([text for _, text in expected.neighbours])
    assert cells[1::2] == [f"{cosine:.2f}" for cosine, _ in expected.neighbours]


def test_blanks_are_filled_by_enter(page, explorer):
    page.open("Fill in blanks")
    page.type("Sentence with blanks", "the _ sees a dog", "Enter")
    text = explorer.fill("the _ sees a dog", 4)
    expect(page, "#filled .said", [text])
    word = text.removeprefix("the ").removesuffix(" sees a dog")
    expect(page, "#filled mark", [word])


def test_sentences_are_scored_in_a_table(page, explorer, texts):
    page.open("Score")
    page.type("Sentences, one a line", "\n".join([*texts[:2], TOO_LONG]), "Shift+Enter")
    rows = explorer.score("\n".join(texts[:2])).rows
    expected = [
        [text, *(f"{figure:.2f}" for figure in figures), str(unknown)]
        for text, *figures, unknown in rows
    ]
    expect(page, "#scores td", sum(expected, []))
    refused = "sentence 3: a text has more than 20 subwords"
    assert page.wrong(refused) == [refused]
    page.type("Sentences, one a line", ODD, "Shift+Enter")
    page.page.locator("#scores td").nth(5).wait_for(state="detached")
    assert page.texts("#scores td")[0] == ODD
    assert page.page.locator("#scores td b").count() == 0


def test_sentences_have_labels_in_a_table(page, explorer, texts):
    page.open("Classify")
    page.type("Sentences, one a line", "\n".join([*texts[:2], TOO_LONG]), "Shift+Enter")
    expected = []
    for text, named in explorer.classify("\n".join(texts[:2])).rows:
        rows = [[label, f"{share:.1%}"] for label, share in named]
        expected += sum(rows, [text])
    expect(page, "#classes td", expected)
    refused = "sentence 3: a text has more than 20 subwords"
    assert page.wrong(refused) == [refused]


def test_a_sentence_is_moved_by_the_arrows(page, explorer, texts, collection):
    page.open("Dimensions")
    page.type("Sentence", texts[0], "Enter")
    position = explorer.position(texts[0], collection)
    expect(page, "#moved .said", shown([explorer.decode(position.z)]))
    name = f"range slider for Dimension {position.dimensions[0]}, unit"
    slider = page.page.get_by_label(name)
    expected = shown([explorer.decode(position.moved([-4.0, 0.0, 0.0]))])
    assert expected != page.texts("#moved .said")
    slider.press("Home")
    expect(page, "#moved .said", expected)
    slider.press("End")
    expect(page, "#moved .said", shown([explorer.decode(position.moved([4.0, 0, 0]))]))
    number = f"number input for Dimension {position.dimensions[0]}, unit"
    page.page.get_by_label(number).fill("-99")
    expect(page, "#moved .said", expected)
    assert page.page.locator(".toast-wrap *").count() == 0


def test_two_points_of_the_map_show_the_path(page, explorer, texts, collection):
    page.open("Map")
    assert page.page.locator(".point").count() == len(collection.texts)
    page.page.get_by_role("button", name="Other sentences").click()
    page.type("Sentences, one a line", "\n".join([*texts, ODD]))
    page.click("Map")
    points = page.seen(f".point[aria-label='{texts[0]}']")
    points.wait_for()
    assert page.page.locator(".point").count() == len(texts) + 1
    page.page.locator(".point").first.focus()
    for _ in range(len(texts)):
        page.page.keyboard.press("ArrowRight")
    assert page.page.evaluate("document.activeElement.nextSibling") is None
    page.seen(f'.point[aria-label="{ODD}"]').focus()  # a focused one may hide it
    expect(page, "#map .caption", [ODD])
    points.focus()
    page.page.keyboard.press("Enter")
    page.seen(f".point[aria-label='{texts[1]}']").click(force=True)
    expected = shown(explorer.path(texts[0], texts[1], 9, False))
    expect(page, "#map-path li", expected)
    page.open("Path")
    assert page.page.get_by_label("From").input_value() == texts[0]
    assert page.page.get_by_label("To", exact=True).input_value() == texts[1]


def test_two_points_chosen_at_once_show_the_path(page, explorer):
    page.open("Map")
    points = page.page.locator(".point")
    points.first.wait_for()
    start, end = points.evaluate_all(
        "points => points.slice(0, 2).map(p => p.ariaLabel)"
    )
    points.evaluate_all("points => points.slice(0, 2).forEach(p => p.click())")
    expected = shown(explorer.path(start, end, 9, False))
    expect(page, "#map-path li", expected)


def test_a_model_whose_samples_cannot_be_read_has_no_map(explorer, monkeypatch):
    pytest.importorskip("gradio")
    from examples.playground_app import page

    def draw(*texts):
        monkeypatch.setattr(explorer._client, "sample", lambda *_: [*texts])
        return page.first_collection(explorer), page.examples(explorer, None)

    assert draw("", "\n\n") == (None, ["", "", ""])
    assert draw(TOO_LONG) == (None, [TOO_LONG, "", ""])
    assert draw("", " ", TOO_LONG)[1] == [TOO_LONG, "", ""]


def test_a_file_is_mapped(page, texts, tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("text,other\n" + "".join(f"{text},1\n" for text in texts))
    page.open("Map")
    file_input = page.page.locator("input[type=file]")
    if not file_input.count():
        page.page.get_by_role("button", name="Other sentences").click()
    file_input.set_input_files(file)
    page.page.locator(".point").nth(len(texts)).wait_for(state="detached")
    page.seen(f".point[aria-label='{texts[0]}']").wait_for()
    assert page.page.locator(".point").count() == len(texts)


def test_sentences_are_added(page, explorer, texts):
    page.open("Arithmetic")
    for label, text in zip(("a", "− b", "+ c"), texts, strict=False):
        page.page.get_by_role("textbox", name=label, exact=True).fill(text)
    page.click("Add up")
    total, *alone = shown(explorer.combine(*texts[:3], 1.0))
    expect(page, "#sum .said", [total])
    assert shown(page.texts("#sum td")[2::3]) == alone


@pytest.mark.parametrize(
    ("tab", "label", "text", "message"),
    [
        ("Path", "From", "", "the first sentence is empty"),
        ("Reconstruct", "Sentence", TOO_LONG, "a text has more than 20 subwords"),
        ("Reconstruct", "Sentence", "", "the sentence is empty"),
        ("Fill in blanks", "Sentence with blanks", "a cat", "no word is hidden: write"),
        ("Sample", "Texts", "0", "the number must be from 1 to 2000"),
        ("Arithmetic", "− b", " ", "sentence b is empty"),
        ("Dimensions", "Sentence", TOO_LONG, "a text has more than 20 subwords"),
    ],
)
def test_a_mistake_is_one_line_in_the_page(page, tab, label, text, message):
    page.open(tab)
    page.type(label, text, "Enter")
    (line,) = page.wrong(message)
    assert line.startswith(message)
    assert page.page.locator(".toast-wrap *").count() == 0


def test_what_stands_out_can_be_read_in_the_dark(page):
    page.page.evaluate("document.body.classList.add('dark')")
    page.open("Fill in blanks")
    page.type("Sentence with blanks", "the _ sees", "Enter")
    page.page.locator("#filled mark").wait_for()
    assert page.contrast("#filled mark") > READABLE
    page.type("Sentence with blanks", "", "Enter")
    page.wrong("the sentence is empty")
    assert page.contrast(".wrong") > READABLE
    page.page.evaluate("document.body.classList.remove('dark')")


def test_every_tab_fits_a_phone(page):
    page.page.set_viewport_size(PHONE)
    for tab in TABS:
        page.open(tab)
        assert page.page.evaluate("document.documentElement.scrollWidth") <= 390, tab
    page.page.set_viewport_size(DESK)


def test_a_server_that_has_gone_is_one_line_until_it_is_back(page, relay, explorer):
    page.open("Sample")
    page.type("Texts", "2")
    relay.close()
    page.type("Seed of the first", "5", "Enter")
    (line,) = page.wrong("the server does not answer: ")
    assert "\n" not in line
    relay.open()
    page.click("Draw")
    page.page.locator("#samples li").first.wait_for()
    assert not page.seen(".wrong").count()


def expect(page, selector, texts):
    """Asserts that the page comes to show these texts."""
    assert page.texts(selector, texts) == texts


def shown(texts):
    """Texts as the browser shows them: blanks run together, nothing as a sign."""
    return [" ".join(text.split()) or "(empty)" for text in texts]
