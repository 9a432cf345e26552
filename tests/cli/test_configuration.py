"""Options from a file, and back."""

import pytest

from invariscope.cli.configuration import from_tokens, read, write
from invariscope.cli.main import VERBS, main
from invariscope.core.errors import SettingError


def options(tmp_path, text: str, command: str = "measure") -> dict[str, object]:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return read(path, command, VERBS).data[command]


def test_a_table_of_the_command_wins_over_the_top(tmp_path):
    text = "tau = 0.1\nlimit = 3\n[measure]\ntau = 0.2\n[responses]\ntau = 0.3\n"
    assert options(tmp_path, text) == {"tau": 0.2, "limit": 3}
    assert options(tmp_path, text, "responses") == {"tau": 0.3, "limit": 3}


@pytest.mark.parametrize(
    "text",
    [
        'magnitudes = ["rotation=0,15", "hue=30"]',
        "[magnitudes]\nrotation = [0, 15]\nhue = [30]",
        "[measure.magnitudes]\nrotation = [0, 15]\nhue = [30]",
    ],
)
def test_magnitudes_may_be_text_or_numbers(tmp_path, text):
    assert options(tmp_path, text)["magnitudes"] == ["rotation=0,15", "hue=30"]


def test_what_is_not_toml_is_told(tmp_path):
    with pytest.raises(SettingError, match=r"mine\.toml is not TOML"):
        options(tmp_path, "tau 0.1")


def test_a_table_of_no_command_is_told(tmp_path):
    with pytest.raises(SettingError, match="Did you mean 'measure'"):
        options(tmp_path, "[mesure]\ntau = 0.1")


def test_the_file_is_found_in_either_spelling(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("tau = 0.25")
    for tokens in (["measure", "--config", str(path)], ["measure", f"--config={path}"]):
        assert from_tokens(tokens, VERBS).data == {"measure": {"tau": 0.25}}
    assert from_tokens(["measure", "--", "--config", str(path)], VERBS) is None


def test_an_unknown_option_in_the_file_is_told(tmp_path, capsys):
    path = tmp_path / "mine.toml"
    path.write_text("tua = 0.25")
    assert main(["measure", "a", "b", "--config", str(path)]) == 2
    assert "tua" in capsys.readouterr().err


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "configuration.toml"
    asked = {"images": 'a "b" \\c', "tau": 0.1, "limit": None, "strict": True, "layers": ["a", "b"], "invariant": 2 / 3}
    write(path, asked)
    assert read(path, "measure", VERBS).data["measure"] == {
        name: value for name, value in asked.items() if value is not None
    }
