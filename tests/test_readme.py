import re
from pathlib import Path

import pytest

from eznas.cli.main import app

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_the_python_of_the_readme_runs(code, capsys):
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out.split("\n")
    assert float(printed[0]) > 0
    assert printed[1] == "(2, 20) ()"


def test_the_readme_names_every_command():
    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    commands |= {group.name for group in app.registered_groups}
    assert len(commands) >= 6
    assert {name for name in commands if f"| `eznas {name}` |" not in README} == set()


def test_the_readme_names_every_folder():
    root = Path(__file__).parents[1]
    folders = {path.name for path in (root / "eznas").iterdir() if (path / "__init__.py").exists()}
    assert {name for name in folders if f"| `eznas/{name}` |" not in README} == set()


def test_the_pictures_of_the_readme_exist():
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", README)
    assert pictures
    assert all((Path(__file__).parents[1] / picture).exists() for picture in pictures)
