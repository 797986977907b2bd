"""What an openvet.toml may say, and how it is refused."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvet.core.limits import DEFAULT_LIMITS
from openvet.errors import ConfigError
from openvet.policy.decision import Acceptance
from openvet.workflows.config import AcceptedCallable, Config
from openvet.workflows.toml_lines import key_lines

WHOLE = """\
# a team
strict = true

[defaults]
format = "json"
fail-on = "reject"
exclude = ["*.md", "docs/*"]

[limits]
decoded_bytes = "1.5G"
seconds = 20

[[accept]]
rule = "pickle/unknown-callable"
digest = "sha256:AA00000000000000000000000000000000000000000000000000000000000000"
reason = "read"
owner = "ann"
expires = 2027-06-30

[[callable]]
name = "mylib.layers.Gate"
reason = "ours"
"""


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        Config.parse(text.encode() if isinstance(text, str) else text)
    return list(caught.value.problems)


def test_a_whole_file() -> None:
    config = Config.parse(WHOLE.encode())
    assert config.acceptances == (
        Acceptance("pickle/unknown-callable", "aa" + "0" * 62, "read", "ann", date(2027, 6, 30)),
    )
    assert config.acceptances[0].line == 13
    assert config.callables == (AcceptedCallable("mylib.layers.Gate", "ours", "", None, 20),)
    assert (config.strict, config.form, config.fail_on, config.exclude) == (True, "json", "reject", ("*.md", "docs/*"))
    assert (config.limits.decoded_bytes, config.limits.seconds) == (3 * 2**29, 20)
    assert config.limits.depth == DEFAULT_LIMITS.depth
    assert len(config.digest) == 64


def test_an_empty_file_changes_nothing() -> None:
    config = Config.parse(b"")
    assert (config.strict, config.acceptances, config.callables, config.limits) == (False, (), (), DEFAULT_LIMITS)


ACCEPT = (
    '[[accept]]\nrule = "pickle/unknown-callable"\ndigest = "'
    + "0" * 64
    + '"\nreason = "r"\nowner = "o"\nexpires = 2027-01-01\n'
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("strickt = true", "openvet.toml:1: unknown key 'strickt'; did you mean strict?"),
        ("\n\nstrict = 1", "openvet.toml:3: strict must be true or false"),
        ("[defaults]\nformat = 'jsn'", "openvet.toml:2: format must be one of text, json, jsonl, sarif, junit, markdown, acceptances; did you mean json?"),
        ("[defaults]\nfail_on = 'review'", "openvet.toml:2: unknown key 'fail_on' in [defaults]; did you mean fail-on?"),
        ("[defaults]\n\nexclude = '*.md'", "openvet.toml:3: exclude must be a list of patterns such as ['*.md']"),
        ("[limits]\ndepht = 3", "openvet.toml:2: unknown key 'depht' in [limits]; did you mean depth?"),
        ("[limits]\ndepth = -3", "openvet.toml:2: limit depth: the value must be a whole number above zero, such as 5000, 64M or 600MB"),
        ("[limits]\ndepth = true", "openvet.toml:2: limit depth: must be a number, or a text such as '200G'"),
        ("[limits]\nseconds = nan", "openvet.toml:2: limit seconds: the value must be a number above zero"),
        ("[accept]\nrule = 'a/b'", "openvet.toml:1: accept must be a list of tables; write [[accept]]"),
        ("[[accept]]\nrule = 'pickle/unknown-callable'", "openvet.toml:1: accept needs digest and expires and owner and reason"),
        (ACCEPT.replace("unknown-callable", "unknown-calable"), "openvet.toml:2: there is no rule pickle/unknown-calable; did you mean pickle/unknown-callable?"),
        (ACCEPT.replace("pickle/unknown-callable", "unknown:limit"), "openvet.toml:2: there is no rule unknown:limit (what was not read cannot be accepted)"),
        (ACCEPT.replace("0" * 64, "0" * 63), "openvet.toml:3: digest must be a SHA-256: 64 hexadecimal digits"),
        (ACCEPT.replace('"r"', '" "'), "openvet.toml:4: reason must be a text that says something, of at most 1000 characters"),
        (ACCEPT.replace("2027-01-01", "2027-01-01T00:00:00"), "openvet.toml:6: expires must be a day, such as 2027-06-30"),
        (ACCEPT.replace("2027-01-01", '"never"'), "openvet.toml:6: expires must be a day, such as 2027-06-30"),
        (ACCEPT + ACCEPT, "openvet.toml:7: accepts the same rule and digest as line 1"),
        ("[[callable]]\nname = 'os.system'\nreason = 'x'", "openvet.toml:2: os.system starts or signals processes, and cannot be accepted by its name; accept the finding in one file with [[accept]], by the file's digest"),
        ("[[callable]]\nname = 'mylib.*'\nreason = 'x'", "openvet.toml:2: 'mylib.*' is no callable's name; write module.name, one entry for each"),
        ("x = ", "openvet.toml:1: is not TOML: Invalid value"),
        ("a = 1\nb = = 2", "openvet.toml:2: is not TOML: Invalid value"),
        ("a = " + "[" * 100_000, "openvet.toml:1: is not TOML that can be read: RecursionError"),
        (b"strict = true\n\xff", "openvet.toml:2: is not UTF-8 text"),
    ],
)  # fmt: skip
def test_each_problem_has_its_line(text: str | bytes, said: str) -> None:
    found = problems(text)
    assert any(each.startswith(said) for each in found), found


def test_every_problem_is_told_at_once() -> None:
    found = problems("a = 1\nb = 2\n[limits]\nc = 3\n")
    assert [each.split(":")[1] for each in found] == ["1", "2", "4"]


@pytest.mark.parametrize(
    "name",
    ["os.system", "posix.system", "builtins.eval", "subprocess.Popen", "shutil.rmtree", "nt.system",
     "importlib.import_module", "runpy.run_path", "socket.socket", "pickle.loads"],
)  # fmt: skip
def test_what_is_dangerous_cannot_be_accepted_by_name(name: str) -> None:
    assert "cannot be accepted by its name" in problems(f'[[callable]]\nname = "{name}"\nreason = "x"\n')[0]


TEXTS = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.sampled_from(
            ["[[accept]]\n", "[accept]\n", "[limits]\n", "[defaults]\n", "strict = true\n", "rule = 'a/b'\n", "digest = 3\n",
             "expires = 2027-01-01\n", "'''", '"""', "[", "]", "{", "}", "=", ",", "\n", "#", "depth = 1e99\n", "x.y.z = [1, {a = 2}]\n",
             "[[callable]]\n", "name = 'a.b'\n", "reason = '\\u0000'\n", "exclude = [1]\n", "\\", "1", "a", "[[callable.x]]\n"]
        ),
        max_size=14,
    ).map("".join),
    st.integers(0, len(WHOLE)).flatmap(lambda at: st.text(max_size=4).map(lambda text: WHOLE[:at] + text + WHOLE[at + len(text) :])),
)  # fmt: skip


@given(TEXTS)
def test_broken_text_is_refused_and_never_a_fault(text: str) -> None:
    try:
        Config.parse(text.encode("utf-8", "surrogatepass"))
    except ConfigError as error:
        for problem in error.problems:
            assert problem.startswith("openvet.toml:")
            assert int(problem.split(":")[1]) <= text.count("\n") + 1


@given(st.binary(max_size=200))
def test_broken_bytes_are_refused_and_never_a_fault(data: bytes) -> None:
    try:
        Config.parse(data)
    except ConfigError:
        pass


@given(TEXTS)
def test_every_top_level_key_of_good_toml_has_a_line(text: str) -> None:
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return
    lines = key_lines(text)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())
    for path in lines:
        assert path[0] in document


def test_lines_of_nested_things() -> None:
    lines = key_lines(
        'a = """\nx = 1\n"""\nb = [\n  {c = 1},\n  {c = 2, "d.e" = 3},\n]\n[t.u]\nv = 1\n[[w]]\n[[w]]\nx = 1\n[w.y]\nz = 1\n'
    )
    assert lines[("b", 1, "d.e")] == 6
    assert lines[("t", "u", "v")] == 9
    assert lines[("w", 1, "x")] == 12
    assert lines[("w", 1, "y", "z")] == 14
    assert ("x",) not in lines
