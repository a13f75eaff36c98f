"""The page as a person sees it, in a headless Chromium; skipped where there is none."""

import pytest
from browser import chromium
from run_examples import write_run

from eznas.program import Program
from eznas.report.energy import Footprint, PowerAssumptions
from eznas.report.html import read_story, render_page

WIDTHS = (380, 800, 1400)

WIDE = Program.parse(
    "add(matmul(abs_log(T1_D), normalize(mul(T2_N, T2_P))), sub(less(T4G_D, T4G_N), "
    "kl_divergence(softmax(T3G_P), cosine_similarity(exp(T1_D), sigmoid(add(T2_D, mul(T4_D, T4_N)))))))"
)
"""A program whose formula and tree are wider than a small screen."""

UNSEEN = """
    [...document.querySelectorAll('svg, math')]
        .filter(each => {
            const box = each.getBoundingClientRect();
            return box.width < 20 || box.height < 10;
        }).map(each => each.outerHTML.slice(0, 120))
"""
OVERLAPPING = """
    [...document.querySelectorAll('svg.chart')].filter(chart => {
        const boxes = [...chart.querySelectorAll('text')].map(text => text.getBoundingClientRect());
        return boxes.some((a, i) => boxes.some((b, j) => i < j && a.left < b.right - 1 && b.left < a.right - 1
            && a.top < b.bottom - 3 && b.top < a.bottom - 3));
    }).map(chart => chart.outerHTML.slice(0, 120))
"""
SMALLEST_LETTERS = """
    Math.min(...[...document.querySelectorAll('svg.chart text')].map(text => {
        const {a, b} = text.getScreenCTM();
        return parseFloat(getComputedStyle(text).fontSize) * Math.hypot(a, b);
    }))
"""
# Relative luminance and contrast as WCAG 2.2 defines them; 4.5 is its level AA for text.
WORST_CONTRAST = """
    (() => {
        const channels = colour => colour.match(/[0-9.]+/g).map(Number);
        const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
        const behind = element => {
            for (let at = element; at; at = at.parentElement) {
                const colour = channels(getComputedStyle(at).backgroundColor);
                if (colour.length < 4 || colour[3] > 0) return colour;
            }
        };
        const texts = [...document.body.querySelectorAll('*')].filter(each => !each.closest('svg, script')
            && [...each.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()));
        return Math.min(...texts.map(each => {
            const lights = [channels(getComputedStyle(each).color), behind(each)].map(luminance);
            return (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
        }));
    })()
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = write_run(tmp_path_factory.mktemp("runs") / "seen", best=WIDE, generations=15)
    story = read_story(folder)
    file = folder / "report.html"
    file.write_text(render_page(story, Footprint(story.everything, 2, PowerAssumptions()), "as a test says"))
    return file


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_fits_its_window_and_every_figure_shows(page, report, width):
    page.show(report, width)
    page.value("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert page.value("document.documentElement.scrollWidth") == width
    assert page.value(UNSEEN) == []
    assert page.value(OVERLAPPING) == []
    assert page.value(SMALLEST_LETTERS) >= 8.5


@pytest.mark.parametrize("dark", [False, True])
def test_texts_stand_out_from_what_is_behind_them(page, report, dark):
    page.show(report, 800, dark=dark)
    page.value("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    background = page.value("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(20, 24, 29)" if dark else "rgb(255, 255, 255)")
    assert page.value(WORST_CONTRAST) >= 4.5


def test_nothing_is_fetched_and_nothing_is_complained_of(page, report):
    page.complaints.clear()
    page.requests.clear()
    page.show(report, 800)
    page.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.requests == [report.resolve().as_uri()]
    assert page.complaints == []


def test_the_policy_stops_what_the_page_does_not_bring_itself(page, report):
    page.show(report, 800)
    page.value("document.body.insertAdjacentHTML('beforeend', '<img src=\"http://127.0.0.1:9/a.png\">')")
    page.value(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))"
    )
    refused = page.value("fetch('http://127.0.0.1:9/').then(() => false, () => true)")
    assert refused is True
    assert page.value("window.ran === undefined") is True
    assert len([text for text in page.complaints if "Content Security Policy" in text]) >= 3


def test_a_button_copies_its_command(page, report):
    page.show(report, 800)
    assert page.value("document.querySelectorAll('button.copy').length") > 4
    page.value("navigator.clipboard.writeText = text => { window.copied = text; return Promise.resolve(); }")
    page.value("document.querySelector('#use button.copy').click()")
    assert page.value("window.copied").startswith("eznas export /")
    assert page.value("document.querySelector('#use button.copy').textContent") == "Copied"


def test_printed_pages_hold_everything_on_white(page, report):
    page.show(report, 800, dark=True)
    page.call("Emulation.setEmulatedMedia", media="print", features=[])
    assert page.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.value("getComputedStyle(document.querySelector('nav')).display") == "none"
    pdf = page.call("Page.printToPDF", preferCSSPageSize=True)["data"]
    assert len(pdf) > 50_000
