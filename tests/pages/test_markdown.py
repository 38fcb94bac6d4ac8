from __future__ import annotations

from tertulia.pages.markdown import markdown_html


def test_headings_stand_below_the_title() -> None:
    assert markdown_html("# One\n\n###### Six") == "<h2>One</h2>\n<h6>Six</h6>\n"


def test_html_is_shown_as_written() -> None:
    assert markdown_html("a <script>b</script>") == "<p>a &lt;script&gt;b&lt;/script&gt;</p>\n"


def test_script_addresses_are_no_links() -> None:
    assert "href" not in markdown_html("[x](javascript:alert(1))")


def test_images_come_by_https_alone() -> None:
    assert markdown_html("![A *boat*](https://example.org/boat.jpg)") == (
        '<p><img src="https://example.org/boat.jpg" alt="A boat" loading="lazy" /></p>\n'
    )
    for address in ("http://example.org/x.png", "/x.png", "//example.org/x.png"):
        assert markdown_html(f"![<A> *boat*]({address})") == "<p>&lt;A&gt; boat</p>\n"


def test_tables_are_understood() -> None:
    assert "<td>2</td>" in markdown_html("|a|b|\n|-|-|\n|1|2|")
