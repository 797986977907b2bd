import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from openvet.core.digest import dir_hash


def test_the_vector_of_go_mod_sumdb() -> None:
    # golang.org/x/mod/sumdb/dirhash, hash_test.go TestHash1: files "abc" and "xyz" with contents "data for " + name
    files = {name: hashlib.sha256(f"data for {name}".encode()).hexdigest() for name in ("abc", "xyz")}
    inner = "".join(f"{files[name]}  {name}\n" for name in ("abc", "xyz"))
    assert dir_hash(files) == hashlib.sha256(inner.encode()).hexdigest()


def test_order_is_by_bytes_and_a_newline_is_refused() -> None:
    digest = "00" * 32
    assert dir_hash({"b": digest, "a": digest}) == dir_hash({"a": digest, "b": digest})
    assert dir_hash({"a\nb": digest}) is None
    assert dir_hash({"\udcff": digest}) is not None


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs coreutils")
def test_anybody_can_compute_it_again(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a").write_text("one")
    (tmp_path / "sub" / "b c").write_text("two")
    command = "find . -type f | LC_ALL=C sort | xargs -d '\\n' sha256sum | sed 's#  [.]/#  #' | sha256sum"
    out = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    files = {"a": hashlib.sha256(b"one").hexdigest(), "sub/b c": hashlib.sha256(b"two").hexdigest()}
    assert out.split()[0] == dir_hash(files)
